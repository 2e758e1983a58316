import type { Query } from '../parts';

/** A query whose error is told once, at the head of the panel, as long as there is something to show. */
export function calm<T>({ data, error, refetch, dataUpdatedAt }: Query<T>): Query<T> {
  return { data, error: data === undefined ? error : null, refetch, dataUpdatedAt };
}
