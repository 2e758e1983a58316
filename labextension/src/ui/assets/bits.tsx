/** Small pieces of the views of assets. */
import { type KeyboardEvent, useState } from 'react';

import { useShell } from '../shell';

export { Field, Refusal } from '../field';

/** A box that searches by name. */
export function SearchBox({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const { words } = useShell();
  return (
    <input
      type="search"
      className="pk-asset-input pk-asset-search"
      aria-label={words.__('Search by name')}
      placeholder={words.__('Search')}
      value={value}
      onChange={event => onSearch(event.target.value)}
    />
  );
}

/** One of a few, each by its title. */
export function Select<K extends string>({
  label,
  titles,
  value,
  onChoose
}: {
  label: string;
  titles: Record<K, string>;
  value: K;
  onChoose: (value: K) => void;
}) {
  return (
    <select
      className="pk-asset-input"
      aria-label={label}
      value={value}
      onChange={event => onChoose(event.target.value as K)}
    >
      {Object.entries<string>(titles).map(([each, title]) => (
        <option key={each} value={each}>
          {title}
        </option>
      ))}
    </select>
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
