/** A notebook as this code needs it (nbformat 4.5), and what a job notes in its cells. */

export type Lines = string | string[];

export interface Output {
  output_type: string;
  [key: string]: unknown;
}

export interface NotebookCell {
  id?: string;
  cell_type: string;
  source: Lines;
  metadata?: Record<string, unknown>;
  outputs?: Output[];
  execution_count?: number | null;
}

export interface NotebookDocument {
  cells: NotebookCell[];
  metadata: Record<string, unknown>;
  nbformat: number;
  nbformat_minor: number;
}

export type CellState = 'waiting' | 'running' | 'done' | 'failed' | 'skipped';

/** What a job has of one cell so far; `revision` grows with every change to any cell of the job. */
export interface CellResult {
  cell: string;
  revision: number;
  state: CellState;
  execution_count: number | null;
  outputs: Output[];
}

/** A result that could not go into its cell: that was edited, or run, after it was sent. `source` is a hash. */
export interface Beside {
  job: string;
  name: string;
  source: string;
  state: CellState;
  outputs: Output[];
  execution_count: number | null;
}

/** A cell that is out as a job. The hashes say what the cell was when it was sent, and what has landed in it since. */
export interface Out {
  job: string;
  /** The job's name. */
  name: string;
  /** The cell's id: a copy of the cell has its metadata too, but is not out. */
  cell: string;
  source: string;
  outputs: string;
  landed?: string;
  /** Of the newest thing its job has said of it. */
  revision: number;
  state: CellState;
  /** Of the newest result put into it or beside it. */
  shown: number;
}

/** `metadata.pumpkin` of a cell. */
export interface Note extends Partial<Out> {
  beside?: Beside;
}

export function joined(lines: Lines | undefined): string {
  return Array.isArray(lines) ? lines.join('') : (lines ?? '');
}

/** A copy that lacks a key. */
export function without<T extends object, K extends keyof T>(whole: T, key: K): Omit<T, K> {
  return Object.fromEntries(Object.entries(whole).filter(([name]) => name !== key)) as Omit<T, K>;
}

/** What a job has noted in a cell. */
export function noteOf(cell: Pick<NotebookCell, 'metadata'>): Note | undefined {
  const note = cell.metadata?.pumpkin;
  return typeof note === 'object' && note !== null ? note : undefined;
}

/** Whether the cell with this id is out as a job. */
export function outOf(id: string | undefined, note: Note | undefined): Out | undefined {
  const { job, name = '', cell, source, outputs, landed, revision = 0, state = 'waiting', shown = 0 } = note ?? {};
  if (job === undefined || source === undefined || outputs === undefined || cell === undefined || cell !== id) {
    return undefined;
  }
  return { job, name, cell, source, outputs, landed, revision, state, shown };
}
