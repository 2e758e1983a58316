/** A new schedule: which job to repeat, then when. */
import { useState } from 'react';

import { useWorkloads } from '../../api/queries';
import { Field } from '../assets/bits';
import { Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { useRequest } from './queries';
import { ScheduleForm } from './ScheduleForm';

/** `from` is the job to repeat; without it one is chosen. */
export function NewSchedule({ from }: { from?: string }) {
  const { words, open } = useShell();
  const [job, setJob] = useState(from);
  const [made, setMade] = useState<{ id: string; name: string } | null>(null);
  const request = useRequest(job);
  if (made) {
    return (
      <div className="pk-page">
        <p role="status">
          {words.__('The schedule is made.')}{' '}
          <button type="button" className="pk-link" onClick={() => open({ view: 'schedule', ...made })}>
            {words.__('Open %1', made.name)}
          </button>
        </p>
      </div>
    );
  }
  return (
    <div className="pk-page">
      <div className="pk-page-head">
        <h1 className="pk-title">{words.__('New schedule')}</h1>
      </div>
      {from === undefined && <ChooseJob job={job} onJob={setJob} />}
      {job !== undefined && (
        <Loaded query={request} lines={8}>
          {found => (
            <ScheduleForm
              key={job}
              request={found}
              onSaved={({ id, name }) => {
                setMade({ id, name });
                open({ view: 'schedule', id, name });
              }}
            />
          )}
        </Loaded>
      )}
    </div>
  );
}

function ChooseJob({ job, onJob }: { job: string | undefined; onJob: (job: string) => void }) {
  const { words, open } = useShell();
  const query = useWorkloads({ kind: 'job', limit: 100 });
  return (
    <div className="pk-schedule-job">
      <Loaded query={query} lines={1}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty
              action={
                <button type="button" className="pk-button pk-primary" onClick={() => open({ view: 'new-job' })}>
                  {words.__('New job')}
                </button>
              }
            >
              {words.__('A schedule repeats a job: submit it once, and see that it works.')}
            </Empty>
          ) : (
            <Field label={words.__('The job to repeat')} name="job">
              {tie => (
                <select
                  {...tie}
                  className="pk-asset-input"
                  value={job ?? ''}
                  onChange={event => onJob(event.target.value)}
                >
                  <option value="" disabled>
                    {words.__('Choose a job')}
                  </option>
                  {items.map(item => (
                    <option key={item.id} value={item.id}>
                      {item.name} · {item.spec} · {item.workspace} · {new Date(item.created).toLocaleString()}
                    </option>
                  ))}
                </select>
              )}
            </Field>
          )
        }
      </Loaded>
    </div>
  );
}
