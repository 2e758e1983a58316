import type { Kind } from '../shell';

/** All the datasets, algorithms or models one may use; making a new one. */
export function AssetList({ kind }: { kind: Kind }) {
  return <h1>{kind}</h1>;
}
