/** From a notebook to what a job is sent, and what is noted in its cells. */
import { joined, type NotebookCell, type NotebookDocument, type Out, without } from './document';
import { outputsHash, sourceHash } from './merge';

/** Ids of code cells that have something in them, in the document's order. */
export function runnable(cells: readonly NotebookCell[]): string[] {
  return cells.flatMap(cell =>
    cell.cell_type === 'code' && cell.id !== undefined && joined(cell.source).trim() !== '' ? [cell.id] : []
  );
}

/** The document without outputs and without what earlier jobs have noted. */
export function bare(document: NotebookDocument): NotebookDocument {
  const cells = document.cells.map(cell => {
    const plain = { ...cell, metadata: without(cell.metadata ?? {}, 'pumpkin') };
    return cell.cell_type === 'code' ? { ...plain, outputs: [], execution_count: null } : plain;
  });
  return { ...document, cells };
}

/** What is noted in each cell sent, as it was at that moment. */
export function notesOf(
  document: NotebookDocument,
  sent: readonly string[],
  job: { id: string; name: string }
): Map<string, Out> {
  const wanted = new Set(sent);
  const notes = new Map<string, Out>();
  for (const { id, source, outputs = [] } of document.cells) {
    if (id !== undefined && wanted.has(id)) {
      notes.set(id, {
        job: job.id,
        name: job.name,
        cell: id,
        source: sourceHash(source),
        outputs: outputsHash(outputs),
        revision: 0,
        state: 'waiting',
        shown: 0
      });
    }
  }
  return notes;
}
