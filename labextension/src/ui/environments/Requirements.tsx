/** What an environment is built from, judged by the platform's own rules while it is typed. */
import { useEffect, useState } from 'react';

import { answer, type FieldError, Problem, type Schemas } from '../../api/client';
import { Field } from '../assets/bits';
import { useShell } from '../shell';
import { type Refused, refusedLines } from './packages';

const SETTLED_MS = 400;
const SHOWN = 8;

export type Source = 'requirements' | 'pyproject';

/** What is asked for, as it is typed. */
export interface Wanted {
  source: Source;
  text: string;
  python: string;
}

export const NOTHING: Wanted = { source: 'requirements', text: '', python: '' };

/** A request's part for what is asked for. */
export function requestOf({ source, text, python }: Wanted): Schemas['Requirements'] {
  return { requirements: null, pyproject: null, [source]: text, python: python.trim() || null };
}

/** Asks the platform what it would refuse, once typing has stopped for a moment. */
export function useRefused(wanted: Wanted): { errors: FieldError[]; checked: number | null } {
  const { api } = useShell();
  const [found, setFound] = useState<{ errors: FieldError[]; checked: number | null }>({
    errors: [],
    checked: null
  });
  const body = JSON.stringify(requestOf(wanted));
  useEffect(() => {
    const abort = new AbortController();
    const ask = async (): Promise<void> => {
      const call = answer(
        api.POST('/images/check', { body: JSON.parse(body) as Schemas['Requirements'], signal: abort.signal })
      );
      const next = await call.then(
        ({ requirements }) => ({ errors: [], checked: requirements.length }),
        (error: unknown) => ({ errors: error instanceof Problem ? error.errors : [], checked: null })
      );
      if (!abort.signal.aborted) {
        setFound(next);
      }
    };
    const timer = setTimeout(() => void ask(), SETTLED_MS);
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [api, body]);
  return found;
}

/** The fields for it, with what is refused below them. */
export function RequirementsFields({
  wanted,
  error,
  onChange
}: {
  wanted: Wanted;
  error: Error | null;
  onChange: (wanted: Wanted) => void;
}) {
  const { words } = useShell();
  const { errors, checked } = useRefused(wanted);
  const sources = {
    requirements: words.__('Requirements, one a line'),
    pyproject: words.__('A pyproject.toml; its dependencies are taken')
  };
  const python = errors.find(one => one.field === 'python');
  const refused = [
    ...refusedLines(errors, wanted.source),
    ...(python ? [{ line: null, message: python.message }] : [])
  ];
  return (
    <>
      <div className="pk-asset-form-row">
        <Field
          label={words.__('Python')}
          name="python"
          error={error}
          hint={words.__('Such as 3.12; empty is the platform’s own.')}
        >
          {tie => (
            <input
              {...tie}
              className="pk-asset-input"
              autoComplete="off"
              value={wanted.python}
              onChange={event => onChange({ ...wanted, python: event.target.value })}
            />
          )}
        </Field>
        <Field label={words.__('Made from')} name="source" error={null}>
          {tie => (
            <select
              {...tie}
              className="pk-asset-input"
              value={wanted.source}
              onChange={event => onChange({ ...wanted, source: event.target.value as Source })}
            >
              {Object.entries(sources).map(([value, title]) => (
                <option key={value} value={value}>
                  {title}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Field label={sources[wanted.source]} name="text" error={null}>
        {tie => (
          <textarea
            {...tie}
            className="pk-asset-input pk-asset-source"
            rows={8}
            spellCheck={false}
            placeholder={
              wanted.source === 'requirements' ? 'numpy>=2\nscikit-learn\nipykernel' : '[project]\ndependencies = []'
            }
            value={wanted.text}
            onChange={event => onChange({ ...wanted, text: event.target.value })}
          />
        )}
      </Field>
      <Refusals refused={refused} checked={checked} />
    </>
  );
}

function Refusals({ refused, checked }: { refused: Refused[]; checked: number | null }) {
  const { words } = useShell();
  if (refused.length === 0) {
    return (
      <p className="pk-quiet" role="status">
        {checked !== null &&
          words._n('%1 requirement can be taken.', '%1 requirements can be taken.', checked, checked)}
      </p>
    );
  }
  return (
    <ul className="pk-refusal pk-refused-lines" role="alert">
      {refused.slice(0, SHOWN).map(({ line, message }) => (
        <li key={`${line}:${message}`}>{line === null ? message : words.__('Line %1: %2', line, message)}</li>
      ))}
      {refused.length > SHOWN && <li>{words.__('and %1 more', refused.length - SHOWN)}</li>}
    </ul>
  );
}
