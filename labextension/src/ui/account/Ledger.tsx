/** A workspace's ledger: every line that moved its balance, and all of them as CSV. */
import { useState } from 'react';

import { type Schemas } from '../../api/client';
import { useBalance } from '../../api/queries';
import { More } from '../assets/bits';
import { bytes, duration, money } from '../format';
import { Ago, Empty, Loaded, Section } from '../parts';
import { useShell, type Words } from '../shell';
import { type LedgerKind, useLedger } from './queries';

type Line = Schemas['LedgerLine'];

export const KINDS: LedgerKind[] = ['charge', 'refund', 'storage', 'recharge', 'adjustment', 'opening'];

export function kindName(kind: LedgerKind, words: Words): string {
  return {
    charge: words.__('charge'),
    refund: words.__('given back'),
    storage: words.__('storage'),
    recharge: words.__('recharge'),
    adjustment: words.__('correction'),
    opening: words.__('opening balance')
  }[kind];
}

export function Ledger({ name }: { name: string }) {
  const { base, words } = useShell();
  const [kind, setKind] = useState<LedgerKind | ''>('');
  const query = useLedger(name, kind);
  const filter = new URLSearchParams({ workspace: name, ...(kind && { kind }) }).toString();
  return (
    <Section
      name="ledger"
      title={words.__('Ledger')}
      action={
        <>
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
          <a className="pk-link" href={`${base}/billing/ledger/export?${filter}`} download={`${name}-ledger.csv`}>
            {words.__('Download as CSV')}
          </a>
        </>
      }
    >
      <Loaded query={{ ...query, data: query.data?.pages.flatMap(page => page.items) }} lines={6}>
        {lines =>
          lines.length === 0 ? (
            <Empty>{words.__('Nothing has moved its balance yet.')}</Empty>
          ) : (
            <>
              <LedgerTable name={name} lines={lines} />
              <More query={query} />
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

function LedgerTable({ name, lines }: { name: string; lines: Line[] }) {
  const { words } = useShell();
  const { data: balance } = useBalance(name);
  const currency = balance?.currency ?? '';
  return (
    <table className="pk-asset-table pk-stacked" aria-label={words.__('Ledger')}>
      <thead>
        <tr>
          <th scope="col">{words.__('Time')}</th>
          <th scope="col">{words.__('What')}</th>
          <th scope="col">{words.__('For')}</th>
          <th scope="col" className="pk-amount">
            {words.__('Amount')}
          </th>
        </tr>
      </thead>
      <tbody>
        {lines.map(line => (
          <tr key={line.id}>
            <td>
              <Ago time={line.time} />
            </td>
            <td data-title={words.__('What')}>{kindName(line.kind, words)}</td>
            <td data-title={words.__('For')} className="pk-wrap">
              <Purpose line={line} />
            </td>
            <td data-title={words.__('Amount')} className="pk-amount">
              {line.amount_micro > 0 ? '+' : ''}
              {money(line.amount_micro, currency)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What a line of storage was for: "5 GiB kept on Nov 29, 2026". */
export function keptOn(line: Line, language: string, words: Words): string {
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }).format(line.start_ms ?? 0);
  return words.__('%1 kept on %2', bytes(line.bytes ?? 0), day);
}

/** What a line was for: the time a workload's replica ran, or what a person wrote. */
function Purpose({ line }: { line: Line }) {
  const { words, open, language } = useShell();
  const { workload } = line;
  if (line.kind === 'storage') {
    return <>{keptOn(line, language, words)}</>;
  }
  if (workload === null) {
    return <>{[line.note, line.actor && words.__('by %1', line.actor)].filter(Boolean).join(' · ')}</>;
  }
  const ran = Math.abs((line.end_ms ?? 0) - (line.start_ms ?? 0)) / 1000;
  return (
    <>
      <button type="button" className="pk-link" onClick={() => open({ view: 'job', id: workload, name: '' })}>
        {workload}
      </button>{' '}
      <span className="pk-fact">
        {line.replica} · {line.spec} · {duration(ran)}
      </span>
    </>
  );
}
