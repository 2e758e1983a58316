/**
 * Landing a job's results in the notebook they were sent from; pure, so that it can be proven.
 *
 * A result goes into its cell only while the cell is what was sent: the same source, and the outputs it had then or
 * those this job has put there itself. Otherwise somebody has worked on the cell meanwhile: nothing of theirs is touched
 * and the result is kept beside, for them to use or discard. Each cell remembers the newest revision it has seen, so
 * results may come twice and in any order.
 */
import { Sha256 } from '../../api/upload/sha256';
import {
  type Beside,
  type CellResult,
  joined,
  type Lines,
  type Note,
  type NotebookCell,
  type NotebookDocument,
  noteOf,
  type Out,
  type Output,
  outOf,
  without
} from './document';

const UTF8 = new TextEncoder();

/** The hash of a cell's source: of its UTF-8. */
export function sourceHash(source: Lines): string {
  return hash(joined(source));
}

/** The hash of outputs, the same however a file breaks their lines. */
export function outputsHash(outputs: readonly Output[]): string {
  return hash(JSON.stringify(sortedKeys(normal(outputs))));
}

/** Outputs in one form: lines joined, pieces of one stream joined, nothing that only a running kernel knows. */
export function normal(outputs: readonly Output[]): Output[] {
  const result: Output[] = [];
  for (const output of outputs) {
    const last = result.at(-1);
    if (output.output_type !== 'stream') {
      const rest = without(output, 'transient') as Output;
      result.push('data' in rest ? { ...rest, data: bundle(rest.data), metadata: rest.metadata ?? {} } : rest);
    } else if (last?.output_type === 'stream' && last.name === output.name) {
      last.text = joined(last.text as Lines) + joined(output.text as Lines);
    } else {
      result.push({ ...output, text: joined(output.text as Lines) });
    }
  }
  return result;
}

/** What is to be done with a cell for a result. */
export type Step =
  | { kind: 'none' }
  /** Only what is noted changes. */
  | { kind: 'note'; note: Note }
  | { kind: 'land'; note: Note; outputs: Output[]; execution_count: number | null };

/** A cell as it is now. */
export interface Now {
  id: string | undefined;
  source: Lines;
  outputs: readonly Output[];
  note: Note | undefined;
}

/** Decides what a result of `job` does to a cell. */
export function step(now: Now, job: string, result: CellResult): Step {
  const out = outOf(now.id, now.note);
  if (!out || out.job !== job || result.cell !== now.id) {
    return { kind: 'none' };
  }
  const { revision, state, execution_count } = result;
  const isNews = revision > out.revision;
  // A cell that waits has nothing to show: what an earlier attempt left in it stays until the next one gets there.
  const isShown = state === 'waiting' || state === 'skipped' || revision <= out.shown;
  if (isShown && !isNews) {
    return { kind: 'none' };
  }
  const seen: Note = isNews ? { ...now.note, revision, state } : { ...now.note };
  if (isShown) {
    return { kind: 'note', note: seen };
  }
  seen.shown = revision;
  const outputs = normal(result.outputs);
  if (isAsSent(now, out)) {
    const note: Note = { ...seen, landed: outputsHash(outputs) };
    if (note.beside?.job === job) {
      delete note.beside;
    }
    return { kind: 'land', note, outputs, execution_count };
  }
  const beside: Beside = { job, name: out.name, source: out.source, state, outputs, execution_count };
  return { kind: 'note', note: { ...seen, beside } };
}

/** Whether nobody but its job has changed a cell since it was sent. */
export function isAsSent(now: Pick<Now, 'source' | 'outputs'>, out: Out): boolean {
  if (sourceHash(now.source) !== out.source) {
    return false;
  }
  const present = outputsHash(now.outputs);
  return present === out.outputs || present === out.landed;
}

/** What is noted in a cell that is sent, or was sent and never noted; what it knows of this job already stands. */
export function withOut(note: Note | undefined, out: Out): Note {
  if (note?.job === out.job) {
    return note;
  }
  return note?.beside ? { ...out, beside: note.beside } : { ...out };
}

/** Notes in a document that is not open what was sent of it. */
export function noteInto(document: NotebookDocument, notes: ReadonlyMap<string, Out>): NotebookDocument {
  const cells = document.cells.map(cell => {
    const out = notes.get(cell.id ?? '');
    return out ? withNote(cell, withOut(noteOf(cell), out)) : cell;
  });
  return { ...document, cells };
}

/** What stays noted in a cell once its job has ended and all of it has landed; undefined for nothing. */
export function settled(note: Note | undefined, job: string): Note | undefined {
  if (note?.job !== job) {
    return note;
  }
  return note.beside && { beside: note.beside };
}

/** What stays noted once the result beside is used or discarded; undefined for nothing. */
export function resolved(note: Note | undefined): Note | undefined {
  const rest = without(note ?? {}, 'beside');
  return rest.job === undefined ? undefined : rest;
}

/** What stays noted when the result beside is put into its cell. */
export function used(note: Note, beside: Beside): Note | undefined {
  const rest = resolved(note);
  return rest && { ...rest, landed: outputsHash(beside.outputs) };
}

/**
 * Lands results in a document that is not open; with `ended`, what was noted for their landing goes. Returns the same
 * object when there is nothing to change.
 */
export function landInto(
  document: NotebookDocument,
  job: string,
  results: Iterable<CellResult>,
  ended = false
): NotebookDocument {
  const byCell = new Map<string, CellResult[]>();
  for (const result of results) {
    byCell.set(result.cell, [...(byCell.get(result.cell) ?? []), result]);
  }
  const cells = document.cells.map(before => {
    let cell = before;
    for (const result of byCell.get(before.id ?? '') ?? []) {
      cell = landed(cell, job, result);
    }
    const note = noteOf(cell);
    if (ended && note?.job === job) {
      cell = withNote(cell, settled(note, job));
    }
    return cell;
  });
  return cells.some((cell, at) => cell !== document.cells[at]) ? { ...document, cells } : document;
}

function landed(cell: NotebookCell, job: string, result: CellResult): NotebookCell {
  const now = { id: cell.id, source: cell.source, outputs: cell.outputs ?? [], note: noteOf(cell) };
  const next = step(now, job, result);
  switch (next.kind) {
    case 'none':
      return cell;
    case 'note':
      return withNote(cell, next.note);
    case 'land':
      return { ...withNote(cell, next.note), outputs: next.outputs, execution_count: next.execution_count };
  }
}

function withNote(cell: NotebookCell, note: Note | undefined): NotebookCell {
  const rest = without(cell.metadata ?? {}, 'pumpkin');
  return { ...cell, metadata: note === undefined ? rest : { ...rest, pumpkin: note } };
}

function hash(text: string): string {
  return new Sha256().update(UTF8.encode(text)).hex();
}

/** Lists of strings are lines, but in JSON they are what they are. */
function bundle(data: unknown): unknown {
  if (typeof data !== 'object' || data === null) {
    return {};
  }
  return Object.fromEntries(
    Object.entries(data).map(([type, value]: [string, unknown]) => {
      const lines = Array.isArray(value) && !/^application\/(.*\+)?json$/.test(type);
      return [type, lines ? value.join('') : value];
    })
  );
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sortedKeys);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, sortedKeys(each)]));
}
