/** A search in a log that goes on while one types and while the log grows. */
import type { LogFeed } from './logFeed';
import { LogSearch, nextFound } from './logSearch';

const SLICE_MS = 8;
const PAUSE_MS = 60;

export interface Finding {
  needle: string;
  /** How many lines have it. */
  count: number;
  /** Which of them one is at, from 1; 0 for none. */
  at: number;
  /** The line one is at, by its name. */
  line: number | null;
  done: boolean;
  /** Changes when the line shall be shown. */
  jumps: number;
}

export class LogFinder {
  /** What there is to show; another object after each change. */
  finding: Finding = { needle: '', count: 0, at: 0, line: null, done: true, jumps: 0 };
  private search: LogSearch | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private seen = -1;
  private readonly listeners = new Set<() => void>();

  constructor(private readonly feed: LogFeed) {}

  /** For React: calls `listener` after changes; searches on while there is one. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    const forget = this.feed.subscribe(() => {
      if (this.search && this.timer === undefined && this.feed.version !== this.seen) {
        this.later(PAUSE_MS);
      }
    });
    return () => {
      forget();
      this.listeners.delete(listener);
      clearTimeout(this.timer);
      this.timer = undefined;
    };
  };

  /** Searches for something else. */
  look = (needle: string): void => {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.search = needle ? new LogSearch(this.feed.store, needle) : null;
    this.tell({ needle, count: 0, at: 0, line: null, done: !needle });
    if (needle) {
      this.later(PAUSE_MS);
    }
  };

  /** Goes to the next line found, or the one before. */
  go = (step: 1 | -1): void => {
    const found = this.search?.found ?? [];
    const at = nextFound(found, this.finding.line ?? Infinity, step);
    const line = found[at];
    if (line !== undefined) {
      this.tell({ at: at + 1, line, jumps: this.finding.jumps + 1 });
    }
  };

  private later(ms: number): void {
    this.timer = setTimeout(() => this.step(), ms);
  }

  private step(): void {
    this.timer = undefined;
    if (!this.search) {
      return;
    }
    const done = this.search.step(SLICE_MS);
    this.seen = this.feed.version;
    const { found } = this.search;
    let { line, jumps } = this.finding;
    if (line === null && found.length > 0) {
      // The last one is what people look for, and it is found first.
      line = found.at(-1) ?? null;
      jumps += 1;
    }
    this.tell({ done, line, jumps, count: found.length, at: line === null ? 0 : found.indexOf(line) + 1 });
    if (!done) {
      this.later(0);
    }
  }

  private tell(change: Partial<Finding>): void {
    this.finding = { ...this.finding, ...change };
    for (const listener of this.listeners) {
      listener();
    }
  }
}
