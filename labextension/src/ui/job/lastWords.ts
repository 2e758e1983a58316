/** The end of a failed job's log: what one reads first. */
import { plain } from './ansi';

const LINES = 30;
const MOST = 200;
const TRACEBACK = /^\s*(?:\[?\w+\]?:? ?)?Traceback \(most recent call last\)/;

/**
 * Returns the last 30 lines, or more when the last traceback begins before them. `text` may begin in the middle of a
 * line when `cut`; of progress bars the last state is kept.
 */
export function lastWords(text: string, cut: boolean): string[] {
  const lines = text.split('\n').map(line => line.replace(/\r+$/, '').split('\r').at(-1) ?? '');
  while (lines.length > 0 && plain(lines.at(-1) ?? '').trim() === '') {
    lines.pop();
  }
  if (cut && lines.length > 1) {
    lines.shift();
  }
  const traceback = lines.findLastIndex(line => TRACEBACK.test(plain(line)));
  const usual = Math.max(lines.length - LINES, 0);
  const from = traceback >= 0 && lines.length - traceback <= MOST ? Math.min(traceback, usual) : usual;
  return lines.slice(from);
}
