/** What a row says of a job, in a few signs. */
import type { Schemas } from '../../api/client';
import { duration, number, ordinal } from '../format';
import { roughly } from '../submit/specs';
import { isOpen } from '../../api/queries';
import type { Words } from '../shell';

export type JobGlance = Schemas['JobGlance'];

/** The newest values between the least and the greatest of them, for a small curve. */
export function shares(values: number[]): [number, number][] {
  const [least, greatest] = [Math.min(...values), Math.max(...values)];
  const span = greatest - least;
  return values.map((value, at) => [at, span > 0 ? (value - least) / span : 0.5]);
}

/** The last value of the main metric; an accuracy as percent. */
export function metricValue({ metric, values }: JobGlance, language: string): string {
  const last = values.at(-1);
  if (last === undefined) {
    return '';
  }
  const whole = /acc/i.test(metric) && last >= 0 && last <= 1;
  return whole ? `${number(Math.round(last * 1000) / 10, language)} %` : number(last, language);
}

/** How far a job is, told in what is known of it best; "" for one that has ended without a metric. */
export function progress(job: JobGlance, words: Words, language: string, now: number): string {
  switch (job.phase) {
    case 'queued': {
      if (!job.forecast) {
        return words.__('queued');
      }
      const place = ordinal(job.forecast.position, language, words);
      return job.forecast.p50_seconds == null ? place : `${place} · ~${roughly(job.forecast.p50_seconds)}`;
    }
    case 'preparing':
      return words.__('preparing');
    case 'stopping':
      return words.__('stopping');
    case 'running': {
      const nodes = job.replicas > 1 ? words.__('%1/%2 nodes', job.running, job.replicas) : '';
      return (
        (job.running < job.replicas ? nodes : metricValue(job, language) || nodes) ||
        (job.started ? duration((now - Date.parse(job.started)) / 1000) : '')
      );
    }
    default:
      return metricValue(job, language);
  }
}

/** What is said when one points at a row. */
export function explained(job: JobGlance, words: Words, language: string): string {
  const said = [job.name];
  if (job.message) {
    said.push(job.message);
  }
  if (job.forecast) {
    const { position, p50_seconds, p90_seconds } = job.forecast;
    const ahead = position - 1;
    said.push(
      ahead === 0
        ? words.__('It is the next to start, once %1 is free.', job.spec)
        : words._n('It waits for %2: %1 is ahead of it.', 'It waits for %2: %1 are ahead of it.', ahead, job.spec)
    );
    said.push(
      p50_seconds == null || p90_seconds == null
        ? words.__('When is not known: nothing like it has waited before.')
        : words.__('Starts in about %1 (9 of 10 within %2).', roughly(p50_seconds), roughly(p90_seconds))
    );
  }
  if (job.metric) {
    said.push(`${job.metric}: ${number(job.values.at(-1) ?? NaN, language)}`);
  }
  if (job.started && isOpen(job.phase) && job.replicas > 1) {
    said.push(words.__('%1 of %2 replicas run.', job.running, job.replicas));
  }
  return said.join('\n');
}
