/** How long a job was in which phase, from its events. */
import type { Schemas } from '../../api/client';

export type JobEvent = Schemas['Event'];
type Phase = Schemas['Workload']['phase'];

export interface Segment {
  phase: Phase;
  attempt: number;
  from: number;
  /** null while it lasts. */
  to: number | null;
}

/** Which phase an event begins; those that begin none are only told in the list. */
const BEGINS: Record<string, Phase> = {
  queued: 'queued',
  retry: 'queued',
  placed: 'preparing',
  running: 'running',
  stop: 'stopping',
  ending: 'stopping',
  succeeded: 'succeeded',
  failed: 'failed',
  stopped: 'stopped'
};

/** Returns the phases in their order; the last one is where it stands, or how it ended (lasting no time). */
export function segments(events: JobEvent[]): Segment[] {
  const found: Segment[] = [];
  let attempt = 1;
  for (const event of [...events].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const phase = BEGINS[event.type];
    const last = found.at(-1);
    if (!phase || last?.phase === phase) {
      continue;
    }
    const time = Date.parse(event.time);
    if (last) {
      last.to = time;
    }
    if (event.type === 'retry') {
      attempt += 1;
    }
    found.push({ phase, attempt, from: time, to: null });
  }
  const end = found.at(-1);
  if (end && ['succeeded', 'failed', 'stopped'].includes(end.phase)) {
    end.to = end.from;
  }
  return found;
}

/** Adds events to those known, each once, oldest first. */
export function merged(known: JobEvent[], more: JobEvent[]): JobEvent[] {
  const all = new Map([...known, ...more].map(event => [event.id, event]));
  return [...all.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
