/** What the page was sent with: who looks at it, and where things are. */
export interface Boot {
  /** The portal's path with its last slash. */
  base: string;
  /** The Hub's path with its last slash. */
  hub: string;
  /** Empty when nobody is logged in. */
  user: string;
  admin: boolean;
  xsrf: string;
  /** A BCP 47 tag. */
  language: string;
  /** Every language there is, by its own name. */
  languages: Record<string, string>;
  /** Where scripts and styles lie, with its last slash. */
  assets: string;
  /** Why the page is not shown. */
  refused: { status: number; detail: string } | null;
}

/** Reads it from the page; throws where there is none. */
export function boot(): Boot {
  return JSON.parse(document.getElementById('boot')?.textContent ?? '') as Boot;
}
