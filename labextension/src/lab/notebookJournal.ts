/**
 * What was sent, from the moment the job is made until its notebook is saved with that noted in it: whoever closes the
 * tab in between still gets the results.
 */
import type { Out } from '../ui/notebook/document';

const PREFIX = 'pumpkin:sent:';

export function keepSent(job: string, notes: ReadonlyMap<string, Out>): void {
  try {
    localStorage.setItem(PREFIX + job, JSON.stringify([...notes]));
  } catch {
    // A full storage: the notebook is saved in a moment all the same.
  }
}

export function sentOf(job: string): ReadonlyMap<string, Out> | null {
  const kept = localStorage.getItem(PREFIX + job);
  return kept === null ? null : new Map(JSON.parse(kept) as [string, Out][]);
}

export function dropSent(job: string): void {
  localStorage.removeItem(PREFIX + job);
}
