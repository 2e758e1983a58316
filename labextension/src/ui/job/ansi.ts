/** ANSI escapes of one line, as pieces with class names: the theme decides what a colour looks like. */
import Anser from 'anser';

export interface Piece {
  text: string;
  className: string;
  /** Whether this is what was searched for. */
  hit: boolean;
}

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
/** All escapes but colours: cursor moves, titles, links. */
const OTHERS = /\x1b\[[0-9;?<=>]*[^0-9;?<=>m]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[()][A-Z0-9]|\x1b[^[\]()]/g;
const ANY = /\x1b\[[0-9;?<=>]*[A-Za-z~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[()][A-Z0-9]|\x1b[^[\]()]?/g;

/** Returns text as it reads, without escapes. */
export function plain(text: string): string {
  return text.includes('\x1b') ? text.replace(ANY, '') : text;
}

/** Splits a line where its look changes and where `needle` is found, whatever its case. */
export function pieces(text: string, look = '', needle = ''): Piece[] {
  const parts =
    look || text.includes('\x1b')
      ? Anser.ansiToJson((look + text).replace(OTHERS, ''), { use_classes: true, remove_empty: true }).map(entry => ({
          text: entry.content,
          className: classOf(entry)
        }))
      : [{ text, className: '' }];
  return needle ? marked(parts, needle) : parts.map(part => ({ ...part, hit: false }));
}

function classOf(entry: Anser.AnserJsonEntry): string {
  let [fore, back] = [colour(entry.fg, entry.fg_truecolor), colour(entry.bg, entry.bg_truecolor)];
  if (entry.decorations.includes('reverse')) {
    [fore, back] = [back || 'inverse', fore || 'text'];
  }
  return [
    fore && `pk-ansi-${fore}`,
    back && `pk-ansi-on-${back}`,
    ...entry.decorations
      .filter(name => ['bold', 'dim', 'italic', 'underline', 'strikethrough'].includes(name))
      .map(name => `pk-ansi-${name}`)
  ]
    .filter(Boolean)
    .join(' ');
}

/** Of the thousands of colours the nearest of the eight that both themes can show. */
// The library's types do not say that a piece without a colour has null.
function colour(name: string | null, truecolor: string | null): string {
  if (!name) {
    return '';
  }
  if (truecolor && name === 'ansi-truecolor') {
    const [r = 0, g = 0, b = 0] = truecolor.split(',').map(Number);
    return nearest(r, g, b);
  }
  const palette = /^ansi-palette-(\d+)$/.exec(name);
  if (palette) {
    return ofPalette(Number(palette[1]));
  }
  return name.replace(/^ansi-(bright-)?/, (_, bright?: string) => (bright ? 'bright-' : ''));
}

function ofPalette(code: number): string {
  if (code < 16) {
    return `${code < 8 ? '' : 'bright-'}${NAMES[code % 8] ?? ''}`;
  }
  if (code >= 232) {
    const grey = 8 + (code - 232) * 10;
    return nearest(grey, grey, grey);
  }
  const level = (step: number): number => (step === 0 ? 0 : 55 + step * 40);
  const at = code - 16;
  return nearest(level(Math.floor(at / 36)), level(Math.floor(at / 6) % 6), level(at % 6));
}

function nearest(r: number, g: number, b: number): string {
  const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)];
  if (most - least < 48) {
    return most < 64 ? 'black' : most < 176 ? 'bright-black' : 'white';
  }
  const middle = (most + least) / 2;
  return NAMES[(r > middle ? 1 : 0) + (g > middle ? 2 : 0) + (b > middle ? 4 : 0)] ?? '';
}

function marked(parts: { text: string; className: string }[], needle: string): Piece[] {
  const whole = parts
    .map(part => part.text)
    .join('')
    .toLowerCase();
  const wanted = needle.toLowerCase();
  const hits: [number, number][] = [];
  for (let at = whole.indexOf(wanted); at >= 0; at = whole.indexOf(wanted, at + wanted.length)) {
    hits.push([at, at + wanted.length]);
  }
  const found: Piece[] = [];
  let begin = 0;
  for (const { text, className } of parts) {
    const end = begin + text.length;
    let at = begin;
    const take = (to: number, hit: boolean): void => {
      if (to > at) {
        found.push({ text: text.slice(at - begin, to - begin), className, hit });
        at = to;
      }
    };
    for (const [from, to] of hits) {
      if (to > begin && from < end) {
        take(Math.max(from, begin), false);
        take(Math.min(to, end), true);
      }
    }
    take(end, false);
    begin = end;
  }
  return found;
}
