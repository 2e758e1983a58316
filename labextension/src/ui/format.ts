/** Numbers, times and money as people read them. */
import type { Words } from './shell';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** 1536 → "1.5 KiB". */
export function bytes(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${UNITS[unit] ?? ''}`;
}

/** Seconds as the two largest units that matter: "1 h 04 m", "3 m 12 s", "12 s". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [d, h, m, s] = [
    Math.floor(whole / 86400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
    whole % 60
  ];
  const two = (value: number): string => String(value).padStart(2, '0');
  if (d > 0) {
    return `${d} d ${two(h)} h`;
  }
  if (h > 0) {
    return `${h} h ${two(m)} m`;
  }
  return m > 0 ? `${m} m ${two(s)} s` : `${s} s`;
}

/** "2 hours ago" in the user's language; the exact time belongs into the title. */
export function ago(time: string, language: string, now = Date.now()): string {
  const seconds = (Date.parse(time) - now) / 1000;
  const steps: [number, Intl.RelativeTimeFormatUnit][] = [
    [60, 'second'],
    [3600, 'minute'],
    [86400, 'hour'],
    [86400 * 30, 'day'],
    [86400 * 365, 'month'],
    [Infinity, 'year']
  ];
  const sizes = { second: 1, minute: 60, hour: 3600, day: 86400, month: 86400 * 30, year: 86400 * 365 };
  const [, unit] = steps.find(([limit]) => Math.abs(seconds) < limit) ?? [0, 'year' as const];
  const value = Math.round(seconds / sizes[unit as keyof typeof sizes]);
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' }).format(value, unit);
}

/** The exact time, in the user's zone. */
export function exactly(time: string, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(time));
}

/** Micro-units of money: 1500000 → "¥1.50". */
export function money(micro: number, currency: string): string {
  const digits = micro !== 0 && Math.abs(micro) < 10_000 ? 6 : 2;
  return `${micro < 0 ? '−' : ''}${currency}${(Math.abs(micro) / 1e6).toFixed(digits)}`;
}

/** A price per hour, "free" for none. */
export function price(micro: number, currency: string, words: Words): string {
  return micro === 0 ? words.__('free') : `${money(micro, currency)}/h`;
}

/** A number with at most four significant digits. */
export function number(value: number, language: string): string {
  return new Intl.NumberFormat(language, { maximumSignificantDigits: 4 }).format(value);
}

/** A spec's shape: "1 core · 2 GiB · 1 × A100". */
export function shape(
  spec: { cpu_milli: number; memory: number; accelerators: number; accelerator_type: string },
  words: Words
): string {
  const cores = spec.cpu_milli / 1000;
  const parts = [words._n('%1 core', '%1 cores', cores, cores), bytes(spec.memory)];
  if (spec.accelerators > 0) {
    parts.push(`${spec.accelerators} × ${spec.accelerator_type || 'GPU'}`);
  }
  return parts.join(' · ');
}

/** A place in a queue: "3rd". */
export function ordinal(place: number, language: string, words: Words): string {
  if (!language.startsWith('en')) {
    return words.__('number %1', place);
  }
  const rule = new Intl.PluralRules('en', { type: 'ordinal' }).select(place);
  return `${place}${{ one: 'st', two: 'nd', few: 'rd', other: 'th', zero: 'th', many: 'th' }[rule]}`;
}
