/** One job that runs a notebook, followed to its end. */
import { type Contents, ServerConnection } from '@jupyterlab/services';

import { answer, Problem } from '../api/client';
import { follow } from '../api/follow';
import { isOpen } from '../api/queries';
import type { CellResult, NotebookDocument } from '../ui/notebook/document';
import { landInto, noteInto } from '../ui/notebook/merge';
import type { OpenDocument } from './notebookDocument';
import { dropSent, sentOf } from './notebookJournal';
import { Turn } from './notebookTurns';
import type { IPumpkin } from './tokens';

const LOOK_MS = 3000;
const AGAIN_MS = 15_000;
/** A file is written no more often than this, but at the end. */
const FILE_MS = 5000;

export class NotebookRun {
  private readonly turn: Turn;
  /** The newest said of each cell. */
  private readonly results = new Map<string, CellResult>();
  private next = 0;
  private landing = Promise.resolve();
  private isWanted = false;
  private written = 0;

  constructor(
    private readonly pumpkin: IPumpkin,
    private readonly job: string,
    private path: string,
    private readonly contents: Contents.IManager,
    private readonly open: () => OpenDocument[]
  ) {
    this.turn = new Turn(job, lost => this.toTheEnd(lost));
  }

  /** Resolves when everything has landed, here or in another tab. */
  done(): Promise<void> {
    return this.turn.take(this.path, this.open().length > 0);
  }

  /** The notebook is open in this tab now. */
  prefer(): void {
    this.turn.prefer();
    if (this.results.size > 0) {
      this.land();
    }
  }

  moved(from: string, to: string): void {
    if (this.path === from) {
      this.path = to;
    }
  }

  private async toTheEnd(lost: AbortSignal): Promise<void> {
    await Promise.all(this.open().map(document => document.refresh()));
    for (;;) {
      try {
        await this.adopt();
        await (this.open().length > 0 ? this.stream(lost) : this.look(lost));
        if (!lost.aborted) {
          await this.landing.catch(() => undefined); // all of it is landed again
          await this.settle();
        }
        return;
      } catch (error) {
        if (error instanceof Problem && error.status === 404) {
          // The job was deleted: nothing will come, and nobody is to wait for it.
          await Promise.all(this.open().map(document => document.settle(this.job)));
          return;
        }
        // The platform or the server is away, most likely.
        console.warn(`Results of job ${this.job} could not be landed; tried again soon:`, error);
        await pause(AGAIN_MS);
      }
    }
  }

  /** Notes in the notebook what was sent from it, if a tab was closed before that was saved. */
  private async adopt(): Promise<void> {
    const notes = sentOf(this.job);
    if (notes) {
      const documents = this.open();
      await Promise.all(documents.map(document => document.adopt(notes)));
      if (documents.length === 0) {
        await this.change(before => noteInto(before, notes));
      }
    }
  }

  /** Is told of every change at once. */
  private async stream(lost: AbortSignal): Promise<void> {
    await this.phase(); // a stream of what is not there would be asked for again and again
    let close = (): void => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        lost.addEventListener('abort', () => resolve());
        const onLive = (live: boolean): void => {
          if (!live) {
            void this.phase().catch((error: unknown) => {
              if (error instanceof Problem && error.status === 404) {
                reject(error);
              }
            });
          }
        };
        const onMessages = (messages: { event: string; data: string }[]): void =>
          this.take(messages.filter(each => each.event === 'cell').map(each => JSON.parse(each.data) as CellResult));
        const path = `/workloads/${this.job}/cells/stream`;
        close = follow(this.pumpkin.shell, path, { onMessages, onEnd: resolve, onLive }, String(this.next));
      });
    } finally {
      close();
    }
  }

  /** Asks now and then, for what nobody looks at. */
  private async look(lost: AbortSignal): Promise<void> {
    const { api } = this.pumpkin.shell;
    const params = { path: { workload: this.job } };
    let hasEnded = false;
    while (!lost.aborted) {
      const query = { after: this.next };
      const { items } = await answer(api.GET('/workloads/{workload}/cells', { params: { ...params, query } }));
      if (items.length > 0) {
        this.take(items as unknown as CellResult[]);
      } else if (hasEnded) {
        return;
      } else if (isOpen(await this.phase())) {
        await pause(LOOK_MS);
      } else {
        hasEnded = true; // once more: something may have come in between
      }
    }
  }

  private async phase() {
    const { api } = this.pumpkin.shell;
    return (await answer(api.GET('/workloads/{workload}', { params: { path: { workload: this.job } } }))).phase;
  }

  private take(results: CellResult[]): void {
    for (const result of results) {
      this.next = Math.max(this.next, result.revision);
      if (result.revision > (this.results.get(result.cell)?.revision ?? 0)) {
        this.results.set(result.cell, result);
      }
    }
    if (results.length > 0) {
      this.land();
    }
  }

  /** Lands what there is, one landing after another; what comes during one is in the next. */
  private land(): void {
    if (this.isWanted) {
      return;
    }
    this.isWanted = true;
    const before = this.landing.catch(() => undefined);
    this.landing = before.then(async () => {
      this.isWanted = false;
      const documents = this.open();
      await Promise.all(documents.map(document => document.land(this.job, this.results)));
      if (documents.length === 0 && Date.now() - this.written > FILE_MS) {
        this.written = Date.now();
        await this.write(false);
      }
    });
    // What failed is said where the end is waited for, and tried again there.
    this.landing.catch(() => undefined);
  }

  private async settle(): Promise<void> {
    const documents = this.open();
    let hasLanded: boolean;
    if (documents.length > 0) {
      await Promise.all(documents.map(document => document.land(this.job, this.results)));
      hasLanded = (await Promise.all(documents.map(document => document.settle(this.job)))).every(Boolean);
    } else {
      await this.write(true);
      hasLanded = true;
    }
    if (hasLanded) {
      dropSent(this.job);
      const params = { path: { workload: this.job } };
      await answer(this.pumpkin.shell.api.POST('/workloads/{workload}/landed', { params }));
    }
  }

  private write(isOver: boolean): Promise<void> {
    return this.change(before => landInto(before, this.job, this.results.values(), isOver));
  }

  /** Changes the file; one that is gone is left so: the job's own view has everything. */
  private async change(act: (before: NotebookDocument) => NotebookDocument): Promise<void> {
    let file: Contents.IModel;
    try {
      file = await this.contents.get(this.path, { type: 'notebook', format: 'json', content: true });
    } catch (error) {
      if (error instanceof ServerConnection.ResponseError && error.response.status === 404) {
        return;
      }
      throw error;
    }
    const before = file.content as NotebookDocument;
    const content = act(before);
    if (content !== before) {
      await this.contents.save(this.path, { type: 'notebook', format: 'json', content });
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms));
}
