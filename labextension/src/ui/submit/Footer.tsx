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
  /** Goes to the first of them. */
  onWrong: () => void;
  onSubmit: () => void;
}

/** Stays in sight below the form. */
export function Footer({ draft, specs, estimate, problem, balance, submit, wrong, onWrong, onSubmit }: Props) {
  const { words, open } = useShell();
  const { made } = submit;
  const micro = priceOf(draft, specs, estimate);
  return (
    <div className="pk-form-foot">
      <div className="pk-estimate">
        <p role="status">
          {balance && micro !== undefined && costs(micro, estimate, balance, words)}
          {estimate && <span>{starts(estimate, words)}</span>}
        </p>
        <p role="status" className={submit.lost || problem ? 'pk-reason' : 'pk-hint'}>
          {submit.lost ? (
            words.__('The platform did not answer. What you typed is kept: submit it again, it is not made twice.')
          ) : problem ? (
            problem.message
          ) : wrong > 0 ? (
            <button type="button" className="pk-link" onClick={onWrong}>
              {words._n('%1 thing to change', '%1 things to change', wrong, wrong)}
            </button>
          ) : (
            made && (
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
            )
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
    </div>
  );
}

/** Per hour; from the specs while the platform has not said. */
function priceOf(
  draft: Draft,
  specs: readonly Schemas['Spec'][],
  estimate: Schemas['Estimate'] | undefined
): number | undefined {
  if (estimate) {
    return estimate.price_micro;
  }
  const runs = draft.distributed ? draft.roles : [draft.run];
  const prices = runs.map(run => {
    const spec = specs.find(each => each.name === run.spec);
    return spec && spec.price_micro * (Number(run.replicas) || 1);
  });
  return prices.reduce(
    (sum: number | undefined, each) => (sum === undefined || each === undefined ? undefined : sum + each),
    0
  );
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
