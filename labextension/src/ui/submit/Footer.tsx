/** What it costs, when it starts, and the button. */
import type { Schemas } from '../../api/client';
import { money, price } from '../format';
import { useShell, type Words } from '../shell';
import type { Draft } from './draft';
import { roughly, waitOf, waitText } from './specs';
import type { Submit } from './submit';

interface Props {
  draft: Draft;
  specs: readonly Schemas['Spec'][];
  estimate: Schemas['Estimate'] | undefined;
  /** The platform does not answer, or cannot. */
  problem: Error | undefined;
  balance: Schemas['Balance'] | undefined;
  submit: Submit;
  wrong: number;
  onSubmit: () => void;
}

/** Stays in sight below the form. */
export function Footer({ draft, specs, estimate, problem, balance, submit, wrong, onSubmit }: Props) {
  const { words, open } = useShell();
  const { made } = submit;
  return (
    <footer className="pk-form-foot">
      <div className="pk-estimate">
        <p role="status">
          {balance && costs(priceOf(draft, specs, estimate), estimate, balance, words)}
          {estimate && <span>{starts(estimate, words)}</span>}
        </p>
        <p role="status" className={problem ? 'pk-reason' : 'pk-hint'}>
          {problem ? (
            words.__('%1 What you typed is kept.', problem.message)
          ) : made ? (
            <>
              {words.__('Submitted.')}{' '}
              <button
                type="button"
                className="pk-link"
                onClick={() => open({ view: 'job', id: made.id, name: made.name })}
              >
                {words.__('Open %1', made.name)}
              </button>
            </>
          ) : (
            wrong > 0 && words._n('%1 thing to change.', '%1 things to change.', wrong, wrong)
          )}
        </p>
      </div>
      <button
        type="button"
        className="pk-button pk-primary"
        title={words.__('Ctrl+Enter')}
        disabled={submit.pending}
        onClick={onSubmit}
      >
        {submit.pending ? words.__('Submitting') : made ? words.__('Submit another') : words.__('Submit')}
      </button>
    </footer>
  );
}

/** Per hour; from the specs while the platform has not said. */
function priceOf(draft: Draft, specs: readonly Schemas['Spec'][], estimate: Schemas['Estimate'] | undefined): number {
  if (estimate) {
    return estimate.price_micro;
  }
  const of = (spec: string, replicas: string): number =>
    (specs.find(each => each.name === spec)?.price_micro ?? 0) * (Number(replicas) || 1);
  return draft.distributed
    ? draft.roles.reduce((sum, role) => sum + of(role.spec, role.replicas), 0)
    : of(draft.run.spec, draft.run.replicas);
}

function costs(micro: number, estimate: Schemas['Estimate'] | undefined, balance: Schemas['Balance'], words: Words) {
  const { currency, workspace } = balance;
  const left = estimate?.balance_micro ?? balance.balance_micro;
  return (
    <>
      <strong>{price(micro, currency, words)}</strong>
      {micro > 0 && (
        <span>
          {words.__('%1 in %2 lasts %3', money(left, currency), workspace, roughly((Math.max(left, 0) / micro) * 3600))}
        </span>
      )}
    </>
  );
}

function starts(estimate: Schemas['Estimate'], words: Words): string {
  const wait = waitOf(estimate);
  return wait.now ? words.__('starts at once') : words.__('waits: %1', waitText(wait, words));
}
