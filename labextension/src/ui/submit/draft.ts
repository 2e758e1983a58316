/** A job's form as plain data, and the way between it and the API's JobRequest. */
import type { Schemas } from '../../api/client';
import type { JobDraft, Words } from '../shell';
import { joinWords, splitWords } from './shellwords';
import {
  type EnvRow,
  fromAmount,
  fromRows,
  fromSpan,
  parseLabels,
  parseReference,
  readNumber,
  type Span,
  toAmount,
  toRows,
  toSpan
} from './values';

type JobRequest = Schemas['JobRequest'];
type Role = Schemas['Role'];

/** What a replica runs; `shell` hands the text to `sh -c`, otherwise it is a list of words. */
export interface Run {
  command: string;
  shell: boolean;
  args: string;
  spec: string;
  replicas: string;
}

export interface RoleDraft extends Run {
  name: string;
  env: EnvRow[];
  minAvailable: string;
  main: boolean;
}

/** Everything the form holds. The short form's `run` and `roles` are both kept, so that changing over loses nothing. */
export interface Draft {
  name: string;
  workspace: string;
  environment: string;
  algorithm: string;
  datasets: string[];
  models: string[];
  run: Run;
  distributed: boolean;
  roles: RoleDraft[];
  output: string;
  env: EnvRow[];
  retries: string;
  backoff: string;
  deadline: Span;
  budget: string;
  priority: string;
  labels: string;
  notes: string;
}

/** What has to change before the job can be submitted; `missing` is not said before it is tried. */
export interface Wrong {
  field: string;
  message: string;
  missing?: boolean;
}

const RUN: Run = { command: '', shell: true, args: '', spec: '', replicas: '1' };

/** A form nobody has touched. */
export function blank(): Draft {
  return {
    name: '',
    workspace: '',
    environment: '',
    algorithm: '',
    datasets: [],
    models: [],
    run: RUN,
    distributed: false,
    roles: [],
    output: '',
    env: [],
    retries: '0',
    backoff: '5',
    deadline: toSpan(null),
    budget: '',
    priority: '0',
    labels: '',
    notes: ''
  };
}

/** The only role of a job that had none: it runs what the job ran. */
export function firstRole(run: Run): RoleDraft {
  return { ...run, name: 'main', env: [], minAvailable: '', main: true };
}

/** One more role, named so that no other is called the same. */
export function blankRole(roles: readonly RoleDraft[], spec = ''): RoleDraft {
  const taken = new Set(roles.map(role => role.name));
  const names = ['worker', ...Array.from({ length: 16 }, (_, at) => `worker-${at + 2}`)];
  const name = names.find(each => !taken.has(each)) ?? '';
  return { ...RUN, spec, name, env: [], minAvailable: '', main: false };
}

/** What is known before a job's form is opened. */
export function fromPreset(preset: Partial<JobDraft>): Draft {
  const draft = blank();
  const { name = '', command = '', spec = '', datasets = [], algorithm = '', models = [], environment = '' } = preset;
  return { ...draft, name, environment, algorithm, datasets, models, run: { ...draft.run, command, spec } };
}

/** A request as the form shows it. */
export function fromRequest(request: JobRequest): Draft {
  return {
    name: request.name,
    workspace: request.workspace ?? '',
    environment: request.environment ?? '',
    algorithm: request.algorithm ?? '',
    datasets: request.datasets,
    models: request.models,
    run: runOf(request),
    distributed: request.roles !== null,
    roles: (request.roles ?? []).map(role => ({
      ...runOf(role),
      name: role.name,
      env: toRows(role.env),
      minAvailable: role.min_available === null ? '' : String(role.min_available),
      main: role.is_main
    })),
    output: request.output?.model ?? '',
    env: toRows(request.env),
    retries: String(request.retries),
    backoff: String(request.backoff_seconds),
    deadline: toSpan(request.deadline_seconds),
    budget: toAmount(request.budget_micro),
    priority: String(request.priority),
    labels: request.labels.join(', '),
    notes: request.notes
  };
}

function runOf({ command, args, spec, replicas }: Pick<JobRequest, 'command' | 'args' | 'spec' | 'replicas'>): Run {
  return {
    command: Array.isArray(command) ? joinWords(command) : (command ?? ''),
    shell: !Array.isArray(command),
    args: joinWords(args),
    spec: spec ?? '',
    replicas: String(replicas)
  };
}

/** The request a form stands for, and what is wrong with it. What cannot be read has its default in the request. */
export function toRequest(draft: Draft, words: Words): { request: JobRequest; wrong: Wrong[] } {
  const reader = new Reader(words);
  const single = draft.distributed ? null : reader.run(draft.run, '');
  const roles = draft.distributed ? draft.roles.map((role, at) => reader.role(role, at)) : null;
  const request: JobRequest = {
    workspace: draft.workspace || null,
    environment: draft.environment || null,
    datasets: draft.datasets,
    algorithm: draft.algorithm || null,
    models: draft.models,
    name: draft.name.trim() || suggestedName(draft),
    spec: single?.spec ?? null,
    command: single?.command ?? null,
    args: single?.args ?? [],
    env: reader.env(draft.env, 'env'),
    replicas: single?.replicas ?? 1,
    roles,
    retries: reader.whole(draft.retries, 'retries') ?? 0,
    backoff_seconds: reader.number(draft.backoff, 'backoff_seconds') ?? 5,
    deadline_seconds: reader.known(fromSpan(draft.deadline), 'deadline_seconds'),
    budget_micro: reader.known(fromAmount(draft.budget), 'budget_micro'),
    priority: reader.whole(draft.priority, 'priority') ?? 0,
    output: draft.output.trim() ? { model: draft.output.trim() } : null,
    notebook: null,
    labels: parseLabels(draft.labels),
    notes: draft.notes
  };
  return { request, wrong: reader.wrong };
}

class Reader {
  readonly wrong: Wrong[] = [];

  constructor(private readonly words: Words) {}

  role(role: RoleDraft, at: number): Role {
    const path = `roles.${at}.`;
    if (!role.name) {
      this.wrong.push({ field: `${path}name`, message: this.words.__('Give the role a name.'), missing: true });
    }
    const { command, args, spec, replicas } = this.run(role, path);
    return {
      name: role.name,
      command: command ?? '',
      args,
      env: this.env(role.env, `${path}env`),
      spec: spec ?? '',
      replicas,
      min_available: this.whole(role.minAvailable, `${path}min_available`),
      is_main: role.main
    };
  }

  run(run: Run, path: string): Pick<JobRequest, 'command' | 'args' | 'spec' | 'replicas'> {
    let command: JobRequest['command'] = null;
    if (!run.command.trim()) {
      this.wrong.push({ field: `${path}command`, message: this.words.__('Say what to run.'), missing: true });
    } else {
      command = run.shell ? run.command : this.list(run.command, `${path}command`);
    }
    if (!run.spec) {
      this.wrong.push({ field: `${path}spec`, message: this.words.__('Choose a spec.'), missing: true });
    }
    return {
      command: command?.length ? command : null,
      args: this.list(run.args, `${path}args`),
      spec: run.spec || null,
      replicas: this.whole(run.replicas, `${path}replicas`) ?? 1
    };
  }

  env(rows: readonly EnvRow[], field: string): Record<string, string> {
    const { env, wrong } = fromRows(rows);
    if (wrong) {
      const message =
        wrong.why === 'twice' ? this.words.__('%1 is there twice.', wrong.name) : this.words.__('A value has no name.');
      this.wrong.push({ field, message });
    }
    return env;
  }

  whole(text: string, field: string): number | null {
    return text.trim() ? this.known(readNumber(text, true), field, this.words.__('Write a whole number.')) : null;
  }

  number(text: string, field: string): number | null {
    return text.trim() ? this.known(readNumber(text, false), field) : null;
  }

  known<T>(value: T | undefined, field: string, message = this.words.__('Write a number.')): T | null {
    if (value === undefined) {
      this.wrong.push({ field, message });
      return null;
    }
    return value;
  }

  private list(text: string, field: string): string[] {
    const list = splitWords(text);
    if (list === null) {
      this.wrong.push({ field, message: this.words.__('A quote is not closed.') });
    }
    return list ?? [];
  }
}

/** What a job is called that was given no name: after its code. */
export function suggestedName(draft: Draft): string {
  const run = draft.distributed ? (draft.roles.find(role => role.main) ?? draft.roles[0]) : draft.run;
  const script = /([\w.-]+)\.(?:py|sh|ipynb|jl|r)\b/i.exec(run?.command ?? '')?.[1];
  const source = parseReference(draft.algorithm).name || script || (run?.command.trim().split(/\s/)[0] ?? '');
  return slug(source) || 'job';
}

/** Text as a job may be called; '' when nothing of it is left. */
export function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/\.{2,}/g, '.')
    .slice(0, 63)
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
}

/** The request with stand-ins for what is not typed yet, so that its price and its start are told early; null if there
 * is no spec. */
export function forEstimate(request: JobRequest): JobRequest | null {
  if (request.roles === null) {
    return request.spec === null ? null : { ...request, command: request.command ?? 'true' };
  }
  if (request.roles.length === 0 || request.roles.some(role => !role.spec)) {
    return null;
  }
  const roles = request.roles.map((role, at) => ({
    ...role,
    name: role.name || `unnamed-${at}`,
    command: role.command.length > 0 ? role.command : 'true'
  }));
  return { ...request, roles };
}

/** The form's field a refusal is about, '' for the form as a whole: `job.command.str` → `command`. */
export function fieldOf(path: string): string {
  const parts = path.split('.');
  if (parts[0] === 'job') {
    parts.shift();
  }
  const [first = '', second, third] = parts;
  switch (first) {
    case 'datasets':
    case 'models':
      return second === undefined ? first : `${first}.${second}`;
    case 'roles':
      return [first, second, third].filter(part => part !== undefined).join('.');
    default:
      return first in FIELDS ? first : '';
  }
}

// Spelled out as a record, so that a field the schema gains cannot be forgotten here.
const FIELDS: Record<keyof JobRequest, true> = {
  workspace: true,
  environment: true,
  datasets: true,
  algorithm: true,
  models: true,
  name: true,
  spec: true,
  command: true,
  args: true,
  env: true,
  replicas: true,
  roles: true,
  retries: true,
  backoff_seconds: true,
  deadline_seconds: true,
  budget_micro: true,
  priority: true,
  output: true,
  notebook: true,
  labels: true,
  notes: true
};

/** Fields that are folded away under "More". */
const FOLDED = [
  'workspace',
  'env',
  'args',
  'replicas',
  'retries',
  'backoff_seconds',
  'deadline_seconds',
  'budget_micro',
  'priority',
  'labels',
  'notes'
];

/** Whether a field is one of those that are folded away. */
export function isFolded(field: string): boolean {
  return FOLDED.includes(field);
}

/** What is set of that which is folded away, in a few words each. */
export function foldedSummary(draft: Draft, words: Words): string {
  const untouched = blank();
  const variables = Object.keys(fromRows(draft.env).env).length;
  const labels = parseLabels(draft.labels).length;
  return [
    draft.workspace && words.__('in %1', draft.workspace),
    variables > 0 && words._n('%1 variable', '%1 variables', variables, variables),
    !draft.distributed && draft.run.args && words.__('arguments'),
    !draft.distributed && draft.run.replicas !== '1' && words.__('%1 replicas', draft.run.replicas),
    draft.distributed && words._n('%1 role', '%1 roles', draft.roles.length, draft.roles.length),
    draft.retries !== untouched.retries &&
      words._n('%1 retry', '%1 retries', Number(draft.retries) || 0, draft.retries),
    draft.deadline.amount && words.__('at most %1 %2 a try', draft.deadline.amount, draft.deadline.unit),
    draft.budget && words.__('a budget'),
    draft.priority !== untouched.priority && words.__('priority %1', draft.priority),
    labels > 0 && words._n('%1 label', '%1 labels', labels, labels),
    draft.notes && words.__('notes')
  ]
    .filter(Boolean)
    .join(' · ');
}
