/** Markdown as elements that can do no harm: no script, no style, no form, no address but those of `harmless`. */
import DOMPurify from 'dompurify';
import { Marked } from 'marked';

import { type AddressOf, ATTRIBUTES, linkOf, pictureOf, tame, TAGS } from './harmless';

const marked = new Marked({
  gfm: true,
  renderer: {
    checkbox: ({ checked }) => (checked ? '☑ ' : '☐ '),
    // The sanitiser would take out all this too, but the browser complains about each handler it only parses.
    html: ({ text }) => tame(text)
  }
});

/** Returns what a text means; `addressOf` is for what lies beside it. */
export function rendered(text: string, addressOf?: AddressOf): DocumentFragment {
  // One of our own: what others hook into the shared one is not ours, nor ours theirs.
  const purify = DOMPurify(window);
  const beside = new Set<string>();
  purify.addHook('uponSanitizeAttribute', (element, data) => {
    if (data.attrName === 'href') {
      const link = linkOf(data.attrValue, addressOf);
      data.attrValue = link?.href ?? '';
      if (link && !link.outside) {
        beside.add(link.href);
      }
    } else if (data.attrName === 'src') {
      data.attrValue = pictureOf(data.attrValue, addressOf) ?? '';
    } else {
      return;
    }
    data.keepAttr = data.attrValue !== '' && element.nodeName === (data.attrName === 'href' ? 'A' : 'IMG');
  });
  const html = marked.parse(text, { async: false });
  const fragment = purify.sanitize(html, {
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true
  });
  fragment.querySelectorAll('a').forEach(link => tie(link, beside));
  fragment
    .querySelectorAll('img:not([src])')
    .forEach(picture => picture.replaceWith(picture.getAttribute('alt') ?? ''));
  // What scrolls by itself is reached by the keyboard too.
  fragment.querySelectorAll<HTMLElement>('pre, table').forEach(box => (box.tabIndex = 0));
  fragment.querySelectorAll('img:not([alt])').forEach(picture => picture.setAttribute('alt', ''));
  return fragment;
}

/** Has a link open beside our page, which it is not told of; one beside the text is a download. */
function tie(link: HTMLAnchorElement, beside: Set<string>): void {
  const href = link.getAttribute('href');
  if (href === null) {
    link.replaceWith(...link.childNodes);
  } else if (beside.has(href)) {
    link.download = '';
  } else {
    link.target = '_blank';
    link.rel = 'noopener noreferrer nofollow';
  }
}
