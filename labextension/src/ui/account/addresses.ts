/** The addresses a script needs, from where the portal is. */

/** `portal` is its address or path with its last slash (`/hub-prefix/services/pumpkin/`), `here` this page's address. */
export function addressesOf(portal: string, here: string): { hub: string; api: string } {
  const home = new URL(portal, here);
  return { hub: new URL('../../', home).href.replace(/\/$/, ''), api: new URL('api/v1', home).href };
}
