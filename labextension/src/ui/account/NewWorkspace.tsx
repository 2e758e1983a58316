/** Makes a workspace: its name, and what it is for. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer } from '../../api/client';
import { Field, Refusal, useAct } from '../assets/bits';
import { useIntent } from '../job/actions';
import { useShell } from '../shell';

interface Props {
  /** What one should know of the name, and the button's word. */
  hint: string;
  verb: string;
  primary?: boolean;
  onClose: () => void;
  onMade: (name: string) => void;
}

export function NewWorkspace({ hint, verb, primary, onClose, onMade }: Props) {
  const { api, words } = useShell();
  const cache = useQueryClient();
  const intent = useIntent();
  const { busy, error, act } = useAct();
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const make = async (): Promise<void> => {
    const body = { name: name.trim(), description: description.trim() };
    const made = await answer(api.POST('/accounts/workspaces', { body, headers: intent.header(JSON.stringify(body)) }));
    const kinds = ['admin', 'workspaces', 'me'];
    await Promise.all(kinds.map(kind => cache.invalidateQueries({ queryKey: [kind] })));
    onClose();
    onMade(made.name);
  };
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('New workspace')}
      onSubmit={event => {
        event.preventDefault();
        act(make);
      }}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      <div className="pk-asset-form-row">
        <Field label={words.__('Name')} name="name" error={error} hint={hint}>
          {tie => (
            <input
              {...tie}
              className="pk-asset-input"
              autoFocus
              autoComplete="off"
              spellCheck={false}
              maxLength={63}
              required
              value={name}
              onChange={event => setName(event.target.value)}
            />
          )}
        </Field>
        <Field label={words.__('What it is for')} name="description" error={error}>
          {tie => (
            <input
              {...tie}
              className="pk-asset-input"
              maxLength={2000}
              value={description}
              onChange={event => setDescription(event.target.value)}
            />
          )}
        </Field>
      </div>
      <Refusal error={error} fields={['name', 'description']} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button
          type="submit"
          className={primary ? 'pk-button pk-primary' : 'pk-button'}
          disabled={busy || name.trim() === ''}
        >
          {verb}
        </button>
      </div>
    </form>
  );
}
