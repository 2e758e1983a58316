/** Lines of the ledger, filtered; the CSV has the same ones. */
import { useDeferredValue, useState } from 'react';

import type { Schemas } from '../../api/client';
import { keptOn, kindName, KINDS } from '../account/Ledger';
import type { LedgerKind } from '../account/queries';
import { More } from '../assets/bits';
import { duration, exactly, money } from '../format';
import { Empty, Loaded } from '../parts';
import { useShell, type Words } from '../shell';
import { type Column, Table } from '../table/Table';
import { addressWith, type Period } from './period';
import { useCurrency, useLedgerLines } from './peopleQueries';

type Line = Schemas['LedgerLine'];

export function BillingLedger({ workspace, period }: { workspace?: string; period: Period }) {
  const { base, words } = useShell();
  const [kind, setKind] = useState<LedgerKind | ''>('');
  const [q, setQ] = useState('');
  const filter = useDeferredValue({ workspace, ...period, kind: kind || undefined, q: q.trim() || undefined });
  const query = useLedgerLines(filter);
  return (
    <section aria-label={words.__('Ledger')}>
      <header className="pk-page-head">
        <h2 className="pk-title">{words.__('Ledger')}</h2>
        <span className="pk-grow" />
        <a className="pk-link" href={addressWith(`${base}/billing/ledger/export`, filter)} download="ledger.csv">
          {words.__('Download as CSV')}
        </a>
      </header>
      <div className="pk-filters" role="search">
        <select
          className="pk-asset-input"
          aria-label={words.__('Which lines')}
          value={kind}
          onChange={event => setKind(event.target.value as LedgerKind | '')}
        >
          <option value="">{words.__('all lines')}</option>
          {KINDS.map(one => (
            <option key={one} value={one}>
              {kindName(one, words)}
            </option>
          ))}
        </select>
        <input
          type="search"
          className="pk-asset-input pk-asset-search"
          aria-label={words.__('Text in the reason, or who booked it')}
          placeholder={words.__('Reason or who booked it')}
          value={q}
          onChange={event => setQ(event.target.value)}
        />
      </div>
      <Loaded query={{ ...query, data: query.data?.pages.flatMap(page => page.items) }} lines={8}>
        {lines =>
          lines.length === 0 ? (
            <Empty>{words.__('The ledger has no such line.')}</Empty>
          ) : (
            <>
              <Lines lines={lines} />
              <More query={query} />
            </>
          )
        }
      </Loaded>
    </section>
  );
}

function Lines({ lines }: { lines: Line[] }) {
  const { words, language, open } = useShell();
  const currency = useCurrency();
  const columns: Column<Line>[] = [
    {
      key: 'time',
      title: words.__('Time'),
      value: line => line.id,
      cell: line => <time dateTime={line.time}>{exactly(line.time, language)}</time>
    },
    { key: 'workspace', title: words.__('Workspace'), value: line => line.workspace, cell: line => line.workspace },
    {
      key: 'kind',
      title: words.__('What'),
      value: line => kindName(line.kind, words),
      cell: line => kindName(line.kind, words)
    },
    {
      key: 'purpose',
      title: words.__('For'),
      value: line => purpose(line, language, words),
      cell: line => purpose(line, language, words)
    },
    {
      key: 'actor',
      title: words.__('Booked by'),
      minor: true,
      value: line => line.actor,
      cell: line => line.actor
    },
    {
      key: 'amount',
      title: words.__('Amount'),
      numeric: true,
      value: line => line.amount_micro,
      cell: line => `${line.amount_micro > 0 ? '+' : ''}${money(line.amount_micro, currency)}`
    }
  ];
  return (
    <Table
      label={words.__('Ledger')}
      columns={columns}
      rows={lines}
      id={line => line.id}
      onOpen={line => line.workload !== null && open({ view: 'job', id: line.workload, name: '' })}
    />
  );
}

/** What a line was for: the time a replica ran, or what a person wrote. */
function purpose(line: Line, language: string, words: Words): string {
  if (line.kind === 'storage') {
    return keptOn(line, language, words);
  }
  if (line.workload === null) {
    return line.note;
  }
  const ran = duration(Math.abs((line.end_ms ?? 0) - (line.start_ms ?? 0)) / 1000);
  return words.__('%1 of %2 on %3', ran, line.replica ?? line.workload, line.spec);
}
