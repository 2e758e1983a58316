/** Python that reads what is shown, ready to be pasted. */
import type { Kind } from '../shell';

export interface Where {
  kind: Kind;
  workspace: string;
  name: string;
  version: number;
  /** The chosen file; null for all of them. */
  path: string | null;
}

const FOLDERS = { dataset: 'datasets', algorithm: 'algorithms', model: 'models' } as const;

/** For a notebook: files are read from the platform itself, wherever the notebook runs. */
export function notebookCode({ kind, workspace, name, version, path }: Where): string {
  const reference = `${workspace}/${name}@${version}`;
  if (path === null) {
    const folder = text(name);
    const pull = `client.${FOLDERS[kind]}.pull(${text(reference)}, ${folder})`;
    return `import pumpkin\n\nwith pumpkin.Client() as client:\n    ${pull}`;
  }
  const reader = readerOf(path);
  const url = text(`pumpkin://${FOLDERS[kind]}/${reference}/${path}`);
  return reader
    ? `import pandas\n\ndata = pandas.${reader}(${url}${optionsOf(path)})`
    : `import fsspec\n\nwith fsspec.open(${url}) as file:\n    data = file.read()`;
}

/** For a job that has it among its inputs: files lie in a folder beside the job. */
export function jobCode({ kind, name, path }: Where): string {
  const folder = {
    dataset: `pumpkin.dataset(${text(name)})`,
    algorithm: 'pumpkin.algorithm()',
    model: `pumpkin.pretrained(${text(name)})`
  }[kind];
  if (path === null) {
    return `import pumpkin\n\nfolder = ${folder}`;
  }
  const reader = readerOf(path);
  const file = `${folder} / ${text(path)}`;
  return reader
    ? `import pandas\nimport pumpkin\n\ndata = pandas.${reader}(${file}${optionsOf(path)})`
    : `import pumpkin\n\ndata = (${file}).read_bytes()`;
}

function readerOf(path: string): string | null {
  const lower = path.toLowerCase();
  if (/\.(csv|tsv)(\.(gz|bz2|xz|zip))?$/.test(lower)) {
    return 'read_csv';
  }
  if (lower.endsWith('.parquet')) {
    return 'read_parquet';
  }
  return /\.(json|jsonl)$/.test(lower) ? 'read_json' : null;
}

function optionsOf(path: string): string {
  const lower = path.toLowerCase();
  if (lower.includes('.tsv')) {
    return ', sep="\\t"';
  }
  return lower.endsWith('.jsonl') ? ', lines=True' : '';
}

/** A Python string; JSON's escapes are Python's. */
function text(value: string): string {
  return JSON.stringify(value);
}
