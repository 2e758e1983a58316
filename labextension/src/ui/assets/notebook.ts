/** A notebook as plain text: what was written in its cells, and what they printed. */

export interface Cell {
  type: 'code' | 'markdown' | 'raw';
  source: string;
  outputs: string[];
}

interface RawOutput {
  output_type?: string;
  text?: Lines;
  data?: Record<string, unknown>;
  traceback?: Lines;
  ename?: string;
  evalue?: string;
}

interface RawCell {
  cell_type?: string;
  source?: Lines;
  outputs?: RawOutput[];
}

type Lines = string | string[];

// Colours of tracebacks.

const ANSI = /\u001b\[[0-9;]*[A-Za-z]/g;

/** Parses an .ipynb of format 4; null for what is none. */
export function parseNotebook(text: string): Cell[] | null {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return null;
  }
  const cells = (document as { cells?: unknown } | null)?.cells;
  if (!Array.isArray(cells)) {
    return null;
  }
  return (cells as RawCell[]).map(cell => ({
    type: cell.cell_type === 'code' || cell.cell_type === 'markdown' ? cell.cell_type : 'raw',
    source: join(cell.source),
    outputs: Array.isArray(cell.outputs) ? cell.outputs.map(printed).filter(output => output !== '') : []
  }));
}

function printed(output: RawOutput): string {
  if (output.output_type === 'stream') {
    return join(output.text).replace(ANSI, '');
  }
  if (output.output_type === 'error') {
    const traceback = Array.isArray(output.traceback) ? output.traceback.join('\n') : join(output.traceback);
    return (traceback || `${output.ename ?? ''}: ${output.evalue ?? ''}`).replace(ANSI, '');
  }
  return join(output.data?.['text/plain'] as Lines | undefined).replace(ANSI, '');
}

function join(lines: Lines | undefined): string {
  if (Array.isArray(lines)) {
    return lines.join('');
  }
  return typeof lines === 'string' ? lines : '';
}
