/** The table of jobs: sorted by its titles, walked with the arrows. */
import { type KeyboardEvent, memo, useState } from 'react';

import { isOpen, useBalance, useMe, type WorkloadSummary } from '../../api/queries';
import { duration, money, price } from '../format';
import { Ago, PhaseSign, phaseName, reasonName, useNow } from '../parts';
import { useShell } from '../shell';
import { type Column, type Order, ordered, pressed, ran } from './jobOrder';

interface Props {
  jobs: WorkloadSummary[];
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  /** Whether it matters whose they are. */
  owners?: boolean;
}

export function JobTable({ jobs, selected, onSelect, owners = false }: Props) {
  const { words, open } = useShell();
  const [{ order, now }, setOrder] = useState<{ order: Order | null; now: number }>({ order: null, now: 0 });
  const [at, setAt] = useState<string | null>(null);
  const rows = ordered(jobs, order, now);
  const current = rows.some(job => job.id === at) ? at : rows[0]?.id;
  const columns: [Column, string, string?][] = [
    ['name', words.__('Name')],
    ...(owners ? [['creator', words.__('User')] as [Column, string]] : []),
    ['phase', words.__('Phase')],
    ['spec', words.__('Spec'), 'pk-wide-only'],
    ['started', words.__('Started')],
    ['duration', words.__('Duration'), 'pk-num'],
    ['cost', words.__('Cost'), 'pk-num']
  ];
  const chosen = rows.filter(job => selected.has(job.id)).length;
  const toggle = (id: string): void => {
    const next = new Set(selected);
    if (!next.delete(id)) {
      next.add(id);
    }
    onSelect(next);
  };
  const walk = (event: KeyboardEvent<HTMLTableSectionElement>): void => {
    const row = (event.target as HTMLElement).closest('tr');
    const job = rows.find(item => item.id === row?.dataset.id);
    const steps: Record<string, Element | null | undefined> = {
      ArrowDown: row?.nextElementSibling,
      ArrowUp: row?.previousElementSibling,
      Home: row?.parentElement?.firstElementChild,
      End: row?.parentElement?.lastElementChild
    };
    if (event.key in steps) {
      (steps[event.key] as HTMLElement | null | undefined)?.focus();
    } else if (event.key === 'Enter' && job) {
      open({ view: 'job', id: job.id, name: job.name });
    } else if (event.key === ' ' && job && event.target === row) {
      toggle(job.id);
    } else {
      return;
    }
    event.preventDefault();
  };
  return (
    <table className="pk-table">
      <thead>
        <tr>
          <th scope="col">
            <input
              type="checkbox"
              aria-label={words.__('Select all jobs shown')}
              checked={chosen === rows.length}
              ref={box => {
                if (box) {
                  box.indeterminate = chosen > 0 && chosen < rows.length;
                }
              }}
              onChange={() => onSelect(new Set(chosen === rows.length ? [] : rows.map(job => job.id)))}
            />
          </th>
          {columns.map(([column, title, className]) => {
            const sorted = order?.column === column ? (order.down ? 'descending' : 'ascending') : undefined;
            return (
              <th key={column} scope="col" className={className} aria-sort={sorted}>
                <button type="button" onClick={() => setOrder({ order: pressed(order, column), now: Date.now() })}>
                  {title} {sorted && <span aria-hidden="true">{sorted === 'ascending' ? '▲' : '▼'}</span>}
                </button>
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody onKeyDown={walk}>
        {rows.map(job => (
          <Row
            key={job.id}
            job={job}
            selected={selected.has(job.id)}
            tabbed={job.id === current}
            owners={owners}
            onToggle={toggle}
            onFocus={setAt}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  job: WorkloadSummary;
  selected: boolean;
  /** Whether the Tab key leads here: to one row only, the arrows lead on. */
  tabbed: boolean;
  owners: boolean;
  onToggle: (id: string) => void;
  onFocus: (id: string) => void;
}

const Row = memo(function Row({ job, selected, tabbed, owners, onToggle, onFocus }: RowProps) {
  const { words, open } = useShell();
  const show = (): void => open({ view: 'job', id: job.id, name: job.name });
  return (
    <tr
      data-id={job.id}
      data-selected={selected}
      tabIndex={tabbed ? 0 : -1}
      onFocus={() => onFocus(job.id)}
      onClick={event => {
        if (!(event.target instanceof HTMLInputElement)) {
          show();
        }
      }}
    >
      <td>
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={words.__('Select %1', job.name)}
          checked={selected}
          onChange={() => onToggle(job.id)}
        />
      </td>
      <th scope="row" className="pk-job-name" title={job.name}>
        {job.name}
        {job.labels.length > 0 && <span className="pk-fact"> {job.labels.join(', ')}</span>}
      </th>
      {owners && (
        <td>
          {job.creator}
          {job.workspace !== job.creator && <span className="pk-fact"> {job.workspace}</span>}
        </td>
      )}
      <td title={job.message || undefined}>
        <PhaseSign phase={job.phase} /> {phaseName(job.phase, words)}
        {job.phase !== 'succeeded' && job.reason && job.reason !== 'stopped_by_user' && (
          <span className="pk-fact"> {reasonName(job.reason, words)}</span>
        )}
      </td>
      <td className="pk-wide-only">{job.replicas > 1 ? `${job.replicas} × ${job.spec}` : job.spec}</td>
      <td className="pk-fact">{job.started ? <Ago time={job.started} /> : words.__('not yet')}</td>
      <td className="pk-num">{job.started && (isOpen(job.phase) ? <Ran job={job} /> : duration(ran(job, 0) ?? 0))}</td>
      <td className="pk-num">
        <Cost job={job} />
      </td>
    </tr>
  );
});

function Ran({ job }: { job: WorkloadSummary }) {
  const seconds = ran(job, useNow());
  return <>{seconds === null ? '' : duration(seconds)}</>;
}

function Cost({ job }: { job: WorkloadSummary }) {
  const { words } = useShell();
  const { data: me } = useMe();
  const { data } = useBalance(me?.name);
  const currency = data?.currency ?? '';
  if (job.price_micro === 0) {
    return <>{words.__('free')}</>;
  }
  return <span title={price(job.price_micro, currency, words)}>{money(job.cost_micro, currency)}</span>;
}
