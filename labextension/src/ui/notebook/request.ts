/** The request of a job that runs a notebook, as the dialog fills it in. */
import type { Schemas } from '../../api/client';
import type { Workload } from '../../api/queries';
import { slug } from '../submit/draft';
import { PLAIN } from '../submit/plain';
import type { NotebookDocument } from './document';
import type { Value } from './parameters';

export type Scope = 'all' | 'from' | 'cells';

/** A notebook at one moment, and which of its code cells each scope means. */
export interface Snapshot {
  document: NotebookDocument;
  cells: Record<Scope, string[]>;
}

/** What is asked for beside the notebook itself. */
export interface Choice {
  name: string;
  spec: string;
  workspace: string;
  environment: string;
  datasets: string[];
  algorithm: string;
  models: string[];
}

const KEY = 'pumpkin:notebook-job';

/** A job is called after its notebook unless it is named. */
export function nameOf(path: string): string {
  return slug(path.replace(/^.*\//, '').replace(/\.ipynb$/, '')) || 'notebook';
}

/** What the dialog begins with: what this notebook's server has, and what was used last. */
export function choiceFor(environment: string, server: Workload | undefined): Choice {
  return {
    name: '',
    spec: remembered(),
    // Their own needs no naming.
    workspace: server && server.workspace !== server.creator ? server.workspace : '',
    environment,
    datasets: server?.datasets ?? [],
    algorithm: server?.algorithm ?? '',
    models: server?.models ?? []
  };
}

export function requestOf(path: string, choice: Choice): Schemas['JobRequest'] {
  return {
    ...PLAIN,
    ...choice,
    name: choice.name.trim() || nameOf(path),
    workspace: choice.workspace || null,
    environment: choice.environment || null,
    algorithm: choice.algorithm || null,
    command: null,
    labels: [],
    notes: ''
  };
}

/** The run of a notebook: its cells (null: all of them) and the parameters that differ from those written in it. */
export function runOf(
  path: string,
  content: NotebookDocument,
  cells: string[] | null,
  parameters: Record<string, Value>
): Schemas['NotebookRun'] {
  return { path, content: { ...content }, cells, parameters };
}

/** The spec of the last notebook that was run as a job. */
function remembered(): string {
  return localStorage.getItem(KEY) ?? '';
}

export function remember(spec: string): void {
  localStorage.setItem(KEY, spec);
}
