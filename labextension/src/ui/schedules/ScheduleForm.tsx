/** The form of a schedule, new or changed. */
import { type FormEvent, type KeyboardEvent, useState } from 'react';

import type { Schemas } from '../../api/client';
import { Field, Refusal } from '../assets/bits';
import { useShell } from '../shell';
import { cronOf, ownZone, planOf, START } from './cron';
import type { Schedule } from './queries';
import { type Draft, useSave, withDocument, withoutDocument } from './save';
import { Times } from './Times';
import { RequestFields } from '../submit/RequestFields';
import { What } from './What';

type JobRequest = Schemas['JobRequest'];

interface Props {
  request: JobRequest;
  /** The one to change; a new one is made without. */
  schedule?: Schedule;
  onSaved: (schedule: Schedule) => void;
  onCancel?: () => void;
}

// What is refused of the request is said below: its fields may be folded away.
const FIELDS = ['name', 'cron', 'timezone'];

export function ScheduleForm({ request, schedule, onSaved, onCancel }: Props) {
  const { words } = useShell();
  const [name, setName] = useState(schedule?.name ?? request.name);
  const [plan, setPlan] = useState(schedule ? planOf(schedule.cron) : START);
  const [timezone, setTimezone] = useState(schedule?.timezone ?? ownZone());
  const [overlap, setOverlap] = useState<Schedule['overlap']>(schedule?.overlap ?? 'skip');
  const [typed, setTyped] = useState<JobRequest | null>(request);
  // Once it was unfolded, what is typed there is kept.
  const [opened, setOpened] = useState(false);
  const save = useSave(schedule);
  const submit = (event?: FormEvent): void => {
    event?.preventDefault();
    if (typed && !save.isPending) {
      const draft: Draft = {
        name: name.trim(),
        cron: cronOf(plan),
        timezone,
        overlap,
        request: withDocument(typed, request)
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
      <What request={typed ?? request} />
      <details onToggle={event => setOpened(opened || event.currentTarget.open)}>
        <summary>{words.__('Change what it runs')}</summary>
        {opened &&
          (request.notebook ? (
            <NotebookRequest request={request} onChange={setTyped} />
          ) : (
            <RequestFields request={request} onChange={setTyped} />
          ))}
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
          disabled={save.isPending || name.trim() === '' || !typed}
        >
          {schedule ? words.__('Save') : words.__('Make it')}
        </button>
      </div>
    </form>
  );
}

/** What runs a notebook has no form of its own yet: it is changed as it is sent. */
function NotebookRequest({
  request,
  onChange
}: {
  request: JobRequest;
  onChange: (request: JobRequest | null) => void;
}) {
  const { words } = useShell();
  const [json, setJson] = useState(() => JSON.stringify(withoutDocument(request), null, 2));
  const { wrong } = readRequest(json);
  const change = (text: string): void => {
    setJson(text);
    onChange(readRequest(text).request ?? null);
  };
  return (
    <Field
      label={words.__('The job’s request, as JSON')}
      name="request"
      hint={wrong === undefined ? undefined : words.__('This is not JSON: %1', wrong)}
    >
      {tie => (
        <textarea
          {...tie}
          className="pk-asset-input pk-asset-source"
          rows={12}
          spellCheck={false}
          value={json}
          onChange={event => change(event.target.value)}
        />
      )}
    </Field>
  );
}

function readRequest(json: string): { request?: JobRequest; wrong?: string } {
  try {
    return { request: JSON.parse(json) as JobRequest };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}
