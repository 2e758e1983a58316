/** The side panel: what runs, what waits, and what there is to work with. */
import { useDeferredValue, useState } from 'react';

import {
  isOpen,
  useAssets,
  useBalance,
  useEnvironments,
  useMe,
  useQueue,
  useWorkloads,
  type WorkloadSummary
} from '../../api/queries';
import { duration, money } from '../format';
import { Ago, Empty, Loaded, PhaseSign, reasonName, Section, useNow } from '../parts';
import { type Kind, useShell, type Words } from '../shell';

export function Panel() {
  const { words } = useShell();
  const [search, setSearch] = useState('');
  const q = useDeferredValue(search.trim());
  return (
    <div className="pk-panel">
      <div className="pk-panel-head">
        <Balance />
        <input
          type="search"
          className="pk-search"
          aria-label={words.__('Search jobs and data')}
          placeholder={words.__('Search')}
          value={search}
          onChange={event => setSearch(event.target.value)}
        />
      </div>
      <div
        className="pk-panel-body"
        onKeyDown={event => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            walk(event.currentTarget, event.key === 'ArrowDown' ? 1 : -1);
            event.preventDefault();
          }
        }}
      >
        <Jobs q={q} />
        <Assets kind="dataset" title={words.__('Datasets')} q={q} />
        <Assets kind="algorithm" title={words.__('Algorithms')} q={q} />
        <Assets kind="model" title={words.__('Models')} q={q} />
        <Environments q={q} />
      </div>
    </div>
  );
}

/** Moves the focus among the rows of a list. */
function walk(list: HTMLElement, step: number): void {
  const rows = [...list.querySelectorAll<HTMLElement>('.pk-row, .pk-section-title')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  rows[Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
}

function Balance() {
  const { words } = useShell();
  const { data: me } = useMe();
  const { data } = useBalance(me?.name);
  if (!me) {
    return <div className="pk-meter">&nbsp;</div>;
  }
  return (
    <div className="pk-meter">
      <span>{me.name}</span>
      {data && (
        <span
          title={
            data.seconds_left == null
              ? undefined
              : words.__('Lasts %1 at the present rate', duration(data.seconds_left))
          }
        >
          {money(data.balance_micro, data.currency)}
          {data.burn_micro > 0 && ` · ${money(data.burn_micro, data.currency)}/h`}
        </span>
      )}
    </div>
  );
}

function Jobs({ q }: { q: string }) {
  const { words, open } = useShell();
  const query = useWorkloads({ kind: 'job', q: q || undefined, limit: 20 });
  const { data: queue } = useQueue();
  const places = new Map(queue?.items.map(item => [item.id, item.forecast]));
  const actions = (
    <>
      <button type="button" className="pk-button" onClick={() => open({ view: 'jobs' })}>
        {words.__('All')}
      </button>
      <button type="button" className="pk-button" onClick={() => open({ view: 'new-job' })}>
        {words.__('New')}
      </button>
    </>
  );
  return (
    <Section name="jobs" title={words.__('Jobs')} count={counts(query.data?.items, words)} action={actions}>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>
              {q ? words.__('No job has this in its name.') : words.__('Jobs run your code in the queue, on any spec.')}
            </Empty>
          ) : (
            <ul className="pk-list">
              {items.map(job => (
                <li key={job.id}>
                  <button
                    type="button"
                    className="pk-row"
                    onClick={() => open({ view: 'job', id: job.id, name: job.name })}
                  >
                    <PhaseSign phase={job.phase} />
                    <span className="pk-name">{job.name}</span>
                    <span className="pk-fact">
                      <JobFact job={job} place={places.get(job.id)} />
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}

function counts(jobs: WorkloadSummary[] | undefined, words: Words): string {
  const running = jobs?.filter(job => isOpen(job.phase) && job.phase !== 'queued').length ?? 0;
  const queued = jobs?.filter(job => job.phase === 'queued').length ?? 0;
  return [running > 0 && words.__('%1 running', running), queued > 0 && words.__('%1 queued', queued)]
    .filter(Boolean)
    .join(' · ');
}

function JobFact({ job, place }: { job: WorkloadSummary; place?: { position: number; p50_seconds?: number | null } }) {
  const { words } = useShell();
  const now = useNow();
  if (job.phase === 'queued') {
    if (!place) {
      return words.__('queued');
    }
    const about = place.p50_seconds == null ? '' : ` · ~${duration(place.p50_seconds)}`;
    return `${words.__('place %1', place.position)}${about}`;
  }
  if (isOpen(job.phase)) {
    return job.started ? duration((now - Date.parse(job.started)) / 1000) : words.__('preparing');
  }
  return (
    <>
      {job.phase === 'failed' && <span className="pk-reason">{reasonName(job.reason, words)} </span>}
      <Ago time={job.finished ?? job.created} />
    </>
  );
}

function Assets({ kind, title, q }: { kind: Kind; title: string; q: string }) {
  const { words, open } = useShell();
  const query = useAssets(kind, q);
  const purposes: Record<Kind, string> = {
    dataset: words.__('Datasets are versions of folders that jobs and notebooks read.'),
    algorithm: words.__('Algorithms are versions of code that jobs run.'),
    model: words.__('Models are what jobs leave, with their history.')
  };
  const all = (
    <button type="button" className="pk-button" onClick={() => open({ view: 'assets', kind })}>
      {words.__('All')}
    </button>
  );
  return (
    <Section
      name={kind}
      title={title}
      count={query.data && `${query.data.items.length}${query.data.next ? '+' : ''}`}
      action={all}
    >
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{q ? words.__('Nothing has this in its name.') : purposes[kind]}</Empty>
          ) : (
            <ul className="pk-list">
              {items.map(item => (
                <li key={item.id}>
                  <button
                    type="button"
                    className="pk-row"
                    title={item.description || undefined}
                    onClick={() => open({ view: 'asset', kind, workspace: item.workspace, name: item.name })}
                  >
                    <span className="pk-name">{item.name}</span>
                    <span className="pk-fact">{item.latest ? `v${item.latest}` : words.__('empty')}</span>
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}

function Environments({ q }: { q: string }) {
  const { words } = useShell();
  const query = useEnvironments(q);
  return (
    <Section name="environments" title={words.__('Environments')} count={query.data && `${query.data.items.length}`}>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{words.__('Environments are locked Python packages for jobs and kernels.')}</Empty>
          ) : (
            <ul className="pk-list">
              {items.map(item => (
                <li key={item.id} className="pk-row" title={item.description || undefined}>
                  <span className="pk-name">{item.name}</span>
                  <span className="pk-fact">{item.latest ? `v${item.latest.number}` : ''}</span>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}
