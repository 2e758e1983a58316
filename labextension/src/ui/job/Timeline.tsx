/** How long the job was in which phase; unfolds everything that happened to it. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useId, useState } from 'react';

import { answer } from '../../api/client';
import { follow } from '../../api/follow';
import { isOpen, type Workload } from '../../api/queries';
import { duration, exactly } from '../format';
import { Ago, Failure, PhaseSign, phaseName, useNow } from '../parts';
import { useShell } from '../shell';
import { type JobEvent, merged, type Segment, segments } from './timeline';

export function Timeline({ job, onScreen }: { job: Workload; onScreen: boolean }) {
  const { words } = useShell();
  const [unfolded, setUnfolded] = useState(false);
  const { events, error, retry } = useEvents(job, unfolded && onScreen);
  const id = useId();
  const all = segments(events);
  const attempt = all.at(-1)?.attempt ?? 1;
  return (
    <section className="pk-timeline" aria-label={words.__('What happened')}>
      <div className="pk-timeline-head">
        <ol className="pk-segments">
          {attempt > 1 && (
            <li className="pk-segment">
              {words._n('%1 attempt before', '%1 attempts before', attempt - 1, attempt - 1)}
            </li>
          )}
          {all
            .filter(segment => segment.attempt === attempt)
            .map(segment => (
              <SegmentItem key={`${segment.phase}:${segment.from}`} segment={segment} />
            ))}
        </ol>
        <button
          type="button"
          className="pk-button"
          aria-expanded={unfolded}
          aria-controls={id}
          onClick={() => setUnfolded(!unfolded)}
        >
          {words.__('Events')} <span aria-hidden="true">{unfolded ? '▾' : '▸'}</span>
        </button>
      </div>
      <div id={id}>
        {error && <Failure error={error} retry={retry} />}
        {unfolded && <EventTable events={events} />}
      </div>
    </section>
  );
}

function SegmentItem({ segment }: { segment: Segment }) {
  const { words, language } = useShell();
  const now = useNow();
  const seconds = ((segment.to ?? now) - segment.from) / 1000;
  const ended = segment.to === segment.from;
  // Its logarithm: three minutes in the queue are seen beside three days of running.
  const weight = ended ? 0 : 1 + Math.log2(1 + Math.max(seconds, 0));
  return (
    <li
      className={`pk-segment pk-segment-${segment.phase}`}
      style={{ flexGrow: weight }}
      title={exactly(new Date(segment.from).toISOString(), language)}
    >
      <PhaseSign phase={segment.phase} /> {phaseName(segment.phase, words)}
      {!ended && <span className="pk-fact"> {duration(seconds)}</span>}
    </li>
  );
}

function EventTable({ events }: { events: JobEvent[] }) {
  const { words } = useShell();
  return (
    <table className="pk-table pk-events">
      <thead>
        <tr>
          <th scope="col">{words.__('Time')}</th>
          <th scope="col">{words.__('What happened')}</th>
          <th scope="col">{words.__('By')}</th>
        </tr>
      </thead>
      <tbody>
        {[...events].reverse().map(event => (
          <tr key={event.id}>
            <td className="pk-fact">
              <Ago time={event.time} />
            </td>
            <td>{event.message}</td>
            <td className="pk-fact">{event.source}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Events up to the job's present revision, and as they come while `live`. */
function useEvents(job: Workload, live: boolean): { events: JobEvent[]; error: Error | null; retry: () => void } {
  const { api, base, transport } = useShell();
  const [more, setMore] = useState<JobEvent[]>([]);
  const query = useQuery({
    queryKey: ['events', job.id, job.revision],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/workloads/{workload}/events', {
          params: { path: { workload: job.id }, query: { limit: 500 } },
          signal
        })
      ),
    placeholderData: before => before,
    staleTime: Infinity
  });
  const following = live && isOpen(job.phase);
  useEffect(() => {
    if (!following) {
      return;
    }
    return follow({ base, transport }, `/workloads/${job.id}/events/stream`, {
      onMessages: messages =>
        setMore(known =>
          merged(
            known,
            messages.map(({ data }) => JSON.parse(data) as JobEvent)
          )
        ),
      onEnd: () => undefined,
      onLive: () => undefined
    });
  }, [base, following, job.id, transport]);
  return {
    events: merged(query.data?.items ?? [], more),
    error: query.error,
    retry: () => void query.refetch()
  };
}
