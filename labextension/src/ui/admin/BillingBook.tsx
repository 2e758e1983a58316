/** Books money: a recharge, or a correction up or down; both with a reason that stays in the ledger. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, Problem } from '../../api/client';
import { Field, Refusal, useAct } from '../assets/bits';
import { money } from '../format';
import { useIntent } from '../job/actions';
import { useShell } from '../shell';
import { microOf } from './amount';
import { peopleChanged } from './peopleQueries';

type Booking = 'recharge' | 'adjustment';

export function BillingBook({ workspace, currency }: { workspace: string; currency: string }) {
  const { api, words, announce } = useShell();
  const cache = useQueryClient();
  const intent = useIntent();
  const { busy, error, act } = useAct();
  const [kind, setKind] = useState<Booking>('recharge');
  const [text, setText] = useState('');
  const [note, setNote] = useState('');
  const book = async (): Promise<void> => {
    const amount = microOf(text);
    if (amount === null) {
      const message = words.__('Write an amount such as 12.50, with at most six decimals.');
      throw new Problem(message, 422, 'invalid', 'amount_micro', [{ field: 'amount_micro', message }]);
    }
    const body = { workspace, amount_micro: amount, note: note.trim(), reference: null };
    const headers = intent.header(JSON.stringify([kind, body]));
    await (kind === 'recharge'
      ? answer(api.POST('/billing/recharges', { body, headers }))
      : answer(api.POST('/billing/adjustments', { body, headers })));
    intent.done();
    setText('');
    setNote('');
    await peopleChanged(cache);
    announce(words.__('%1 is booked for %2.', money(amount, currency), workspace), 'success');
  };
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('Book money')}
      onSubmit={event => {
        event.preventDefault();
        act(book);
      }}
    >
      <div className="pk-asset-form-row">
        <Field label={words.__('What')} name="kind" error={null}>
          {tie => (
            <select
              {...tie}
              className="pk-asset-input"
              value={kind}
              onChange={event => setKind(event.target.value as Booking)}
            >
              <option value="recharge">{words.__('Recharge')}</option>
              <option value="adjustment">{words.__('Correction (±)')}</option>
            </select>
          )}
        </Field>
        <Field label={words.__('Amount in %1', currency)} name="amount_micro" error={error}>
          {tie => (
            <input
              {...tie}
              className="pk-asset-input"
              inputMode="decimal"
              autoComplete="off"
              required
              value={text}
              onChange={event => setText(event.target.value)}
            />
          )}
        </Field>
      </div>
      <Field label={words.__('Reason')} name="note" error={error} hint={words.__('It stays in the ledger.')}>
        {tie => (
          <input
            {...tie}
            className="pk-asset-input"
            maxLength={1000}
            required
            value={note}
            onChange={event => setNote(event.target.value)}
          />
        )}
      </Field>
      <Refusal error={error} fields={['amount_micro', 'note']} />
      <div className="pk-asset-form-end">
        <button type="submit" className="pk-button" disabled={busy || note.trim() === ''}>
          {words.__('Book')}
        </button>
      </div>
    </form>
  );
}
