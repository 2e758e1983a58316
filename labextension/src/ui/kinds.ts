/** What kinds of things are called. */
import type { Kind, Words } from './shell';

/** The title of all things of a kind. */
export function kindTitle(kind: Kind | 'environment', words: Words): string {
  return {
    dataset: words.__('Datasets'),
    algorithm: words.__('Algorithms'),
    model: words.__('Models'),
    environment: words.__('Environments')
  }[kind];
}
