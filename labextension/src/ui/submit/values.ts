/** Values as a form holds them: text that may be unfinished, and what it means. */

export interface EnvRow {
  name: string;
  value: string;
}

export type Unit = 's' | 'min' | 'h' | 'd';
export const SECONDS: Record<Unit, number> = { s: 1, min: 60, h: 3600, d: 86400 };

/** A length of time as typed. */
export interface Span {
  amount: string;
  unit: Unit;
}

/** Reads a number; undefined for anything else. `whole` takes integers only. */
export function readNumber(text: string, whole: boolean): number | undefined {
  const form = whole ? /^[-+]?\d+$/ : /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
  return form.test(text.trim()) ? Number(text) : undefined;
}

/** Seconds in the largest unit that keeps them whole: 5400 → 90 min. */
export function toSpan(seconds: number | null): Span {
  if (seconds === null) {
    return { amount: '', unit: 'h' };
  }
  const unit = (['d', 'h', 'min'] as const).find(name => seconds >= SECONDS[name] && seconds % SECONDS[name] === 0);
  return unit ? { amount: String(seconds / SECONDS[unit]), unit } : { amount: String(seconds), unit: 's' };
}

/** The reverse, in whole seconds; null for none, undefined for what is no number. */
export function fromSpan({ amount, unit }: Span): number | null | undefined {
  if (!amount.trim()) {
    return null;
  }
  const value = readNumber(amount, false);
  return value === undefined ? undefined : Math.round(value * SECONDS[unit]);
}

/** Micro-units of money as plain text, exactly: 1500000 → "1.5". */
export function toAmount(micro: number | null): string {
  if (micro === null) {
    return '';
  }
  const rest = String(micro % 1_000_000).padStart(6, '0');
  return `${Math.floor(micro / 1_000_000)}.${rest}`.replace(/\.?0+$/, '') || '0';
}

/** The reverse; null for none, undefined for what is no amount. */
export function fromAmount(text: string): number | null | undefined {
  if (!text.trim()) {
    return null;
  }
  const found = /^(\d+)(?:[.,](\d{0,6}))?$/.exec(text.trim());
  return found ? Number(found[1]) * 1_000_000 + Number((found[2] ?? '').padEnd(6, '0')) : undefined;
}

/** Rows of `NAME=value`, as a `.env` file or a shell has them; null when the text is something else. */
export function parseEnv(text: string): EnvRow[] | null {
  const rows: EnvRow[] = [];
  for (const line of text.split('\n').map(each => each.trim())) {
    if (!line || line.startsWith('#')) {
      continue;
    }
    const found = /^(?:export\s+)?([A-Za-z_]\w*)=(.*)$/.exec(line);
    if (!found) {
      return null;
    }
    const [, name = '', value = ''] = found;
    const quoted = /^(["'])(.*)\1$/.exec(value);
    rows.push({ name, value: quoted?.[2] ?? value });
  }
  return rows.length > 0 ? rows : null;
}

/** A mapping as rows. */
export function toRows(env: Record<string, string>): EnvRow[] {
  return Object.entries(env).map(([name, value]) => ({ name, value }));
}

/** Rows as a mapping; rows with nothing in them are left out. */
export function fromRows(rows: readonly EnvRow[]): {
  env: Record<string, string>;
  wrong?: { why: 'nameless' | 'twice'; name: string };
} {
  const entries = new Map<string, string>();
  let wrong: { why: 'nameless' | 'twice'; name: string } | undefined;
  for (const { name, value } of rows) {
    if (!name && !value) {
      continue;
    }
    if (!name || entries.has(name)) {
      wrong ??= { why: name ? 'twice' : 'nameless', name };
      continue;
    }
    entries.set(name, value);
  }
  return { env: Object.fromEntries(entries), wrong };
}

/** `a, b` as labels. */
export function parseLabels(text: string): string[] {
  return text
    .split(',')
    .map(label => label.trim())
    .filter(Boolean);
}

/** A reference taken apart: `workspace/name@3`. A workspace may be an e-mail address. */
export function parseReference(text: string): { base: string; workspace: string; name: string; version: string } {
  const slash = text.lastIndexOf('/');
  const [name = '', version = ''] = text.slice(slash + 1).split('@');
  return { base: text.slice(0, slash + 1) + name, workspace: text.slice(0, Math.max(slash, 0)), name, version };
}
