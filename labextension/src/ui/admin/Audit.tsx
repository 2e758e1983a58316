/** Who did what, and which admin looked at whose data: the newest first, live. */
import { useDeferredValue, useId, useState } from 'react';

import type { Schemas } from '../../api/client';
import { More } from '../assets/bits';
import { exactly, money } from '../format';
import { Ago, Copyable, Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { type Column, Table } from '../table/Table';
import { Beside, Facts } from './Beside';
import { addressWith, momentOf } from './period';
import { type AuditFilter, useAudit, useCurrency } from './peopleQueries';

type Line = Schemas['AuditLine'];

interface Asked {
  q: string;
  actor: string;
  action: string;
  object: string;
  from: string;
  to: string;
}

const EVERYTHING: Asked = { q: '', actor: '', action: '', object: '', from: '', to: '' };

function filterOf({ q, actor, action, object, from, to }: Asked): AuditFilter {
  const said = (text: string): string | undefined => text.trim() || undefined;
  return {
    q: said(q),
    actor: said(actor),
    action: said(action),
    object: said(object),
    start: momentOf(from),
    end: momentOf(to)
  };
}

export function Audit({ item = '' }: { item?: string }) {
  const { base, words } = useShell();
  const [asked, setAsked] = useState<Asked>({ ...EVERYTHING, actor: item });
  const [live, setLive] = useState(true);
  const [looks, setLooks] = useState(true);
  const [opened, setOpened] = useState<Line | null>(null);
  const filter = useDeferredValue<AuditFilter>({ ...filterOf(asked), changes: looks ? undefined : true });
  const query = useAudit(filter, live);
  const lines = query.data?.pages.flatMap(page => page.items);
  const csv = addressWith(`${base}/accounts/audit/export`, { ...filter, changes: filter.changes && 'true' });
  return (
    <Beside
      detail={opened && { key: opened.id, title: opened.action, body: <One line={opened} /> }}
      onClose={() => setOpened(null)}
    >
      <header className="pk-page-head">
        <h1 className="pk-title">{words.__('Audit log')}</h1>
        <label className="pk-asset-check">
          <input type="checkbox" checked={live} onChange={event => setLive(event.target.checked)} />
          {words.__('live')}
        </label>
        <label className="pk-asset-check">
          <input type="checkbox" checked={looks} onChange={event => setLooks(event.target.checked)} />
          {words.__('looks of admins, too')}
        </label>
        <span className="pk-grow" />
        <a className="pk-link" href={csv} download="audit.csv">
          {words.__('Download as CSV')}
        </a>
      </header>
      <Filters asked={asked} onAsked={setAsked} lines={lines ?? []} />
      <Loaded query={{ ...query, data: lines }} lines={10}>
        {found =>
          found.length === 0 ? (
            <Empty
              action={
                <button type="button" className="pk-button" onClick={() => setAsked(EVERYTHING)}>
                  {words.__('Show all')}
                </button>
              }
            >
              {words.__('The audit log has no such line.')}
            </Empty>
          ) : (
            <>
              <Lines lines={found} opened={opened} onOpen={setOpened} />
              <More query={query} />
            </>
          )
        }
      </Loaded>
    </Beside>
  );
}

function Filters({ asked, onAsked, lines }: { asked: Asked; onAsked: (asked: Asked) => void; lines: Line[] }) {
  const { words } = useShell();
  const known = useId();
  const fields: [keyof Asked, string, 'search' | 'text' | 'datetime-local', string[]?][] = [
    ['q', words.__('Text anywhere'), 'search'],
    ['actor', words.__('Who'), 'text', lines.map(line => line.actor)],
    ['action', words.__('Action'), 'text', lines.map(line => line.action)],
    ['object', words.__('Object'), 'text', lines.map(line => line.object)],
    ['from', words.__('From'), 'datetime-local'],
    ['to', words.__('Before'), 'datetime-local']
  ];
  return (
    <div className="pk-filters pk-audit-filters" role="search">
      {fields.map(([name, title, type, offered]) => (
        <label key={name}>
          {type === 'datetime-local' && title}
          <input
            type={type}
            className="pk-asset-input"
            aria-label={title}
            placeholder={title}
            list={offered && `${known}-${name}`}
            value={asked[name]}
            onChange={event => onAsked({ ...asked, [name]: event.target.value })}
          />
          {offered && (
            <datalist id={`${known}-${name}`}>
              {[...new Set(offered.filter(Boolean))].sort().map(value => (
                <option key={value} value={value} />
              ))}
            </datalist>
          )}
        </label>
      ))}
    </div>
  );
}

interface LinesProps {
  lines: Line[];
  opened: Line | null;
  onOpen: (line: Line) => void;
}

function Lines({ lines, opened, onOpen }: LinesProps) {
  const { words } = useShell();
  const currency = useCurrency();
  const columns: Column<Line>[] = [
    {
      key: 'time',
      title: words.__('Time'),
      value: line => line.id,
      cell: line => <Ago time={line.time} />
    },
    { key: 'actor', title: words.__('Who'), value: line => line.actor, cell: line => line.actor },
    { key: 'action', title: words.__('Action'), value: line => line.action, cell: line => <code>{line.action}</code> },
    { key: 'object', title: words.__('Object'), value: line => line.object, cell: line => line.object },
    { key: 'owner', title: words.__('Owner'), minor: true, value: line => line.owner, cell: line => line.owner },
    {
      key: 'detail',
      title: words.__('Detail'),
      minor: true,
      cell: line => <span className="pk-one-line">{detailOf(line, currency)}</span>
    }
  ];
  return (
    <Table
      label={words.__('Audit log')}
      columns={opened ? columns.slice(0, -1) : columns}
      rows={lines}
      id={line => line.id}
      opened={opened?.id}
      onOpen={onOpen}
    />
  );
}

/** What the line says besides who, what and when, in a line. */
function detailOf({ detail }: Line, currency: string): string {
  return Object.entries(detail)
    .map(([name, value]) =>
      name.endsWith('_micro') && typeof value === 'number'
        ? `${name.slice(0, -'_micro'.length)}: ${money(value, currency)}`
        : `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`
    )
    .join(' · ');
}

function One({ line }: { line: Line }) {
  const { words, language } = useShell();
  return (
    <>
      <Facts
        facts={[
          [words.__('Time'), exactly(line.time, language)],
          [words.__('Who'), `${line.actor} (${line.kind})`],
          [words.__('Object'), line.object && <Copyable key="object" text={line.object} />],
          [words.__('Owner'), line.owner],
          [words.__('Answered'), line.status],
          [words.__('From the address'), line.address],
          [words.__('Line'), <Copyable key="id" text={line.id} />]
        ]}
      />
      {Object.keys(line.detail).length > 0 && (
        <pre className="pk-json" tabIndex={0} aria-label={words.__('Detail')}>
          {JSON.stringify(line.detail, null, 2)}
        </pre>
      )}
    </>
  );
}
