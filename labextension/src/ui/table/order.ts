/** The order of a table's rows. */

export interface Order {
  column: string;
  down: boolean;
}

export type Value = string | number | null;

/** Returns the rows in order; null leaves the platform's. What has no value comes last either way. */
export function ordered<T>(
  rows: T[],
  order: Order | null,
  value: ((row: T) => Value) | undefined,
  language: string
): T[] {
  if (!order || !value) {
    return rows;
  }
  const compare = new Intl.Collator(language, { numeric: true }).compare;
  const keyed = rows.map(row => ({ row, key: value(row) }));
  keyed.sort(({ key: a }, { key: b }) => {
    if (a === null || b === null) {
      return (a === null ? 1 : 0) - (b === null ? 1 : 0);
    }
    const sign = typeof a === 'number' && typeof b === 'number' ? a - b : compare(String(a), String(b));
    return order.down ? -sign : sign;
  });
  return keyed.map(({ row }) => row);
}

/** Returns the order after a column's title was pressed: up, down, as it was. */
export function pressed(order: Order | null, column: string): Order | null {
  if (order?.column !== column) {
    return { column, down: false };
  }
  return order.down ? null : { column, down: true };
}
