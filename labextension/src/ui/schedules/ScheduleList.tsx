/** The list of schedules. */
import { useDeferredValue, useState } from 'react';

import { More, walkRows } from '../assets/bits';
import { Ago, Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { inWords } from './cron';
import { type ScheduleSummary, useSchedules } from './queries';
import { RunResult } from './RunResult';
import { Switch } from './Switch';

export function ScheduleList() {
  const { words, open } = useShell();
  const [q, setQ] = useState('');
  const query = useSchedules(useDeferredValue(q));
  const schedules = query.data?.pages.flatMap(page => page.items);
  const create = (
    <button type="button" className="pk-button pk-primary" onClick={() => open({ view: 'new-schedule' })}>
      {words.__('New schedule')}
    </button>
  );
  return (
    <div className="pk-page pk-schedules">
      <div className="pk-page-head">
        <h1 className="pk-title">{words.__('Schedules')}</h1>
        <span className="pk-grow" />
        {schedules?.length !== 0 && create}
      </div>
      {(q !== '' || schedules?.length !== 0) && (
        <div className="pk-filters">
          <input
            type="search"
            className="pk-asset-input pk-asset-search"
            placeholder={words.__('Search names')}
            aria-label={words.__('Search names')}
            value={q}
            onChange={event => setQ(event.target.value)}
          />
        </div>
      )}
      <Loaded query={{ ...query, data: schedules }} lines={6}>
        {items =>
          items.length > 0 ? (
            <Table schedules={items} />
          ) : q === '' ? (
            <Empty action={create}>
              {words.__(
                'A schedule submits a job again and again: every night, every Monday, on the first of a month.'
              )}
            </Empty>
          ) : (
            <Empty>{words.__('No schedule is called like this.')}</Empty>
          )
        }
      </Loaded>
      <More query={query} />
    </div>
  );
}

function Table({ schedules }: { schedules: ScheduleSummary[] }) {
  const { words } = useShell();
  return (
    <table className="pk-table">
      <thead>
        <tr>
          <th scope="col">{words.__('Name')}</th>
          <th scope="col">{words.__('When')}</th>
          <th scope="col">{words.__('Next run')}</th>
          <th scope="col">{words.__('Last result')}</th>
          <th scope="col">{words.__('State')}</th>
        </tr>
      </thead>
      <tbody onKeyDown={walkRows}>
        {schedules.map(schedule => (
          <Row key={schedule.id} schedule={schedule} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ schedule }: { schedule: ScheduleSummary }) {
  const { words, language, open } = useShell();
  const { id, name, cron, timezone, next_run: next, last, last_run: run, message } = schedule;
  return (
    <tr>
      <th scope="row">
        <button type="button" className="pk-link pk-walk" onClick={() => open({ view: 'schedule', id, name })}>
          {name}
        </button>
        <span className="pk-fact"> {schedule.workspace}</span>
      </th>
      <td title={cron}>
        {inWords(cron, language)} <span className="pk-fact">{timezone}</span>
      </td>
      <td className="pk-fact">{next ? <Ago time={next} /> : words.__('none')}</td>
      <td title={message || undefined}>
        {last ? <RunResult run={last} /> : <span className="pk-fact">{words.__('not run yet')}</span>}
        {run && (
          <span className="pk-fact">
            {' '}
            <Ago time={run} />
          </span>
        )}
      </td>
      <td>
        <Switch schedule={schedule} />
      </td>
    </tr>
  );
}
