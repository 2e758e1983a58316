/** Where to go once a notebook server runs. */

/**
 * By way of the Hub, which leads on when the server answers: a workload runs a moment before the Hub sends people to
 * it, and until then its address belongs to whatever is above it, the user's default server.
 *
 * `url` is the server's own address; `then` a place in it, its start page unless given. What leads out of the server is
 * not followed: an address can be sent by anybody.
 */
export function arrivalOf(url: string, then: string | undefined, origin: string): string {
  const server = new URL(url.replace(/[^/]*$/, ''), origin);
  const wanted = then === undefined ? server : new URL(then, server);
  const place = wanted.origin === server.origin && wanted.pathname.startsWith(server.pathname) ? wanted : server;
  const pending = server.pathname.replace(/\/user\/([^/]+(?:\/[^/]+)?)\/$/, '/hub/spawn-pending/$1');
  return `${pending}?next=${encodeURIComponent(place.pathname + place.search)}`;
}
