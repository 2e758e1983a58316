/** Everybody's money: what each workspace spent, a workspace's account, and the ledger behind both. */
import { useState } from 'react';

import { useShell } from '../shell';
import { Select } from '../assets/bits';
import { BillingLedger } from './BillingLedger';
import { BillingStatement } from './BillingStatement';
import { BillingTotals } from './BillingTotals';
import { dayOf, monthOf, type Period } from './period';

type Choice = 'this' | 'last' | 'all' | 'days';

export function Billing({ item = '' }: { item?: string }) {
  const { words } = useShell();
  const [choice, setChoice] = useState<Choice>('this');
  const [days, setDays] = useState({ from: '', to: '' });
  const [workspace, setWorkspace] = useState(item);
  const period = periodOf(choice, days);
  const choices: Record<Choice, string> = {
    this: words.__('This month'),
    last: words.__('Last month'),
    all: words.__('All time'),
    days: words.__('From day to day')
  };
  return (
    <>
      <header className="pk-page-head">
        <h1 className="pk-title">{words.__('Billing')}</h1>
      </header>
      <div className="pk-filters" role="search">
        <Select label={words.__('Period')} titles={choices} value={choice} onChoose={setChoice} />
        {choice === 'days' && (
          <>
            <input
              type="date"
              className="pk-asset-input"
              aria-label={words.__('From')}
              value={days.from}
              onChange={event => setDays({ ...days, from: event.target.value })}
            />
            <input
              type="date"
              className="pk-asset-input"
              aria-label={words.__('To, this day included')}
              value={days.to}
              onChange={event => setDays({ ...days, to: event.target.value })}
            />
          </>
        )}
        <input
          type="search"
          className="pk-asset-input pk-asset-search"
          aria-label={words.__('Workspace or user')}
          placeholder={words.__('Workspace or user')}
          value={workspace}
          onChange={event => setWorkspace(event.target.value)}
        />
      </div>
      {workspace.trim() === '' ? (
        <BillingTotals period={period} onWorkspace={setWorkspace} />
      ) : (
        <BillingStatement workspace={workspace.trim()} period={period} />
      )}
      <BillingLedger workspace={workspace.trim() || undefined} period={period} />
    </>
  );
}

function periodOf(choice: Choice, days: { from: string; to: string }): Period {
  switch (choice) {
    case 'this':
      return monthOf(new Date(), 0);
    case 'last':
      return monthOf(new Date(), 1);
    case 'all':
      return { start: '1970-01-01T00:00:00.000Z' };
    case 'days':
      return { start: dayOf(days.from) ?? '1970-01-01T00:00:00.000Z', end: dayOf(days.to, true) };
  }
}
