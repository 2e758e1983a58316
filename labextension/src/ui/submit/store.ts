/** What outlives the form: what is typed (until it is submitted), the key of a submit, what was used last. */
import type { JobDraft } from '../shell';
import { blank, type Draft } from './draft';
import { newKey } from '../../api/key';

const LAST = 'pumpkin:last-job';
const INTENT = 'pumpkin:submit';

/** Where the draft of a form is kept: one for each thing a form can start from. */
export function draftKey(from: string | undefined, preset: Partial<JobDraft> | undefined): string {
  return `pumpkin:draft:${from ?? (preset ? JSON.stringify(preset) : '')}`;
}

function read(storage: Storage, key: string): unknown {
  try {
    return JSON.parse(storage.getItem(key) ?? 'null') as unknown;
  } catch {
    return null;
  }
}

function write(storage: Storage, key: string, value: unknown): void {
  try {
    storage.setItem(key, JSON.stringify(value));
  } catch {
    // A full storage must not keep anybody from typing.
  }
}

/** What was typed and not submitted, if anything. */
export function loadDraft(key: string): Draft | null {
  const kept = read(sessionStorage, key) as Partial<Draft> | null;
  return kept && { ...blank(), ...kept };
}

/** Keeps what is typed. */
export function keepDraft(key: string, draft: Draft): void {
  write(sessionStorage, key, draft);
}

/** Forgets what was typed: it is submitted, or not wanted. */
export function dropDraft(key: string): void {
  sessionStorage.removeItem(key);
}

interface Last {
  spec: string;
  workspace: string;
  environment: string;
}

/** The spec, workspace and environment of the last job submitted here. */
export function loadLast(): Last {
  const { spec = '', workspace = '', environment = '' } = (read(localStorage, LAST) ?? {}) as Partial<Last>;
  return { spec, workspace, environment };
}

/** Remembers what a job was submitted with. */
export function keepLast(draft: Draft): void {
  const last = loadLast();
  const { workspace, environment } = draft;
  write(localStorage, LAST, { spec: draft.distributed ? last.spec : draft.run.spec, workspace, environment });
}

interface Intent {
  body: string;
  key: string;
}

/**
 * The Idempotency-Key of submitting `body`: the same for the same body until it has succeeded, also after a reload, so
 * that an answer that got lost does not make a second job.
 */
export function intentKey(body: string): string {
  const kept = read(sessionStorage, INTENT) as Intent | null;
  if (kept?.body === body) {
    return kept.key;
  }
  const key = newKey();
  write(sessionStorage, INTENT, { body, key });
  return key;
}

/** The intent was carried out: the next submit is another one. */
export function intentDone(): void {
  sessionStorage.removeItem(INTENT);
}
