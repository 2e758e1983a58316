/** A job's metrics as curves, beside those of other jobs. */
import { useQueries } from '@tanstack/react-query';
import { useEffect, useState, useSyncExternalStore } from 'react';

import { isOpen, type Workload, type WorkloadSummary } from '../../api/queries';
import { Failure, Skeleton } from '../parts';
import { useShell } from '../shell';
import { Chart, type Line } from './Chart';
import { Compare } from './Compare';
import { MetricFeed, readMetrics } from './metricFeed';
import { type Axis, MetricStore } from './metricStore';

/** Charts drawn before one asks for all. */
const FEW = 12;
const OTHERS_MS = 15_000;

export function Curves({ job, onScreen }: { job: Workload; onScreen: boolean }) {
  const { words, api, base, transport } = useShell();
  const [feed] = useState(
    () => new MetricFeed({ api, place: { base, transport }, id: job.id }, job.started, isOpen(job.phase))
  );
  useSyncExternalStore(feed.subscribe, () => feed.version);
  useEffect(() => {
    if (onScreen) {
      void feed.resume();
    }
    return feed.pause;
  }, [feed, onScreen]);
  const [axis, setAxis] = useState<Axis>('step');
  const [others, setOthers] = useState<WorkloadSummary[]>([]);
  const [all, setAll] = useState(false);
  const compared = useOthers(others);
  const { names } = feed.store;
  const lines = (name: string): Line[] => [
    { label: job.name, curve: feed.store.curve(name, axis) },
    ...others.map((other, at) => ({
      label: other.name,
      curve: compared[at]?.curve(name, axis) ?? { x: [], y: [] }
    }))
  ];
  return (
    <section className={names.length > 0 ? 'pk-curves' : 'pk-curves pk-none'} aria-label={words.__('Curves')}>
      <div className="pk-job-bar">
        <h2>{words.__('Curves')}</h2>
        {names.length > 0 && (
          <>
            <select
              aria-label={words.__('Drawn over')}
              value={axis}
              onChange={event => setAxis(event.target.value as Axis)}
            >
              <option value="step">{words.__('over steps')}</option>
              <option value="time">{words.__('over time')}</option>
            </select>
            <Compare job={job} others={others} onChange={setOthers} />
          </>
        )}
      </div>
      {feed.error && <Failure error={feed.error} retry={() => void feed.resume()} />}
      {names.length === 0 &&
        !feed.error &&
        (feed.loaded ? (
          <p className="pk-hint">
            {isOpen(job.phase)
              ? words.__('Values are drawn here as they are logged with')
              : words.__('It logged no values with')}{' '}
            <code>pumpkin.log_metrics(step=1, loss=0.5)</code>
          </p>
        ) : (
          <Skeleton lines={6} />
        ))}
      <div className="pk-charts">
        {names.slice(0, all ? undefined : FEW).map(name => (
          <Chart key={name} name={name} lines={lines(name)} axis={axis} group={job.id} />
        ))}
      </div>
      {names.length > FEW && !all && (
        <button type="button" className="pk-button" onClick={() => setAll(true)}>
          {words.__('Show all %1 curves', names.length)}
        </button>
      )}
    </section>
  );
}

/** The metrics of other jobs, in their order; looked at again while a job is on its way. */
function useOthers(others: WorkloadSummary[]): (MetricStore | undefined)[] {
  const { api } = useShell();
  return useQueries({
    queries: others.map(({ id, started, phase }) => ({
      queryKey: ['metrics', id],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        readMetrics(api, id, new MetricStore(started === null ? null : Date.parse(started)), signal),
      staleTime: OTHERS_MS,
      refetchInterval: isOpen(phase) ? OTHERS_MS : (false as const)
    }))
  }).map(({ data }) => data);
}
