/** One open notebook, as results are landed in it. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';

import type { CellResult, Out } from '../ui/notebook/document';
import { outputsHash, settled, step } from '../ui/notebook/merge';
import { isCode, noteIn, noteSent, nowOf, outputsOf, putOutputs, setNote } from './notebookCells';

type Context = NotebookPanel['context'];

/** What the Lab itself notes in a notebook as soon as it is opened. */
const OF_KERNEL: ReadonlySet<string> = new Set(['kernelspec', 'language_info']);

export class OpenDocument {
  /** Whether nothing that is not saved yet is the user's. */
  private isOurs = true;
  private isLanding = false;

  constructor(
    private readonly context: Context,
    private readonly contents: Contents.IManager
  ) {
    void context.ready.then(() => {
      let isOfKernel = false;
      // Each is told right before the change of content that it is.
      context.model.metadataChanged.connect((_, { key }) => {
        isOfKernel = OF_KERNEL.has(key);
      });
      context.model.contentChanged.connect(() => {
        this.isOurs &&= this.isLanding || isOfKernel;
        isOfKernel = false;
      });
      context.saveState.connect((_, state) => {
        this.isOurs ||= state === 'completed';
      });
    });
  }

  get path(): string {
    return this.context.path;
  }

  has(job: string): boolean {
    return this.context.isReady && [...this.context.model.cells].some(cell => noteIn(cell)?.job === job);
  }

  /** Takes over what another tab has saved meanwhile, unless something here would be lost. */
  async refresh(): Promise<void> {
    await this.context.ready;
    if (this.isOurs && (await this.isOld())) {
      await this.context.revert();
      this.isOurs = true;
    }
  }

  /** Notes what was sent from here before a tab was closed. */
  async adopt(notes: ReadonlyMap<string, Out>): Promise<void> {
    await this.context.ready;
    this.quietly(() => noteSent(this.context.model.cells, notes));
  }

  async land(job: string, results: ReadonlyMap<string, CellResult>): Promise<void> {
    await this.context.ready;
    this.quietly(() => {
      for (const cell of this.context.model.cells) {
        const result = results.get(cell.id);
        if (!result || !isCode(cell)) {
          continue;
        }
        const next = step(nowOf(cell), job, result);
        if (next.kind === 'land') {
          putOutputs(cell, next.outputs, next.execution_count);
          // What the document made of it is what will be compared.
          setNote(cell, { ...next.note, landed: outputsHash(outputsOf(cell)) });
        } else if (next.kind === 'note') {
          setNote(cell, next.note);
        }
      }
    });
  }

  /** The job has ended: nothing of it is to be waited for. Resolves with whether the file has it all. */
  async settle(job: string): Promise<boolean> {
    await this.context.ready;
    this.quietly(() => {
      for (const cell of this.context.model.cells) {
        const note = noteIn(cell);
        if (note?.job === job) {
          setNote(cell, settled(note, job));
        }
      }
    });
    const { model } = this.context;
    if (model.dirty && !model.readOnly && !(await this.isOld())) {
      await this.context.save();
    }
    return !model.dirty;
  }

  /** Whether the file was written by something else since it was read here. */
  private async isOld(): Promise<boolean> {
    const file = await this.contents.get(this.path, { content: false });
    return Date.parse(file.last_modified) > Date.parse(this.context.contentsModel?.last_modified ?? file.last_modified);
  }

  private quietly(change: () => void): void {
    this.isLanding = true;
    try {
      change();
    } finally {
      this.isLanding = false;
    }
  }
}
