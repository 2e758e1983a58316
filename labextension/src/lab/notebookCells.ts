/** Cells of an open notebook: what is noted in them, and putting outputs into them. */
import type { CodeCellModel, ICellModel } from '@jupyterlab/cells';
import type { IOutput } from '@jupyterlab/nbformat';

import type { Note, Out, Output } from '../ui/notebook/document';
import { type Now, withOut } from '../ui/notebook/merge';

/** The key of a cell's metadata. */
export const NOTE = 'pumpkin';

export function isCode(cell: ICellModel): cell is CodeCellModel {
  return cell.type === 'code';
}

export function noteIn(cell: ICellModel): Note | undefined {
  const note: unknown = cell.getMetadata(NOTE);
  return typeof note === 'object' && note !== null ? note : undefined;
}

export function setNote(cell: ICellModel, note: Note | undefined): void {
  if (note) {
    cell.setMetadata(NOTE, note);
  } else if (cell.getMetadata(NOTE) !== undefined) {
    cell.deleteMetadata(NOTE);
  }
}

/** Notes in cells that they are out; a result of an earlier job that is beside one stays. */
export function noteSent(cells: Iterable<ICellModel>, notes: ReadonlyMap<string, Out>): void {
  for (const cell of cells) {
    const out = notes.get(cell.id);
    if (out) {
      setNote(cell, withOut(noteIn(cell), out));
    }
  }
}

export function nowOf(cell: CodeCellModel): Now & { outputs: Output[] } {
  return { id: cell.id, source: cell.sharedModel.getSource(), outputs: outputsOf(cell), note: noteIn(cell) };
}

export function outputsOf(cell: CodeCellModel): Output[] {
  return cell.sharedModel.getOutputs();
}

/** Replaces the outputs from the first that differs on: what was shown before does not flicker. */
export function putOutputs(cell: CodeCellModel, outputs: Output[], count: number | null): void {
  const present = outputsOf(cell);
  const same = outputs.findIndex((output, at) => JSON.stringify(output) !== JSON.stringify(present[at]));
  const from = same < 0 ? outputs.length : same;
  if (from < present.length || from < outputs.length) {
    cell.sharedModel.updateOutputs(from, present.length, outputs.slice(from) as IOutput[]);
  }
  cell.executionCount = count;
}
