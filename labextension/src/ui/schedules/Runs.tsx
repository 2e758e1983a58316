/** What a schedule's times came to. */
import { isOpen } from '../../api/queries';
import { More, walkRows } from '../assets/bits';
import { duration } from '../format';
import { Ago, Empty, Loaded, useNow } from '../parts';
import { useShell } from '../shell';
import { wallClock } from './cron';
import { type Run, type Schedule, useRuns } from './queries';
import { RunResult } from './RunResult';

export function Runs({ schedule }: { schedule: Schedule }) {
  const { words } = useShell();
  const query = useRuns(schedule.id);
  const runs = query.data?.pages.flatMap(page => page.items);
  return (
    <section>
      <h2>{words.__('Runs')}</h2>
      <Loaded query={{ ...query, data: runs }} lines={4}>
        {items =>
          items.length === 0 ? (
            <Empty>{words.__('It has not run yet.')}</Empty>
          ) : (
            <table className="pk-table">
              <thead>
                <tr>
                  <th scope="col">{words.__('Due')}</th>
                  <th scope="col">{words.__('Job')}</th>
                  <th scope="col">{words.__('Result')}</th>
                  <th scope="col">{words.__('Ran for')}</th>
                  <th scope="col" className="pk-wide-only">
                    {words.__('What was said')}
                  </th>
                </tr>
              </thead>
              <tbody onKeyDown={walkRows}>
                {items.map(run => (
                  <Row key={run.id} run={run} timezone={schedule.timezone} />
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
      <More query={query} />
    </section>
  );
}

function Row({ run, timezone }: { run: Run; timezone: string }) {
  const { words, language, open } = useShell();
  const job = run.workload;
  return (
    <tr>
      <td>
        {run.due ? (
          wallClock(run.due, timezone, language)
        ) : (
          <>
            <Ago time={run.created} />
            {run.asked_by && <span className="pk-fact"> {words.__('asked for by %1', run.asked_by)}</span>}
          </>
        )}
      </td>
      <th scope="row">
        {job && (
          <button
            type="button"
            className="pk-link pk-walk"
            onClick={() => open({ view: 'job', id: job.id, name: job.name })}
          >
            {job.name}
          </button>
        )}
      </th>
      <td>
        <RunResult run={run} />
      </td>
      <td className="pk-fact">{job?.started && <Ran started={job.started} job={job} />}</td>
      <td className="pk-wide-only">{run.message || job?.message}</td>
    </tr>
  );
}

function Ran({ started, job }: { started: string; job: NonNullable<Run['workload']> }) {
  const now = useNow();
  const end = job.finished ? Date.parse(job.finished) : isOpen(job.phase) ? now : Date.parse(started);
  return <>{duration((end - Date.parse(started)) / 1000)}</>;
}
