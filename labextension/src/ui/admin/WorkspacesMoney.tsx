/** What a workspace (a user's own one, too) has, and booking more; with a budget where that makes sense. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, Problem, type Schemas } from '../../api/client';
import { useBalance } from '../../api/queries';
import { Field, Refusal, useAct } from '../assets/bits';
import { duration, money, price } from '../format';
import { Loaded } from '../parts';
import { useShell } from '../shell';
import { microOf, plain } from './amount';
import { Facts } from './Beside';
import { BillingBook } from './BillingBook';
import { peopleChanged } from './peopleQueries';

type Balance = Schemas['Balance'];

export function WorkspacesMoney({ name }: { name: string }) {
  const { words, open } = useShell();
  return (
    <Loaded query={useBalance(name)} lines={4}>
      {balance => (
        <>
          <Facts
            facts={[
              [words.__('Balance'), money(balance.balance_micro - balance.accrued_micro, balance.currency)],
              [
                words.__('Spends now'),
                balance.burn_micro ? price(balance.burn_micro, balance.currency, words) : words.__('nothing')
              ],
              balance.seconds_left !== null && [words.__('Lasts'), duration(balance.seconds_left)],
              [words.__('This month'), money(balance.month_spent_micro, balance.currency)]
            ]}
          />
          <p>
            <button
              type="button"
              className="pk-link"
              onClick={() => open({ view: 'admin', section: 'billing', item: name })}
            >
              {words.__('Its ledger')}
            </button>
          </p>
          <Budget key={balance.revision} balance={balance} />
          <BillingBook workspace={name} currency={balance.currency} />
        </>
      )}
    </Loaded>
  );
}

function Budget({ balance }: { balance: Balance }) {
  const { api, words, announce } = useShell();
  const cache = useQueryClient();
  const { busy, error, act } = useAct();
  const [text, setText] = useState(balance.budget_micro === null ? '' : plain(balance.budget_micro));
  const save = async (): Promise<void> => {
    const budget = text.trim() === '' ? null : microOf(text);
    if (budget === null && text.trim() !== '') {
      const message = words.__('Write an amount such as 12.50, with at most six decimals.');
      throw new Problem(message, 422, 'invalid', 'budget_micro', [{ field: 'budget_micro', message }]);
    }
    await answer(
      api.PATCH('/billing/balances/{workspace}', {
        params: { path: { workspace: balance.workspace } },
        headers: { 'If-Match': `"${balance.revision}"` },
        body: { budget_micro: budget }
      })
    );
    await peopleChanged(cache);
    announce(words.__('The budget is saved.'), 'success');
  };
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('Budget')}
      onSubmit={event => {
        event.preventDefault();
        act(save);
      }}
    >
      <Field
        label={words.__('Budget per month in %1', balance.currency)}
        name="budget_micro"
        error={error}
        hint={words.__('Empty: no bound but the balance.')}
      >
        {tie => (
          <span className="pk-together">
            <input
              {...tie}
              className="pk-asset-input"
              inputMode="decimal"
              placeholder={words.__('none set')}
              value={text}
              onChange={event => setText(event.target.value)}
            />
            <button type="submit" className="pk-button" disabled={busy}>
              {words.__('Save budget')}
            </button>
          </span>
        )}
      </Field>
      <Refusal error={error} fields={['budget_micro']} />
    </form>
  );
}
