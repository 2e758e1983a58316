/** What a user or a workspace may have at once; `*` is everybody who has no limits of their own. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer } from '../../api/client';
import { Field, Refusal, useAct } from '../assets/bits';
import { Loaded } from '../parts';
import { useShell, type Words } from '../shell';
import { bytesOfGib, gibOf } from './amount';
import { type Limit, peopleChanged, type Subject, useLimit } from './peopleQueries';

const FIELDS = ['running', 'queued', 'accelerators', 'storage_bytes'] as const;
type FieldName = (typeof FIELDS)[number];
type Texts = Record<FieldName, string>;

function fieldTitle(name: FieldName, words: Words): string {
  return {
    running: words.__('Running at once'),
    queued: words.__('Waiting at once'),
    accelerators: words.__('Accelerators held'),
    storage_bytes: words.__('Storage in GiB')
  }[name];
}

function textOf(name: FieldName, limit: Limit | null): string {
  const value = limit?.[name] ?? null;
  return value === null ? '' : name === 'storage_bytes' ? gibOf(value) : String(value);
}

function textsOf(limit: Limit | null): Texts {
  return Object.fromEntries(FIELDS.map(name => [name, textOf(name, limit)])) as Texts;
}

export function WorkspacesLimits({ kind, subject }: { kind: Subject; subject: string }) {
  const query = useLimit(kind, subject);
  return (
    <Loaded query={query} lines={4}>
      {({ own, everybody }) => (
        // Anew when it was changed, by oneself or by another.
        <Form key={own?.revision ?? 0} kind={kind} subject={subject} own={own} everybody={everybody} />
      )}
    </Loaded>
  );
}

interface FormProps {
  kind: Subject;
  subject: string;
  own: Limit | null;
  everybody: Limit | null;
}

function Form({ kind, subject, own, everybody }: FormProps) {
  const { api, words, announce } = useShell();
  const cache = useQueryClient();
  const { busy, error, act } = useAct();
  const [texts, setTexts] = useState(() => textsOf(own));
  const params = { path: { kind, subject } };
  const headers = own ? { 'If-Match': `"${own.revision}"` } : undefined;
  const done = async (text: string): Promise<void> => {
    await peopleChanged(cache);
    announce(text, 'success');
  };
  const save = async (): Promise<void> => {
    const count = (text: string): number | null => (text.trim() === '' ? null : Number(text));
    const body = {
      running: count(texts.running),
      queued: count(texts.queued),
      accelerators: count(texts.accelerators),
      storage_bytes: bytesOfGib(texts.storage_bytes)
    };
    await answer(api.PUT('/resources/limits/{kind}/{subject}', { params, headers, body }));
    await done(words.__('The limits are saved.'));
  };
  const forget = async (): Promise<void> => {
    await answer(api.DELETE('/resources/limits/{kind}/{subject}', { params, headers }));
    await done(words.__('The default limits hold again.'));
  };
  const otherwise = (name: FieldName): string =>
    (subject === '*' ? '' : textOf(name, everybody)) || words.__('no limit');
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('Limits')}
      onSubmit={event => {
        event.preventDefault();
        act(save);
      }}
    >
      <div className="pk-asset-form-row">
        {FIELDS.map(name => (
          <Field key={name} label={fieldTitle(name, words)} name={name} error={error}>
            {tie => (
              <input
                {...tie}
                className="pk-asset-input"
                type="number"
                min={0}
                step={name === 'storage_bytes' ? 'any' : 1}
                placeholder={otherwise(name)}
                value={texts[name]}
                onChange={event => setTexts({ ...texts, [name]: event.target.value })}
              />
            )}
          </Field>
        ))}
      </div>
      <p className="pk-quiet">
        {subject === '*' ? words.__('An empty field sets no limit.') : words.__('An empty field takes the default.')}
      </p>
      <Refusal error={error} fields={[...FIELDS]} />
      <div className="pk-asset-form-end">
        {own && subject !== '*' && (
          <button type="button" className="pk-button" disabled={busy} onClick={() => act(forget)}>
            {words.__('Take the defaults')}
          </button>
        )}
        <button type="submit" className="pk-button" disabled={busy}>
          {words.__('Save limits')}
        </button>
      </div>
    </form>
  );
}
