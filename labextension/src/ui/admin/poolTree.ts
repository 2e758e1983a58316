/** Pools below the pools that they are parts of. */
import type { Pool } from './queries';

export interface Placed {
  pool: Pool;
  /** How many pools it is a part of, one within the other. */
  depth: number;
}

/** Each pool followed by its parts. One whose parent is not among them stands by itself. */
export function inTrees(pools: Pool[]): Placed[] {
  const known = new Set(pools.map(({ name }) => name));
  const below = (parent: string, depth: number): Placed[] =>
    pools
      .filter(pool => (known.has(pool.parent) ? pool.parent : '') === parent)
      .flatMap(pool => [{ pool, depth }, ...below(pool.name, depth + 1)]);
  return below('', 0);
}
