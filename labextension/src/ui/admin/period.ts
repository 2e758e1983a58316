/** Periods of time as people choose them: months as the ledger counts them (UTC), or days and times of their own zone. */

export interface Period {
  start?: string;
  end?: string;
}

/** The month `back` months before that of `now` (UTC), from its first moment to the next month's. */
export function monthOf(now: Date, back: number): Required<Period> {
  const first = (months: number): string =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back + months, 1)).toISOString();
  return { start: first(0), end: first(1) };
}

/** What a field of date and time holds, as the API takes it; undefined for none. */
export function momentOf(local: string): string | undefined {
  const time = Date.parse(local);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** The first moment of a day in one's own zone; with `next`, of the day after. */
export function dayOf(date: string, next = false): string | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date);
  if (!found) {
    return undefined;
  }
  const [year, month, day] = found.slice(1).map(Number) as [number, number, number];
  return new Date(year, month - 1, day + (next ? 1 : 0)).toISOString();
}

/** Returns an address with those of the parameters that say something. */
export function addressWith(path: string, parameters: Record<string, string | undefined>): string {
  const given = Object.entries(parameters).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return given.length > 0 ? `${path}?${new URLSearchParams(given).toString()}` : path;
}
