/** The order of the jobs shown. */
import type { WorkloadSummary } from '../../api/queries';

export type Column = 'name' | 'creator' | 'phase' | 'spec' | 'started' | 'duration' | 'cost';
export interface Order {
  column: Column;
  down: boolean;
}

/** Seconds a job has run, null before it started. */
export function ran(job: WorkloadSummary, now: number): number | null {
  return job.started === null
    ? null
    : ((job.finished ? Date.parse(job.finished) : now) - Date.parse(job.started)) / 1000;
}

/** Returns the jobs in order; null leaves the platform's, newest first. What is not known comes last either way. */
export function ordered(jobs: WorkloadSummary[], order: Order | null, now: number): WorkloadSummary[] {
  if (!order) {
    return jobs;
  }
  const key = (job: WorkloadSummary): string | number | null =>
    ({
      name: job.name,
      creator: job.creator,
      phase: `${job.phase} ${job.reason}`,
      spec: job.spec,
      started: job.started && Date.parse(job.started),
      duration: ran(job, now),
      cost: job.cost_micro
    })[order.column];
  return [...jobs].sort((a, b) => {
    const [left, right] = [key(a), key(b)];
    if (left === null || right === null) {
      return (left === null ? 1 : 0) - (right === null ? 1 : 0);
    }
    const sign = typeof left === 'string' ? left.localeCompare(String(right)) : left - Number(right);
    return order.down ? -sign : sign;
  });
}

/** Returns the order after a column's title was pressed: up, down, as it was. */
export function pressed(order: Order | null, column: Column): Order | null {
  if (order?.column !== column) {
    return { column, down: false };
  }
  return order.down ? null : { column, down: true };
}
