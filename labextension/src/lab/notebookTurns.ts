/**
 * Several tabs may show one notebook: one of them at a time lands a job's results, best one that has it open.
 *
 * Web locks tell tabs of each other, and are let go of when a tab is closed. A Hub reached by plain HTTP has none: there
 * each tab lands for itself.
 */

/** The types promise it everywhere. */
const locks = navigator.locks as LockManager | undefined;

/** Tells other tabs that this one has a notebook open, until the returned function is called. */
export function holdOpen(path: string): () => void {
  let close = (): void => undefined;
  const closed = new Promise<void>(resolve => (close = resolve));
  void locks?.request(openName(path), { mode: 'shared' }, () => closed);
  return close;
}

/** A tab's turn at one job. */
export class Turn {
  private waiting = new AbortController();
  private holding = false;

  constructor(
    private readonly job: string,
    /** Done in this tab's turn; ends early when `lost` is aborted: another tab has taken over. */
    private readonly act: (lost: AbortSignal) => Promise<void>
  ) {}

  /** Resolves when the job is done with; `eager` takes the turn from a tab that has the notebook not open. */
  async take(path: string, eager: boolean): Promise<void> {
    if (!locks) {
      return this.act(new AbortController().signal);
    }
    const lost = new AbortController();
    const steal = eager && (await openTabs(path)) <= 1;
    const { signal } = this.waiting;
    try {
      // A request that steals cannot be given up: it is granted at once.
      await locks.request(`pumpkin:land:${this.job}`, steal ? { steal } : { signal }, async () => {
        this.holding = true;
        await this.act(lost.signal);
      });
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'AbortError')) {
        throw error;
      }
      // Taken by a tab that has it open, or this tab wants it more than before.
      lost.abort();
      const isPreferred = signal.aborted;
      this.holding = false;
      this.waiting = new AbortController();
      await this.take(path, isPreferred);
    }
  }

  /** The notebook is open here now: another tab that only writes to its file hands over. */
  prefer(): void {
    if (!this.holding) {
      this.waiting.abort();
    }
  }
}

function openName(path: string): string {
  return `pumpkin:open:${path}`;
}

async function openTabs(path: string): Promise<number> {
  const { held = [] } = (await locks?.query()) ?? {};
  return new Set(held.filter(lock => lock.name === openName(path)).map(lock => lock.clientId)).size;
}
