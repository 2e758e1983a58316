/** Small pieces of the views of assets. */
import { type KeyboardEvent, type ReactNode, useId, useState } from 'react';

import { Problem } from '../../api/client';
import { useShell, type Kind, type Words } from '../shell';

/** What a view of this kind is called. */
export function kindTitle(kind: Kind, words: Words): string {
  return { dataset: words.__('Datasets'), algorithm: words.__('Algorithms'), model: words.__('Models') }[kind];
}

/** A field with its label, a hint, and what the platform says against it; `children` gets what ties them together. */
export function Field({
  label,
  error,
  name,
  children,
  hint
}: {
  label: string;
  name: string;
  error?: Error | null;
  hint?: string;
  children: (tie: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode;
}) {
  const id = useId();
  const refused = refusalOf(error, name);
  const note = refused ?? hint;
  return (
    <div className="pk-asset-field">
      <label className="pk-asset-field-label" htmlFor={id}>
        {label}
      </label>
      {children({
        id,
        'aria-describedby': note === undefined ? undefined : `${id}-note`,
        'aria-invalid': refused === null ? undefined : true
      })}
      {note !== undefined && (
        <span
          id={`${id}-note`}
          className={refused === null ? 'pk-asset-field-hint' : 'pk-refusal'}
          role={refused === null ? undefined : 'alert'}
        >
          {note}
        </span>
      )}
    </div>
  );
}

/** What the platform says against a field, or against one of its items. */
function refusalOf(error: Error | null | undefined, name: string): string | null {
  const errors = error instanceof Problem ? error.errors : [];
  return errors.find(({ field }) => field.split('.')[0] === name)?.message ?? null;
}

/** What the platform says against something none of the form's `fields` is to blame for. */
export function Refusal({ error, fields = [] }: { error: Error | null; fields?: string[] }) {
  if (!error || fields.some(name => refusalOf(error, name) !== null)) {
    return null;
  }
  return (
    <p className="pk-refusal" role="alert">
      {error.message}
    </p>
  );
}

export interface Order<K extends string> {
  by: K;
  down: boolean;
}

/** The head of a column that sorts by it. */
export function SortHead<K extends string>({
  by,
  order,
  onOrder,
  numeric,
  children
}: {
  by: K;
  order: Order<K> | null;
  onOrder: (order: Order<K>) => void;
  numeric?: boolean;
  children: string;
}) {
  const sorted = order?.by === by ? order : null;
  return (
    <th
      scope="col"
      className={numeric ? 'pk-amount' : undefined}
      aria-sort={sorted ? (sorted.down ? 'descending' : 'ascending') : undefined}
    >
      <button type="button" className="pk-sort" onClick={() => onOrder({ by, down: sorted ? !sorted.down : false })}>
        {children}
        <span aria-hidden="true">{sorted ? (sorted.down ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </th>
  );
}

/** Sorts rows by a column, or leaves them in the platform's order. */
export function sorted<T, K extends string>(
  rows: T[],
  order: Order<K> | null,
  values: Record<K, (row: T) => string | number>,
  language: string
): T[] {
  if (!order) {
    return rows;
  }
  const value = values[order.by];
  const compare = new Intl.Collator(language, { numeric: true }).compare;
  const result = [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    return typeof x === 'number' && typeof y === 'number' ? x - y : compare(String(x), String(y));
  });
  return order.down ? result.reverse() : result;
}

/** Lets the arrow keys walk through the rows' buttons. */
export function walkRows(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || !(event.target as HTMLElement).matches('.pk-walk')) {
    return;
  }
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.pk-walk')];
  rows[rows.indexOf(event.target as HTMLElement) + step]?.focus();
  event.preventDefault();
}

/** The rest of a list that comes in pages. */
export function More({
  query
}: {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}) {
  const { words } = useShell();
  if (!query.hasNextPage) {
    return null;
  }
  return (
    <button
      type="button"
      className="pk-button pk-more"
      disabled={query.isFetchingNextPage}
      onClick={() => query.fetchNextPage()}
    >
      {query.isFetchingNextPage ? words.__('Loading…') : words.__('Show more')}
    </button>
  );
}

/** Runs one change at a time; what went wrong stays until the next try. */
export function useAct(): { busy: boolean; error: Error | null; act: (change: () => Promise<void>) => void } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const act = (change: () => Promise<void>): void => {
    setBusy(true);
    setError(null);
    change()
      .catch((caught: unknown) => setError(caught instanceof Error ? caught : new Error(String(caught))))
      .finally(() => setBusy(false));
  };
  return { busy, error, act };
}
