/**
 * A table that is sorted by its titles and walked with the arrows: any view may use it. (The table of jobs is another
 * one, whose rows are selected and count seconds.)
 */
import { type KeyboardEvent, type ReactNode, useState } from 'react';

import { useShell } from '../shell';
import { type Order, ordered, pressed, type Value } from './order';

export interface Column<T> {
  key: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** What the column sorts by; without it, it does not. */
  value?: (row: T) => Value;
  /** Aligned like numbers. */
  numeric?: boolean;
  /** Left out where there is little room. */
  minor?: boolean;
}

interface Props<T> {
  /** What the table is of, for those who do not see it. */
  label: string;
  /** The first one names the row. */
  columns: Column<T>[];
  rows: T[];
  id: (row: T) => string;
  /** Enter and a click open a row. */
  onOpen?: (row: T) => void;
  /** The id of the row that is open. */
  opened?: string | null;
}

export function Table<T>({ label, columns, rows, id, onOpen, opened }: Props<T>) {
  const { language } = useShell();
  const [order, setOrder] = useState<Order | null>(null);
  const [at, setAt] = useState<string | null>(null);
  const shown = ordered(rows, order, columns.find(column => column.key === order?.column)?.value, language);
  const first = shown[0];
  // The Tab key leads to one row only, the arrows lead on.
  const tabbed = at !== null && shown.some(row => id(row) === at) ? at : first && id(first);
  return (
    <div className="pk-rows-box">
      <table className="pk-table pk-rows" aria-label={label}>
        <thead>
          <tr>
            {columns.map(column => (
              <Title key={column.key} column={column} order={order} onOrder={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={walk}>
          {shown.map(row => {
            const own = id(row);
            return (
              <tr
                key={own}
                tabIndex={own === tabbed ? 0 : -1}
                data-opens={onOpen !== undefined}
                aria-current={own === opened ? 'true' : undefined}
                onFocus={() => setAt(own)}
                onClick={event => {
                  if (!(event.target as HTMLElement).closest('button, a, input, select')) {
                    onOpen?.(row);
                  }
                }}
                onKeyDown={event => {
                  if (event.key === 'Enter' && event.target === event.currentTarget && onOpen) {
                    onOpen(row);
                    event.preventDefault();
                  }
                }}
              >
                {columns.map((column, place) => {
                  const Cell = place === 0 ? 'th' : 'td';
                  return (
                    <Cell key={column.key} scope={place === 0 ? 'row' : undefined} className={classOf(column)}>
                      {column.cell(row)}
                    </Cell>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

interface TitleProps<T> {
  column: Column<T>;
  order: Order | null;
  onOrder: (order: Order | null) => void;
}

function Title<T>({ column, order, onOrder }: TitleProps<T>) {
  const sorted = order?.column === column.key ? (order.down ? 'descending' : 'ascending') : undefined;
  return (
    <th scope="col" className={classOf(column)} aria-sort={sorted}>
      {column.value ? (
        <button type="button" onClick={() => onOrder(pressed(order, column.key))}>
          {column.title} {sorted && <span aria-hidden="true">{sorted === 'ascending' ? '▲' : '▼'}</span>}
        </button>
      ) : (
        column.title
      )}
    </th>
  );
}

function classOf<T>({ numeric, minor }: Column<T>): string | undefined {
  return [numeric && 'pk-num', minor && 'pk-minor'].filter(Boolean).join(' ') || undefined;
}

function walk(event: KeyboardEvent<HTMLTableSectionElement>): void {
  const row = event.target as HTMLElement;
  if (!row.matches('tr')) {
    return; // in a field or on a button of the row
  }
  const steps: Record<string, Element | null | undefined> = {
    ArrowDown: row.nextElementSibling,
    ArrowUp: row.previousElementSibling,
    Home: row.parentElement?.firstElementChild,
    End: row.parentElement?.lastElementChild
  };
  if (event.key in steps) {
    (steps[event.key] as HTMLElement | null | undefined)?.focus();
    event.preventDefault();
  }
}
