/** The form of a schedule, new or changed. */
import { type FormEvent, type KeyboardEvent, useState } from 'react';

import type { Schemas } from '../../api/client';
import { Field, Refusal } from '../assets/bits';
import { useShell } from '../shell';
import { cronOf, ownZone, planOf, START } from './cron';
import type { Schedule } from './queries';
import { type Draft, useSave, withDocument, withoutDocument } from './save';
import { Times } from './Times';
import { What } from './What';

type JobRequest = Schemas['JobRequest'];

interface Props {
  request: JobRequest;
  /** The one to change; a new one is made without. */
  schedule?: Schedule;
  onSaved: (schedule: Schedule) => void;
  onCancel?: () => void;
}

const FIELDS = ['name', 'cron', 'timezone', 'request'];

export function ScheduleForm({ request, schedule, onSaved, onCancel }: Props) {
  const { words } = useShell();
  const [name, setName] = useState(schedule?.name ?? request.name);
  const [plan, setPlan] = useState(schedule ? planOf(schedule.cron) : START);
  const [timezone, setTimezone] = useState(schedule?.timezone ?? ownZone());
  const [overlap, setOverlap] = useState<Schedule['overlap']>(schedule?.overlap ?? 'skip');
  // Null until somebody types into it.
  const [json, setJson] = useState<string | null>(null);
  const save = useSave(schedule);
  const read = json === null ? { request } : readRequest(json);
  const submit = (event?: FormEvent): void => {
    event?.preventDefault();
    if (read.request && !save.isPending) {
      const draft: Draft = {
        name: name.trim(),
        cron: cronOf(plan),
        timezone,
        overlap,
        request: withDocument(read.request, request)
      };
      save.mutate(draft, { onSuccess: onSaved });
    }
  };
  const keys = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      onCancel?.();
    } else if (event.key === 'Enter' && event.ctrlKey) {
      submit();
    }
  };
  return (
    <form
      className="pk-asset-form pk-schedule-form"
      aria-label={schedule ? words.__('Change the schedule') : words.__('New schedule')}
      onSubmit={submit}
      onKeyDown={keys}
    >
      <div className="pk-asset-form-row">
        <Field label={words.__('Name')} name="name" error={save.error}>
          {tie => (
            <input
              {...tie}
              className="pk-asset-input"
              required
              maxLength={63}
              autoComplete="off"
              spellCheck={false}
              value={name}
              onChange={event => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label={words.__('When the job before has not ended')} name="overlap">
          {tie => (
            <select
              {...tie}
              className="pk-asset-input"
              value={overlap}
              onChange={event => setOverlap(event.target.value as Schedule['overlap'])}
            >
              <option value="skip">{words.__('Skip this time')}</option>
              <option value="queue">{words.__('Submit another all the same')}</option>
            </select>
          )}
        </Field>
      </div>
      <Times plan={plan} timezone={timezone} error={save.error} onPlan={setPlan} onZone={setTimezone} />
      <What request={read.request ?? request} />
      <details>
        <summary>{words.__('Change what it runs')}</summary>
        <Field
          label={words.__('The job’s request, as JSON')}
          name="request"
          error={save.error}
          hint={read.wrong === undefined ? undefined : words.__('This is not JSON: %1', read.wrong)}
        >
          {tie => (
            <textarea
              {...tie}
              className="pk-asset-input pk-asset-source"
              rows={12}
              spellCheck={false}
              value={json ?? JSON.stringify(withoutDocument(request), null, 2)}
              onChange={event => setJson(event.target.value)}
            />
          )}
        </Field>
      </details>
      <Refusal error={save.error} fields={FIELDS} />
      <div className="pk-asset-form-end">
        {onCancel && (
          <button type="button" className="pk-button" onClick={onCancel}>
            {words.__('Cancel')}
          </button>
        )}
        <button
          type="submit"
          className="pk-button pk-primary"
          title={words.__('Ctrl+Enter')}
          disabled={save.isPending || name.trim() === '' || !read.request}
        >
          {schedule ? words.__('Save') : words.__('Make it')}
        </button>
      </div>
    </form>
  );
}

function readRequest(json: string): { request?: JobRequest; wrong?: string } {
  try {
    return { request: JSON.parse(json) as JobRequest };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}
