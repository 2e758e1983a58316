/** A new version on its way from the browser: what all ways of sending have in common. */
import type { Api } from '../client';
import { Rate } from './rate';
import type { Way } from './send';

export type Phase = 'sending' | 'paused' | 'verifying' | 'done' | 'failed' | 'cancelled';

/** What a new version becomes a version of. */
export interface Place {
  kind: 'datasets' | 'algorithms' | 'models';
  workspace: string;
  name: string;
}

/** How an upload stands. `done` counts bytes the platform has, `sent` those that really travelled. */
export interface Progress {
  phase: Phase;
  done: number;
  total: number;
  sent: number;
  files: number;
  totalFiles: number;
  perSecond: number;
  secondsLeft: number | null;
  /** The version that came of it. */
  number: number | null;
  /** Whether the newest version was the same already, so that none was made. */
  unchanged: boolean;
  error: Error | null;
}

/** A file that could not be read, or changed under our hands. */
export class FileTrouble extends Error {
  constructor(readonly path: string) {
    super(path);
  }
}

const NOTIFY_MS = 150;

/** Sends something, tells how it goes, can be stopped. It goes on when the view that began it is closed. */
export abstract class Upload {
  /** Whether it can be paused and taken up again. */
  abstract readonly pausable: boolean;
  protected controller = new AbortController();
  private readonly listeners = new Set<() => void>();
  private readonly rate = new Rate();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private state: Progress;

  constructor(
    protected readonly api: Api,
    protected readonly way: Way,
    readonly place: Place,
    total: number,
    totalFiles: number
  ) {
    this.state = {
      phase: 'sending',
      done: 0,
      total,
      sent: 0,
      files: 0,
      totalFiles,
      perSecond: 0,
      secondsLeft: null,
      number: null,
      unchanged: false,
      error: null
    };
  }

  /** The state now; the same object until something changes. */
  readonly snapshot = (): Progress => this.state;

  /** Calls `listener` after changes, a few times a second at most. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Begins, or goes on after a pause or a break. */
  start(): void {
    this.controller = new AbortController();
    this.rate.clear();
    this.change({ phase: 'sending', error: null }, true);
    const { signal } = this.controller;
    this.run(signal).then(
      () => undefined,
      (error: unknown) => {
        if (!signal.aborted) {
          this.controller.abort();
          this.change({ phase: 'failed', error: error instanceof Error ? error : new Error(String(error)) }, true);
        }
      }
    );
  }

  /** Gives it up; what was sent is not kept. */
  async cancel(): Promise<void> {
    this.controller.abort();
    this.change({ phase: 'cancelled' }, true);
    await this.discard();
  }

  protected abstract run(signal: AbortSignal): Promise<void>;
  protected abstract discard(): Promise<void>;

  /** Changes the state; what cannot wait is told at once. */
  protected change(change: Partial<Progress>, now = false): void {
    const next = { ...this.state, ...change };
    this.rate.add(next.done, performance.now());
    next.perSecond = this.rate.perSecond();
    next.secondsLeft = next.perSecond > 0 ? (next.total - next.done) / next.perSecond : null;
    this.state = next;
    if (now) {
      this.tell();
    } else {
      this.timer ??= setTimeout(() => this.tell(), NOTIFY_MS);
    }
  }

  private tell(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.listeners.forEach(listener => listener());
  }
}
