/** The list of jobs. */
import { keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';

import { answer } from '../../api/client';
import { isOpen, type WorkloadSummary, workloadsChanged } from '../../api/queries';
import { Empty, Loaded } from '../parts';
import { ReasonForm } from '../ReasonForm';
import { useShell } from '../shell';
import { useIntent } from './actions';
import { type Filter, JobFilters, NO_FILTER, phasesOf } from './JobFilters';
import { JobTable } from './JobTable';

const PAGE = 50;
const [LIVE_MS, CALM_MS] = [3000, 15_000];
/** Pages that are looked at again often: the newest jobs are what changes. */
const LIVE_PAGES = 3;

/** The caller's jobs, or everybody's, to filter and to act on many. */
export function JobList({ everything = false, creator = '' }: { everything?: boolean; creator?: string }) {
  const { words, open } = useShell();
  const [filter, setFilter] = useState<Filter>({ ...NO_FILTER, creator });
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const query = useJobs(useDeferredValue(filter), everything);
  const jobs = query.data?.pages.flatMap(page => page.items);
  const filtered = Object.values(filter).some(Boolean);
  const labels = [...new Set(jobs?.flatMap(job => job.labels))].sort();
  return (
    <div className="pk-jobs">
      <h1>{everything ? words.__("Everybody's jobs") : words.__('Jobs')}</h1>
      <div className="pk-jobs-bar">
        <JobFilters filter={filter} onChange={setFilter} labels={labels} everything={everything} />
        {!everything && (
          <>
            <button type="button" className="pk-button" onClick={() => open({ view: 'schedules' })}>
              {words.__('Schedules')}
            </button>
            <button type="button" className="pk-button pk-primary" onClick={() => open({ view: 'new-job' })}>
              {words.__('New job')}
            </button>
          </>
        )}
      </div>
      <Batch jobs={jobs ?? []} selected={selected} onSelect={setSelected} foreign={everything} />
      <Loaded query={{ ...query, data: jobs }} lines={10}>
        {items =>
          items.length === 0 ? (
            filtered ? (
              <Empty
                action={
                  <button type="button" className="pk-button" onClick={() => setFilter(NO_FILTER)}>
                    {words.__('Show all jobs')}
                  </button>
                }
              >
                {words.__('No job is like this.')}
              </Empty>
            ) : (
              <Empty>{words.__('Jobs run your code in the queue, on any spec.')}</Empty>
            )
          ) : (
            <JobTable jobs={items} selected={selected} onSelect={setSelected} owners={everything} />
          )
        }
      </Loaded>
      {query.hasNextPage && (
        <p>
          <button
            type="button"
            className="pk-button"
            disabled={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            {words.__('Show more')}
          </button>
        </p>
      )}
    </div>
  );
}

function useJobs(filter: Filter, everything: boolean) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['workloads', 'pages', filter, everything],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/workloads', {
          params: {
            query: {
              kind: 'job',
              q: filter.q.trim() || undefined,
              phase: phasesOf(filter.phase),
              workspace: filter.workspace || undefined,
              label: filter.label.trim() || undefined,
              creator: filter.creator.trim() || undefined,
              everything: everything || undefined,
              cursor: pageParam,
              limit: PAGE
            }
          },
          signal
        })
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: query => {
      const pages = query.state.data?.pages ?? [];
      const live = pages.length <= LIVE_PAGES && pages.some(page => page.items.some(job => isOpen(job.phase)));
      return live ? LIVE_MS : CALM_MS;
    }
  });
}

interface BatchProps {
  jobs: WorkloadSummary[];
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  /** Whether they are other people's, who are told why theirs is stopped. */
  foreign: boolean;
}

/** What one can do with those selected. */
function Batch({ jobs, selected, onSelect, foreign }: BatchProps) {
  const { api, words, confirm, announce } = useShell();
  const cache = useQueryClient();
  const intent = useIntent();
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const chosen = jobs.filter(job => selected.has(job.id));
  const open = chosen.filter(job => isOpen(job.phase) && job.target === 'run');
  if (chosen.length === 0) {
    return null;
  }
  const act = async (action: 'stop' | 'delete', ids: string[], reason = ''): Promise<void> => {
    setBusy(true);
    try {
      const { items } = await answer(
        api.POST('/workloads/batch', {
          body: { action, ids, reason },
          headers: intent.header(`${action} ${ids.join(' ')} ${reason}`)
        })
      );
      intent.done();
      const refused = items.filter(item => !item.done);
      onSelect(new Set(refused.map(item => item.id)));
      if (refused[0]) {
        const count = refused.length;
        const text = words._n('%1 job was refused', '%1 jobs were refused', count, count);
        announce(`${text}: ${refused[0].message}`, 'error');
      }
    } catch (error) {
      announce(error instanceof Error ? error.message : String(error), 'error');
    } finally {
      setBusy(false);
      await workloadsChanged(cache);
    }
  };
  const stopTitle = words._n('Stop %1 job?', 'Stop %1 jobs?', open.length, open.length);
  const stopLost = words.__('What they have computed and not saved is lost. Their logs and metrics are kept.');
  const stopAll = (reason?: string): Promise<void> =>
    act(
      'stop',
      open.map(job => job.id),
      reason
    );
  const stop = async (): Promise<void> => {
    if (foreign) {
      setAsking(true);
    } else if (await confirm(stopTitle, stopLost, words.__('Stop'))) {
      await stopAll();
    }
  };
  const remove = async (): Promise<void> => {
    const title = words._n('Delete %1 job?', 'Delete %1 jobs?', chosen.length, chosen.length);
    const lost = words.__('Their logs, metrics and events are lost. Models they made are kept.');
    if (await confirm(title, lost, words.__('Delete'))) {
      await act(
        'delete',
        chosen.map(job => job.id)
      );
    }
  };
  return (
    <div className="pk-jobs-bar" role="group" aria-label={words.__('Selected jobs')}>
      <span role="status">{words._n('%1 job selected', '%1 jobs selected', chosen.length, chosen.length)}</span>
      <button type="button" className="pk-button" disabled={busy || open.length === 0} onClick={() => void stop()}>
        {words.__('Stop')}
      </button>
      <button type="button" className="pk-button" disabled={busy} onClick={() => void remove()}>
        {words.__('Delete')}
      </button>
      <button type="button" className="pk-button" onClick={() => onSelect(new Set())}>
        {words.__('Select none')}
      </button>
      {asking && open.length > 0 && (
        <ReasonForm
          title={stopTitle}
          lost={stopLost}
          verb={words.__('Stop')}
          act={stopAll}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}
