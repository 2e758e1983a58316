/** How a version of an environment stands, in a sign and a word. */
import { useShell, type Words } from '../shell';
import type { Summary } from './queries';

const LOOKS: Record<Summary['state'], [sign: string, look: string]> = {
  queued: ['◔', 'queued'],
  building: ['◑', 'preparing'],
  ready: ['✓', 'succeeded'],
  failed: ['✗', 'failed'],
  deleted: ['■', 'stopped']
};

export function stateName(state: Summary['state'], words: Words): string {
  return {
    queued: words.__('waits to be built'),
    building: words.__('is built'),
    ready: words.__('ready'),
    failed: words.__('failed'),
    deleted: words.__('deleted')
  }[state];
}

/** A state as a sign whose colour and name say the same. */
export function StateSign({ state }: { state: Summary['state'] }) {
  const { words } = useShell();
  const [sign, look] = LOOKS[state];
  const name = stateName(state, words);
  return (
    <span className={`pk-sign pk-${look}`} role="img" aria-label={name} title={name}>
      {sign}
    </span>
  );
}
