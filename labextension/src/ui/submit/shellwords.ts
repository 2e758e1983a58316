/** A list of words as one line that a person can type, quoted the way a POSIX shell reads it. */

const PLAIN = /^[\w@%+=:,./-]+$/;

/** `['echo', 'a b']` → `echo 'a b'`. */
export function joinWords(list: readonly string[]): string {
  return list.map(word => (PLAIN.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`)).join(' ');
}

/** The reverse; null when a quote is not closed. Quotes only group: nothing is expanded. */
export function splitWords(text: string): string[] | null {
  const list: string[] = [];
  let word: string | null = null;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const sign = text.charAt(at);
    if (quote === "'") {
      if (sign === "'") {
        quote = '';
      } else {
        word = (word ?? '') + sign;
      }
    } else if (sign === '\\' && (quote === '' || '"\\$`\n'.includes(text.charAt(at + 1)))) {
      at += 1;
      if (at >= text.length) {
        return null;
      }
      // A line that goes on in the next one.
      word = (word ?? '') + (text.charAt(at) === '\n' ? '' : text.charAt(at));
    } else if (quote === '"') {
      if (sign === '"') {
        quote = '';
      } else {
        word = (word ?? '') + sign;
      }
    } else if (sign === "'" || sign === '"') {
      quote = sign;
      word ??= '';
    } else if (/\s/.test(sign)) {
      if (word !== null) {
        list.push(word);
        word = null;
      }
    } else {
      word = (word ?? '') + sign;
    }
  }
  if (quote) {
    return null;
  }
  return word === null ? list : [...list, word];
}
