/** Which lines of a log contain a text: looked for in slices, so that typing stays smooth in a million lines. */
import { plain } from './ansi';
import type { LogStore } from './logStore';

export class LogSearch {
  /** Lines found, in order, each by the name that it keeps when lines are put before it. */
  found: number[] = [];
  private readonly wanted: string;
  /** What has been looked through: names from `low` up to, but without, `high`. */
  private low: number;
  private high: number;

  constructor(
    private readonly store: LogStore,
    needle: string
  ) {
    this.wanted = needle.toLowerCase();
    // From the end on: there is what people look for first.
    this.low = this.high = store.count - store.earlier;
  }

  /** Goes on for `ms`; returns whether everything there is has been looked through. */
  step(ms: number): boolean {
    const until = performance.now() + ms;
    if (!this.wanted) {
      return true;
    }
    this.forget();
    this.forward();
    const first = -this.store.earlier;
    while (this.low > first && performance.now() < until) {
      const from = this.store.block(this.low - 1 - first);
      this.found = this.among(from.text, from.first + first, this.low).concat(this.found);
      this.low = from.first + first;
    }
    return this.low <= first;
  }

  /** Drops what the store has dropped, and looks at the last line again, which may have grown. */
  private forget(): void {
    const first = -this.store.earlier;
    const gone = this.found.findIndex(name => name >= first);
    if (gone !== 0) {
      this.found.splice(0, gone < 0 ? this.found.length : gone);
    }
    this.low = Math.max(this.low, first);
    this.high = Math.max(this.high - 1, this.low);
    while ((this.found.at(-1) ?? -Infinity) >= this.high) {
      this.found.pop();
    }
  }

  private forward(): void {
    const end = this.store.count - this.store.earlier;
    while (this.high < end) {
      const block = this.store.block(this.high + this.store.earlier);
      const first = block.first - this.store.earlier;
      const found = this.among(block.text, first, first + block.lines);
      for (const name of found) {
        if (name >= this.high) {
          this.found.push(name);
        }
      }
      this.high = first + block.lines;
    }
  }

  /** Names of the lines of a block that contain it, below `end`; the block's first line is called `name`. */
  private among(text: string, name: number, end: number): number[] {
    const found: number[] = [];
    const lower = plain(text).toLowerCase();
    let line = 0;
    for (let at = lower.indexOf(this.wanted); at >= 0; at = lower.indexOf(this.wanted, at)) {
      let next = lower.indexOf('\n', line);
      while (next >= 0 && next < at) {
        name += 1;
        line = next + 1;
        next = lower.indexOf('\n', line);
      }
      if (name >= end) {
        break;
      }
      found.push(name);
      if (next < 0) {
        break;
      }
      at = next + 1;
      line = at;
      name += 1;
    }
    return found;
  }
}

/** The place among `found` of the first line at or after `name` (or, backwards, the last one before it), around the end. */
export function nextFound(found: number[], name: number, step: 1 | -1): number {
  if (found.length === 0) {
    return -1;
  }
  if (step > 0) {
    const at = found.findIndex(line => line > name);
    return at < 0 ? 0 : at;
  }
  const at = found.findLastIndex(line => line < name);
  return at < 0 ? found.length - 1 : at;
}
