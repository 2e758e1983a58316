/** A month's spending as bars and shares: the pure part. Days are UTC, as the budget's months are. */
import type { Schemas } from '../../api/client';

type Item = Schemas['SpentDay'];

/** The first moments of the month that is `back` months before the one of `now`, and of the month after it. */
export function monthOf(now: Date, back: number): { start: string; end: string } {
  const at = (months: number): string =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + months, 1)).toISOString();
  return { start: at(-back), end: at(1 - back) };
}

export interface Day {
  /** `2026-11-24`. */
  day: string;
  cost: number;
}

/** Every day of a month, those without a cost too. */
export function daysOf(items: Item[], { start, end }: { start: string; end: string }): Day[] {
  const costs = new Map<string, number>();
  for (const { day, cost_micro } of items) {
    costs.set(day, (costs.get(day) ?? 0) + cost_micro);
  }
  const days: Day[] = [];
  for (let at = Date.parse(start); at < Date.parse(end); at += 86_400_000) {
    const day = new Date(at).toISOString().slice(0, 10);
    days.push({ day, cost: costs.get(day) ?? 0 });
  }
  return days;
}

/** What each member spent, the most first; storage, which nobody started, is `null`. */
export function membersOf(items: Item[]): { name: string | null; cost: number }[] {
  const costs = new Map<string | null, number>();
  for (const { kind, creator, cost_micro } of items) {
    const name = kind === 'storage' ? null : creator;
    costs.set(name, (costs.get(name) ?? 0) + cost_micro);
  }
  return [...costs].map(([name, cost]) => ({ name, cost })).sort((a, b) => b.cost - a.cost);
}

/** A round number of micro-units not below `most`, for the chart's upper line: 1, 2 or 5 times a power of ten. */
export function roundUp(most: number): number {
  if (most <= 0) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(most));
  return ([1, 2, 5].find(step => step * power >= most) ?? 10) * power;
}
