/** Makes a token: what it is for, how long it lasts, what it may. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useId, useRef, useState } from 'react';

import { answer, type Schemas } from '../../api/client';
import { Field, Refusal, useAct } from '../assets/bits';
import { useShell, type Words } from '../shell';
import {
  MODULES,
  moduleName,
  type Module,
  offered,
  type Picks,
  QUICK,
  quickName,
  quickPicks,
  samePicks,
  scopeName,
  scopesOf,
  type Verb
} from './scopes';

const DAY = 86_400;
/** In days; 0 lasts until it is revoked. */
const LIFETIMES = [1, 7, 30, 90, 365, 0];

interface Props {
  /** The scopes one has. */
  held: string[];
  onClose: () => void;
  onMade: (token: Schemas['TokenMade']) => void;
}

export function NewToken({ held, onClose, onMade }: Props) {
  const { api, words } = useShell();
  const cache = useQueryClient();
  const may = offered(held);
  const [note, setNote] = useState('');
  const [days, setDays] = useState(30);
  const [picks, setPicks] = useState<Picks>({});
  const { busy, error, act } = useAct();
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const scopes = scopesOf(picks);
  const make = async (): Promise<void> => {
    const body = { note: note.trim(), scopes, lifetime: days === 0 ? null : days * DAY };
    const made = await answer(api.POST('/accounts/tokens', { body }));
    await cache.invalidateQueries({ queryKey: ['tokens'] });
    onMade(made);
  };
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('New token')}
      onSubmit={event => {
        event.preventDefault();
        act(make);
      }}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      <div className="pk-asset-form-row">
        <Field label={words.__('What it is for')} name="note" error={error}>
          {tie => (
            <input
              {...tie}
              ref={first}
              className="pk-asset-input"
              required
              maxLength={200}
              autoComplete="off"
              placeholder={words.__('nightly training in CI')}
              value={note}
              onChange={event => setNote(event.target.value)}
            />
          )}
        </Field>
        <Field label={words.__('Lasts')} name="lifetime" error={error}>
          {tie => (
            <select
              {...tie}
              className="pk-asset-input"
              value={days}
              onChange={event => setDays(Number(event.target.value))}
            >
              {LIFETIMES.map(one => (
                <option key={one} value={one}>
                  {lifetimeName(one, words)}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Choice may={may} picks={picks} onPick={setPicks} />
      <Refusal error={error} fields={['note', 'lifetime']} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button
          type="submit"
          className="pk-button pk-primary"
          disabled={busy || note.trim() === '' || scopes.length === 0}
        >
          {words.__('Make the token')}
        </button>
      </div>
    </form>
  );
}

function lifetimeName(days: number, words: Words): string {
  return days === 0 ? words.__('until I revoke it') : words._n('%1 day', '%1 days', days, days);
}

/** What it may: a usual set, or a verb per module. */
function Choice({ may, picks, onPick }: { may: Record<Module, Verb[]>; picks: Picks; onPick: (picks: Picks) => void }) {
  const { words } = useShell();
  const id = useId();
  return (
    <fieldset className="pk-scopes">
      <legend>{words.__('What it may do')}</legend>
      <div className="pk-tags">
        {QUICK.map(quick => {
          const set = quickPicks(quick, may);
          return (
            <button
              key={quick}
              type="button"
              className="pk-button"
              aria-pressed={samePicks(set, picks)}
              onClick={() => onPick(set)}
            >
              {quickName(quick, words)}
            </button>
          );
        })}
      </div>
      <div className="pk-scope-grid">
        {MODULES.filter(module => may[module].length > 0).map(module => (
          <div key={module} className="pk-scope">
            <label htmlFor={`${id}-${module}`}>{moduleName(module, words)}</label>
            <select
              id={`${id}-${module}`}
              className="pk-asset-input"
              value={picks[module] ?? ''}
              onChange={event => onPick({ ...picks, [module]: (event.target.value || undefined) as Verb | undefined })}
            >
              <option value="">{words.__('nothing')}</option>
              {may[module].map(verb => (
                <option key={verb} value={verb}>
                  {scopeName(module, verb, words)}
                </option>
              ))}
            </select>
          </div>
        ))}
      </div>
    </fieldset>
  );
}
