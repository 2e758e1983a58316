/** The bars below cells that are out as a job, or have a result beside them. */
import { ReactWidget } from '@jupyterlab/apputils';
import type { Cell, CodeCellModel } from '@jupyterlab/cells';
import type { Notebook, StaticNotebook } from '@jupyterlab/notebook';
import type { PanelLayout } from '@lumino/widgets';
import { QueryClientProvider } from '@tanstack/react-query';

import { CellBar } from '../ui/notebook/CellBar';
import { type Note, outOf } from '../ui/notebook/document';
import { outputsHash, resolved, settled, sourceHash, used } from '../ui/notebook/merge';
import { ShellProvider } from '../ui/shell';
import { isCode, noteIn, NOTE, outputsOf, putOutputs, setNote } from './notebookCells';
import type { IPumpkin } from './tokens';

/** The bars of one notebook: they come and go with what is noted in its cells. */
export class Bars {
  private readonly bars = new Map<Cell, Bar | undefined>();

  constructor(
    private readonly pumpkin: IPumpkin,
    notebook: Notebook
  ) {
    notebook.modelContentChanged.connect(changed => this.look(changed));
    notebook.modelChanged.connect(changed => this.look(changed));
    this.look(notebook);
  }

  dispose(): void {
    this.bars.clear();
  }

  /** Watches cells not seen before. */
  private look(notebook: StaticNotebook): void {
    for (const cell of notebook.widgets) {
      const { model } = cell;
      if (this.bars.has(cell) || !isCode(model)) {
        continue;
      }
      this.bars.set(cell, undefined);
      cell.disposed.connect(() => this.bars.delete(cell));
      model.metadataChanged.connect((_, { key }) => {
        if (key === NOTE) {
          this.show(cell, model);
        }
      });
      this.show(cell, model);
    }
  }

  private show(cell: Cell, model: CodeCellModel): void {
    const note = noteIn(model);
    const isShown = outOf(model.id, note) !== undefined || note?.beside !== undefined;
    const bar = this.bars.get(cell);
    if (bar && isShown) {
      bar.update();
    } else if (bar) {
      bar.dispose();
      this.bars.set(cell, undefined);
    } else if (isShown) {
      const made = new Bar(this.pumpkin, model);
      this.bars.set(cell, made);
      // A cell that was never in sight has no parts yet.
      void cell.ready.then(() => {
        if (!cell.isDisposed && !made.isDisposed) {
          (cell.layout as PanelLayout).addWidget(made);
        }
      });
    }
  }
}

class Bar extends ReactWidget {
  constructor(
    private readonly pumpkin: IPumpkin,
    private readonly cell: CodeCellModel
  ) {
    super();
    this.addClass('pk-cell-bar-host');
    cell.contentChanged.connect(this.changed);
  }

  override dispose(): void {
    if (!this.isDisposed) {
      this.cell.contentChanged.disconnect(this.changed);
    }
    super.dispose();
  }

  private readonly changed = (): void => this.update();

  protected override render() {
    const { cell } = this;
    const note: Note = noteIn(cell) ?? {};
    const { beside } = note;
    const source = cell.sharedModel.getSource();
    return (
      <ShellProvider value={this.pumpkin.shell}>
        <QueryClientProvider client={this.pumpkin.cache}>
          <CellBar
            cell={cell.id}
            out={outOf(cell.id, note)}
            beside={beside}
            source={source}
            isEdited={note.source !== undefined && sourceHash(source) !== note.source}
            outputs={() => outputsOf(cell)}
            onUse={() => {
              if (beside) {
                putOutputs(cell, beside.outputs, beside.execution_count);
                const left = used(note, beside);
                setNote(cell, left && { ...left, landed: outputsHash(outputsOf(cell)) });
              }
            }}
            onDiscard={() => setNote(cell, resolved(note))}
            onForget={() => setNote(cell, note.job === undefined ? note : settled(note, note.job))}
          />
        </QueryClientProvider>
      </ShellProvider>
    );
  }
}
