/** Chooses when: a preset or an expression, the zone, and the next times as one types. */
import { type ReactNode, useId } from 'react';

import { Field } from '../assets/bits';
import { Ago } from '../parts';
import { useShell, type Words } from '../shell';
import { cronOf, inWords, type Plan, type Preset, PRESETS, wallClock } from './cron';
import { usePreview } from './queries';

interface Props {
  plan: Plan;
  timezone: string;
  error: Error | null;
  onPlan: (plan: Plan) => void;
  onZone: (timezone: string) => void;
}

const ZONES = Intl.supportedValuesOf('timeZone');

export function Times({ plan, timezone, error, onPlan, onZone }: Props) {
  const { words } = useShell();
  const zones = useId();
  const preview = usePreview(cronOf(plan), timezone);
  // What the platform says about what is typed now comes before what it said when it was saved.
  const said = preview.settled ? (preview.error ?? (preview.data ? null : error)) : null;
  return (
    <>
      <div className="pk-asset-form-row">
        <Field label={words.__('Repeat')} name="preset">
          {tie => (
            <select
              {...tie}
              className="pk-asset-input"
              value={plan.preset}
              onChange={event => {
                const preset = event.target.value as Preset;
                // A custom one begins as what was chosen before it.
                onPlan({ ...plan, preset, cron: preset === 'custom' ? cronOf(plan) : plan.cron });
              }}
            >
              {PRESETS.map(preset => (
                <option key={preset} value={preset}>
                  {presetName(preset, words)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Details plan={plan} error={said} onPlan={onPlan} />
        <Field label={words.__('Time zone')} name="timezone" error={said}>
          {tie => (
            <>
              <input
                {...tie}
                className="pk-asset-input"
                list={zones}
                required
                maxLength={63}
                autoComplete="off"
                spellCheck={false}
                value={timezone}
                onChange={event => onZone(event.target.value)}
              />
              <datalist id={zones}>
                {['UTC', ...ZONES].map(zone => (
                  <option key={zone} value={zone} />
                ))}
              </datalist>
            </>
          )}
        </Field>
      </div>
      <Preview cron={cronOf(plan)} timezone={timezone} preview={preview} />
    </>
  );
}

/** What a preset leaves open. */
function Details({ plan, error, onPlan }: { plan: Plan; error: Error | null; onPlan: (plan: Plan) => void }) {
  const { words, language } = useShell();
  const number = (label: string, key: 'minute' | 'day', least: number, most: number): ReactNode => (
    <Field label={label} name="cron" error={error}>
      {tie => (
        <input
          {...tie}
          type="number"
          className="pk-asset-input"
          required
          min={least}
          max={most}
          value={Number.isNaN(plan[key]) ? '' : plan[key]}
          onChange={event => onPlan({ ...plan, [key]: event.target.valueAsNumber })}
        />
      )}
    </Field>
  );
  const time = (
    <Field label={words.__('At')} name={plan.preset === 'daily' ? 'cron' : 'time'} error={error}>
      {tie => (
        <input
          {...tie}
          type="time"
          className="pk-asset-input"
          required
          value={plan.time}
          onChange={event => onPlan({ ...plan, time: event.target.value })}
        />
      )}
    </Field>
  );
  switch (plan.preset) {
    case 'hourly':
      return number(words.__('Minute'), 'minute', 0, 59);
    case 'daily':
      return time;
    case 'weekly':
      return (
        <>
          <Field label={words.__('On')} name="cron" error={error}>
            {tie => (
              <select
                {...tie}
                className="pk-asset-input"
                value={plan.weekday}
                onChange={event => onPlan({ ...plan, weekday: Number(event.target.value) })}
              >
                {[1, 2, 3, 4, 5, 6, 0].map(day => (
                  <option key={day} value={day}>
                    {weekdayName(day, language)}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {time}
        </>
      );
    case 'monthly':
      return (
        <>
          {number(words.__('Day of the month'), 'day', 1, 31)}
          {time}
        </>
      );
    case 'custom':
      return (
        <Field
          label={words.__('Cron expression')}
          name="cron"
          error={error}
          hint={words.__('Minute, hour, day of month, month, day of week.')}
        >
          {tie => (
            <input
              {...tie}
              className="pk-asset-input pk-asset-source"
              required
              maxLength={200}
              autoComplete="off"
              spellCheck={false}
              value={plan.cron}
              onChange={event => onPlan({ ...plan, cron: event.target.value })}
            />
          )}
        </Field>
      );
  }
}

function Preview({
  cron,
  timezone,
  preview
}: {
  cron: string;
  timezone: string;
  preview: ReturnType<typeof usePreview>;
}) {
  const { words, language } = useShell();
  const { data, settled } = preview;
  return (
    <div className="pk-next-times" aria-live="polite" aria-busy={!settled}>
      {data && settled ? (
        <>
          <p>{inWords(cron, language)}</p>
          <TimeList times={data.times} timezone={timezone} />
        </>
      ) : (
        <p className="pk-quiet">{preview.error && settled ? words.__('No times yet.') : words.__('Looking…')}</p>
      )}
    </div>
  );
}

/** Times on the wall clock of their zone, and how long till then. */
export function TimeList({ times, timezone }: { times: string[]; timezone: string }) {
  const { words, language } = useShell();
  return (
    <ol className="pk-times" aria-label={words.__('Next times')}>
      {times.map(time => (
        <li key={time}>
          {wallClock(time, timezone, language)}{' '}
          <span className="pk-fact">
            <Ago time={time} />
          </span>
        </li>
      ))}
    </ol>
  );
}

function presetName(preset: Preset, words: Words): string {
  return {
    hourly: words.__('Every hour'),
    daily: words.__('Every day'),
    weekly: words.__('Every week'),
    monthly: words.__('Every month'),
    custom: words.__('As a cron expression')
  }[preset];
}

function weekdayName(day: number, language: string): string {
  // The second of November 2025 was a Sunday.
  const date = new Date(Date.UTC(2025, 10, 2 + day));
  return new Intl.DateTimeFormat(language, { weekday: 'long', timeZone: 'UTC' }).format(date);
}
