/** A parser of RFC 4180: quoted fields may hold delimiters, doubled quotes and line breaks. */

/** Records of a table, and whether there are more than these. */
export interface Table {
  rows: string[][];
  more: boolean;
}

/**
 * Parses at most `limit` records. `whole` is false when `text` is only the beginning of a file: its last record may
 * be cut off then, and is left out. What breaks the rules is kept as it stands.
 */
export function parseCsv(text: string, delimiter: string, limit: number, whole: boolean): Table {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  let begun = false; // whether anything of the present record has been seen
  const start = text.startsWith('\ufeff') ? 1 : 0;
  for (let at = start; at < text.length; at += 1) {
    if (rows.length === limit) {
      return { rows, more: true };
    }
    const letter = text[at] ?? '';
    if (quoted) {
      if (letter !== '"') {
        field += letter;
      } else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else {
        quoted = false;
      }
    } else if (letter === '"' && field === '') {
      quoted = begun = true;
    } else if (letter === delimiter) {
      row.push(field);
      field = '';
      begun = true;
    } else if (letter === '\n' || letter === '\r') {
      if (letter === '\r' && text[at + 1] === '\n') {
        at += 1;
      }
      rows.push([...row, field]);
      row = [];
      field = '';
      begun = false;
    } else {
      field += letter;
      begun = true;
    }
  }
  if (begun && whole) {
    if (rows.length === limit) {
      return { rows, more: true };
    }
    rows.push([...row, field]);
  }
  return { rows, more: !whole };
}

/** The delimiter of a table: a tab for `.tsv`, a semicolon where the first line has more of them than commas. */
export function delimiterOf(name: string, text: string): string {
  if (name.toLowerCase().endsWith('.tsv')) {
    return '\t';
  }
  const line = text.slice(0, text.search(/[\r\n]|$/));
  const count = (letter: string): number => line.split(letter).length;
  return count(';') > count(',') ? ';' : ',';
}
