/** Brings results of jobs back into their notebooks: those that are open, and the files of those that are not. */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';

import { answer } from '../api/client';
import { outOf } from '../ui/notebook/document';
import { Bars } from './notebookBars';
import { noteIn } from './notebookCells';
import { OpenDocument } from './notebookDocument';
import { NotebookRun } from './notebookRun';
import type { Sent } from './notebookSubmit';
import { holdOpen } from './notebookTurns';
import type { IPumpkin } from './tokens';

export class Landing {
  private readonly runs = new Map<string, NotebookRun>();
  private readonly documents = new Map<NotebookPanel['context'], OpenDocument>();
  private readonly otherTabs = new BroadcastChannel('pumpkin:sent');

  constructor(
    private readonly pumpkin: IPumpkin,
    tracker: INotebookTracker,
    private readonly contents: Contents.IManager
  ) {
    tracker.forEach(panel => this.watch(panel));
    tracker.widgetAdded.connect((_, panel) => this.watch(panel));
    contents.fileChanged.connect((_, { type, oldValue, newValue }) => {
      if (type === 'rename' && oldValue?.path && newValue?.path) {
        for (const run of this.runs.values()) {
          run.moved(oldValue.path, newValue.path);
        }
      }
    });
    this.otherTabs.onmessage = (event: MessageEvent<Sent>) => this.follow(event.data);
    void this.resume();
  }

  /** A job was submitted here; other tabs may show its notebook too. */
  sent(job: Sent): void {
    this.follow(job);
    this.otherTabs.postMessage(job);
  }

  /** Follows a job to its end, and lands what it says. */
  follow({ id, path }: Sent): void {
    const known = this.runs.get(id);
    if (known) {
      known.prefer();
      return;
    }
    const run = new NotebookRun(this.pumpkin, id, path, this.contents, () => this.openWith(id, path));
    this.runs.set(id, run);
    void run.done().finally(() => this.runs.delete(id));
  }

  /** What was under way when the Lab was closed. */
  private async resume(): Promise<void> {
    let cursor: string | undefined;
    try {
      do {
        const query = { landed: false, limit: 200, cursor };
        const page = await answer(this.pumpkin.shell.api.GET('/workloads/notebook-runs', { params: { query } }));
        page.items.forEach(run => this.follow(run));
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
    } catch {
      // The panel says that the platform is away; what is not landed now is at the next start, or when it is opened.
    }
  }

  private watch(panel: NotebookPanel): void {
    const { context } = panel;
    const bars = new Bars(this.pumpkin, panel.content);
    const close = holdOpen(context.path);
    if (!this.documents.has(context)) {
      this.documents.set(context, new OpenDocument(context, this.contents));
      context.disposed.connect(() => this.documents.delete(context));
    }
    panel.disposed.connect(() => {
      bars.dispose();
      close();
    });
    void context.ready.then(() => {
      // Also what was sent from under another name, or landed in a file that was moved since.
      const jobs = new Set<string>();
      for (const cell of context.model.cells) {
        const out = outOf(cell.id, noteIn(cell));
        if (out) {
          jobs.add(out.job);
        }
      }
      jobs.forEach(id => this.follow({ id, path: context.path }));
    });
  }

  /** Open notebooks that cells of this job are in, or that are the one it was sent from. */
  private openWith(job: string, path: string): OpenDocument[] {
    return [...this.documents.values()].filter(document => document.path === path || document.has(job));
  }
}
