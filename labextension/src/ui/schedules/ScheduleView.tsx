/** The view of one schedule. */
import { useState } from 'react';

import { Problem } from '../../api/client';
import { Ago, Copyable, Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { useActions } from './actions';
import { inWords } from './cron';
import { type Schedule, useSchedule } from './queries';
import { Runs } from './Runs';
import { ScheduleForm } from './ScheduleForm';
import { TimeList } from './Times';
import { What } from './What';

/** One schedule: when it runs next, what it runs, and what came of it. */
export function ScheduleView({ id }: { id: string }) {
  const { words, open } = useShell();
  const query = useSchedule(id);
  if (query.error instanceof Problem && query.error.status === 404) {
    return (
      <Empty
        action={
          <button type="button" className="pk-button pk-primary" onClick={() => open({ view: 'schedules' })}>
            {words.__('All schedules')}
          </button>
        }
      >
        {words.__('This schedule is not there: it was deleted, or you may not see it.')}
      </Empty>
    );
  }
  return (
    <Loaded query={query} lines={10}>
      {schedule => <Shown schedule={schedule} />}
    </Loaded>
  );
}

function Shown({ schedule }: { schedule: Schedule }) {
  const { words } = useShell();
  // What is edited is what was there when one began: a change meanwhile is refused when it is saved.
  const [edited, setEdited] = useState<Schedule | null>(null);
  return (
    <div className="pk-page pk-schedule">
      <Head schedule={schedule} editing={edited !== null} onEdit={() => setEdited(edited ? null : schedule)} />
      {schedule.message && (
        <p className="pk-box pk-schedule-message" role="status">
          {schedule.message}
        </p>
      )}
      {edited ? (
        <ScheduleForm
          request={edited.request}
          schedule={edited}
          onSaved={() => setEdited(null)}
          onCancel={() => setEdited(null)}
        />
      ) : (
        <div className="pk-schedule-facts">
          <section>
            <h2>{words.__('Next times')}</h2>
            {schedule.upcoming.length > 0 ? (
              <TimeList times={schedule.upcoming} timezone={schedule.timezone} />
            ) : (
              <p className="pk-quiet">{words.__('It is paused: times that pass meanwhile are not made up for.')}</p>
            )}
          </section>
          <section>
            <h2>{words.__('What it runs')}</h2>
            <What request={schedule.request} />
          </section>
        </div>
      )}
      <Runs schedule={schedule} />
    </div>
  );
}

function Head({ schedule, editing, onEdit }: { schedule: Schedule; editing: boolean; onEdit: () => void }) {
  const { words, language } = useShell();
  const actions = useActions(schedule);
  const { busy } = actions;
  return (
    <header>
      <div className="pk-page-head">
        <h1 className="pk-title">{schedule.name}</h1>
        <Copyable text={schedule.id} />
        <span className="pk-grow" />
        <button type="button" className="pk-button pk-primary" disabled={busy} onClick={actions.run}>
          {words.__('Run now')}
        </button>
        <button type="button" className="pk-button" disabled={busy} onClick={actions.turn}>
          {schedule.enabled ? words.__('Pause') : words.__('Resume')}
        </button>
        <button type="button" className="pk-button" aria-expanded={editing} onClick={onEdit}>
          {words.__('Edit')}
        </button>
        <button type="button" className="pk-button" disabled={busy} onClick={actions.remove}>
          {words.__('Delete…')}
        </button>
      </div>
      <p className="pk-schedule-line">
        <span title={schedule.cron}>{inWords(schedule.cron, language)}</span>
        <span>{schedule.timezone}</span>
        {schedule.next_run ? (
          <span>
            {words.__('next:')} <Ago time={schedule.next_run} />
          </span>
        ) : (
          <span>{words.__('paused')}</span>
        )}
        <span>{words.__('in %1, as %2', schedule.workspace, schedule.runs_as)}</span>
        <span>
          {schedule.overlap === 'skip'
            ? words.__('skips a time while the job before runs')
            : words.__('submits while the job before runs')}
        </span>
      </p>
    </header>
  );
}
