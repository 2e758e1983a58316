/** Which spec to take, and how long one would wait for it. */
import type { Schemas } from '../../api/client';
import type { Words } from '../shell';

export type Spec = Pick<
  Schemas['Spec'],
  'name' | 'description' | 'cpu_milli' | 'memory' | 'accelerators' | 'accelerator_type' | 'price_micro'
>;

/** When something would start. */
export interface Wait {
  now: boolean;
  ahead: number;
  p50?: number | null;
  p90?: number | null;
}

/** Cheapest first; of two with one price the smaller. */
export function inOrder<T extends Spec>(specs: readonly T[]): T[] {
  return [...specs].sort(
    (a, b) =>
      a.price_micro - b.price_micro ||
      a.accelerators - b.accelerators ||
      a.cpu_milli - b.cpu_milli ||
      a.memory - b.memory ||
      a.name.localeCompare(b.name)
  );
}

function covers(spec: Spec, needed: Spec): boolean {
  return (
    spec.cpu_milli >= needed.cpu_milli &&
    spec.memory >= needed.memory &&
    spec.accelerators >= needed.accelerators &&
    (needed.accelerators === 0 || spec.accelerator_type === needed.accelerator_type)
  );
}

/** The first free spec that would do for what `wanted` does; without a wish, the first free one. */
export function suggest(specs: readonly Spec[], free: ReadonlySet<string>, wanted: string): string | undefined {
  const needed = specs.find(spec => spec.name === wanted);
  return inOrder(specs).find(spec => free.has(spec.name) && (!needed || covers(spec, needed)))?.name;
}

/** What a form begins with: the first free spec; the cheapest where none is free, or that is not known yet. */
export function firstChoice(specs: readonly Spec[], free: ReadonlySet<string> | undefined): string {
  return (free && suggest(specs, free, '')) ?? inOrder(specs)[0]?.name ?? '';
}

/** What an estimate says of the start. */
export function waitOf(estimate: Schemas['Estimate']): Wait {
  const { position, p50_seconds: p50, p90_seconds: p90 } = estimate.forecast;
  return { now: estimate.starts_now, ahead: Math.max(position - 1, 0), p50, p90 };
}

/** Seconds the way one says a guess: "40 s", "25 min", "1 h 10 min", "3 d". */
export function roughly(seconds: number): string {
  if (seconds < 60) {
    return `${Math.max(1, Math.round(seconds))} s`;
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min`;
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  }
  return `${Math.round(hours / 24)} d`;
}

/** "2 ahead, about 25 min (90 %: 1 h 10 min)". */
export function waitText(wait: Wait, words: Words): string {
  if (wait.now) {
    return words.__('free now');
  }
  const place = wait.ahead === 0 ? words.__('next in line') : words.__('%1 ahead', wait.ahead);
  if (wait.p50 == null) {
    return place;
  }
  const about = words.__('%1, about %2', place, roughly(wait.p50));
  return wait.p90 == null ? about : words.__('%1 (90 %: %2)', about, roughly(wait.p90));
}
