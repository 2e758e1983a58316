/** Which elements and addresses a description or a README may hold. What is not allowed here is not shown. */

/** Returns the address of a file of the same version, by its path. */
export type AddressOf = (path: string) => string;

export const TAGS = [
  ...['a', 'abbr', 'b', 'blockquote', 'br', 'code', 'dd', 'del', 'details', 'div', 'dl', 'dt', 'em', 'figcaption'],
  ...['figure', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'hr', 'i', 'img', 'ins', 'kbd', 'li', 'mark', 'ol', 'p', 'pre'],
  ...['q', 's', 'samp', 'small', 'span', 'strong', 'sub', 'summary', 'sup', 'table', 'tbody', 'td', 'tfoot', 'th'],
  ...['thead', 'tr', 'u', 'ul', 'var']
];
export const ATTRIBUTES = [
  'align',
  'alt',
  'colspan',
  'height',
  'href',
  'open',
  'rowspan',
  'src',
  'start',
  'title',
  'width'
];

const PICTURE = /^data:image\/(png|jpeg|gif|webp|avif|svg\+xml);base64,[A-Za-z0-9+/=]+$/;
const OUTSIDE = ['http:', 'https:', 'mailto:'];

/** A link as it may stand: to another site or a letter, or to a file beside the text. */
export interface Link {
  href: string;
  outside: boolean;
}

/** Returns where a link leads, null for one that leads nowhere good. Our own pages are no place for a text to lead to. */
export function linkOf(href: string, addressOf?: AddressOf): Link | null {
  const outside = URL.canParse(href) ? new URL(href) : null;
  if (outside) {
    return OUTSIDE.includes(outside.protocol) ? { href: outside.href, outside: true } : null;
  }
  const path = besides(href);
  return path !== null && addressOf ? { href: addressOf(path), outside: false } : null;
}

/** Returns where a picture comes from: the text itself or a file beside it, never another site, which would be told. */
export function pictureOf(src: string, addressOf?: AddressOf): string | null {
  if (PICTURE.test(src)) {
    return src;
  }
  const path = URL.canParse(src) ? null : besides(src);
  return path !== null && addressOf ? addressOf(path) : null;
}

/** Returns the path in the version that a relative address at its root means; null for any other address. */
function besides(address: string): string | null {
  const [bare = ''] = address.split(/[?#]/);
  if (bare === '' || /^[/\\]|:|[\u0000-\u001f]/.test(bare)) {
    return null;
  }
  let parts: string[];
  try {
    parts = bare.split('/').map(decodeURIComponent);
  } catch {
    return null; // not an encoding of anything
  }
  const kept = parts.filter(part => part !== '.' && part !== '');
  return kept.length === 0 || kept.some(part => part === '..' || /[/\\]/.test(part)) ? null : kept.join('/');
}

const WHOLE = /<!--[\s\S]*?(?:-->|$)|<(script|style|iframe|svg|math|form|object|template)\b[\s\S]*?(?:<\/\1\s*>|$)/gi;
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>|</gi;
const ATTRIBUTE = /([a-z][a-z0-9:_-]*)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/gi;

/** Returns HTML with the allowed elements and attributes only; any other "<" is text. A sanitiser still follows. */
export function tame(html: string): string {
  return html.replace(WHOLE, '').replace(TAG, (_all, slash: string | undefined, name?: string, rest?: string) => {
    if (name === undefined) {
      return '&lt;';
    }
    const tag = name.toLowerCase();
    if (!TAGS.includes(tag)) {
      return '';
    }
    return slash ? `</${tag}>` : `<${tag}${attributes(rest ?? '')}>`;
  });
}

function attributes(text: string): string {
  return [...text.matchAll(ATTRIBUTE)]
    .map(([, name = '', double, single, bare]) => ({ name: name.toLowerCase(), value: double ?? single ?? bare ?? '' }))
    .filter(({ name }) => ATTRIBUTES.includes(name))
    .map(({ name, value }) => ` ${name}="${value.replaceAll('"', '&quot;')}"`)
    .join('');
}
