/** The newest jobs, and how they go. */
import type { UseQueryResult } from '@tanstack/react-query';

import type { Schemas } from '../../api/client';
import { isOpen } from '../../api/queries';
import { sparkPath } from '../job/spark';
import { Ago, Empty, Loaded, PhaseSign, reasonName, Section, useNow } from '../parts';
import { useShell, type Words } from '../shell';
import { calm } from './calm';
import { explained, type JobGlance, progress, shares } from './facts';

const [WIDTH, HEIGHT] = [44, 12];

export function Jobs({
  query,
  q,
  shortcut
}: {
  query: UseQueryResult<Schemas['Glance']>;
  q: string;
  /** The keys that open a new job's form. */
  shortcut: string;
}) {
  const { words, open } = useShell();
  return (
    <Section
      name="jobs"
      title={words.__('Jobs')}
      count={query.data && counts(query.data, words)}
      action={
        <button type="button" className="pk-button" onClick={() => open({ view: 'jobs' })}>
          {words.__('All')}
        </button>
      }
    >
      <Loaded query={calm(query)}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>
              {q ? words.__('No job has this in its name.') : words.__('Jobs run your code in the queue, on any spec.')}
            </Empty>
          ) : (
            <ul className="pk-list">
              {items.map(job => (
                <li key={job.id}>
                  <Row job={job} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      <button type="button" className="pk-row pk-new" onClick={() => open({ view: 'new-job' })}>
        <span className="pk-name">
          <span aria-hidden="true">+ </span>
          {words.__('New job')}
        </span>
        {shortcut && <span className="pk-fact">{shortcut}</span>}
      </button>
    </Section>
  );
}

function counts({ running, queued }: Schemas['Glance'], words: Words): string {
  return [running > 0 && words.__('%1 run', running), queued > 0 && words.__('%1 wait', queued)]
    .filter(Boolean)
    .join(' · ');
}

function Row({ job }: { job: JobGlance }) {
  const { words, language, open } = useShell();
  const now = useNow();
  const going = job.phase === 'running' && job.running === job.replicas;
  return (
    <button
      type="button"
      className="pk-row"
      title={explained(job, words, language)}
      onClick={() => open({ view: 'job', id: job.id, name: job.name })}
    >
      <PhaseSign phase={job.phase} />
      <span className="pk-name">{job.name}</span>
      {going && job.values.length > 1 && (
        <svg className="pk-spark" width={WIDTH} height={HEIGHT} viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`} aria-hidden>
          <path d={sparkPath(shares(job.values), WIDTH, HEIGHT)} />
        </svg>
      )}
      <span className="pk-fact">
        {job.phase === 'failed' && <span className="pk-reason">{reasonName(job.reason, words)} </span>}
        {job.phase === 'failed' ? '' : progress(job, words, language, now)}{' '}
        {!isOpen(job.phase) && <Ago time={job.finished ?? job.created} />}
      </span>
    </button>
  );
}
