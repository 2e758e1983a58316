/** Choosing a spec: the same row of cards for jobs and for notebooks. */
import { useId } from 'react';

import { price, shape } from '../format';
import { useShell } from '../shell';
import { useWaits } from './estimate';
import { inOrder, type Spec, suggest, type Wait, waitText } from './specs';

interface Props {
  kind: 'job' | 'notebook';
  /** Those the caller may use. */
  specs: readonly Spec[];
  /** Names of those that would start at once; undefined while that is not known. */
  free: ReadonlySet<string> | undefined;
  value: string;
  onChange: (spec: string) => void;
  /** What is known of the start with the chosen spec: it knows of replicas too. */
  wait?: Wait;
  /** Who pays; '' is the caller's own. */
  workspace: string;
  /** What the work needs at least, as the name of a spec. */
  need?: string;
  currency: string;
  invalid?: boolean;
  describedBy?: string;
}

/** A radio group of specs with their prices and waits; the first free one that would do is marked. */
export function SpecCards({
  kind,
  specs,
  free,
  value,
  onChange,
  wait,
  workspace,
  need,
  currency,
  invalid,
  describedBy
}: Props) {
  const { words } = useShell();
  const group = useId();
  const ordered = inOrder(specs);
  const taken = free ? ordered.map(spec => spec.name).filter(name => !free.has(name)) : [];
  const waits = useWaits(kind, taken, workspace);
  // One may be free, and yet not for so many replicas.
  const open = free && new Set([...free].filter(name => name !== value || wait?.now !== false));
  const suggested = open && suggest(specs, open, value && !open.has(value) ? value : (need ?? ''));
  return (
    <div
      role="radiogroup"
      aria-label={words.__('Spec')}
      aria-invalid={invalid}
      aria-describedby={describedBy}
      className="pk-specs"
    >
      {value && !specs.some(spec => spec.name === value) && <Missing name={value} group={group} />}
      {ordered.map(spec => {
        const known = waits.get(spec.name);
        const impossible = typeof known === 'string' ? known : undefined;
        const own = spec.name === value && wait && !wait.now ? wait : undefined;
        return (
          <label
            key={spec.name}
            className={impossible ? 'pk-spec pk-spec-closed' : 'pk-spec'}
            title={spec.description || undefined}
          >
            <input
              type="radio"
              name={group}
              value={spec.name}
              checked={spec.name === value}
              disabled={impossible !== undefined}
              onChange={() => onChange(spec.name)}
            />
            <span className="pk-spec-head">
              <strong>{spec.name}</strong>
              <span className="pk-fact">{price(spec.price_micro, currency, words)}</span>
            </span>
            <span className="pk-fact">{shape(spec, words)}</span>
            {typeof known === 'string' ? (
              <span className="pk-hint">{known}</span>
            ) : (
              <span className="pk-spec-state">
                <State free={free?.has(spec.name)} wait={own ?? known} />
                {spec.name === suggested && <span className="pk-badge">{words.__('suggested')}</span>}
              </span>
            )}
          </label>
        );
      })}
    </div>
  );
}

function State({ free, wait }: { free: boolean | undefined; wait: Wait | undefined }) {
  const { words } = useShell();
  if (free === undefined && !wait) {
    return <span className="pk-fact">&nbsp;</span>;
  }
  const now = wait ? wait.now : free;
  return (
    <span>
      <span className={`pk-sign ${now ? 'pk-succeeded' : 'pk-queued'}`} aria-hidden="true">
        {now ? '●' : '◔'}
      </span>{' '}
      {wait ? waitText(wait, words) : free ? words.__('free now') : words.__('taken: it would wait')}
    </span>
  );
}

/** A spec asked for that is not among those one may use; why is said beside the field. */
function Missing({ name, group }: { name: string; group: string }) {
  const { words } = useShell();
  return (
    <label className="pk-spec pk-spec-closed">
      <input type="radio" name={group} value={name} checked disabled readOnly />
      <span className="pk-spec-head">
        <strong>{name}</strong>
      </span>
      <span className="pk-fact">{words.__('not available')}</span>
    </label>
  );
}
