/** Makes a user, and shows the one-time password to hand them. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer } from '../../api/client';
import { Field, Refusal, useAct } from '../assets/bits';
import { Copyable } from '../parts';
import { useShell } from '../shell';
import { peopleChanged } from './peopleQueries';

interface Props {
  onClose: () => void;
  onMade: (name: string) => void;
}

export function UsersNew({ onClose, onMade }: Props) {
  const { api, words } = useShell();
  const cache = useQueryClient();
  const { busy, error, act } = useAct();
  const [name, setName] = useState('');
  const [admin, setAdmin] = useState(false);
  const [made, setMade] = useState<{ name: string; password: string | null } | null>(null);
  const make = async (): Promise<void> => {
    const { user, one_time_password: password } = await answer(
      api.POST('/accounts/users', { body: { name: name.trim(), admin } })
    );
    setMade({ name: user.name, password });
    await peopleChanged(cache);
  };
  if (made) {
    return (
      <div className="pk-asset-form" role="status">
        <p>{words.__('The user %1 is made.', made.name)}</p>
        <OneTime name={made.name} password={made.password} />
        <div className="pk-asset-form-end">
          <button type="button" className="pk-button" onClick={() => onMade(made.name)}>
            {words.__('Look at %1', made.name)}
          </button>
          <button type="button" className="pk-button" onClick={onClose}>
            {words.__('Done')}
          </button>
        </div>
      </div>
    );
  }
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('New user')}
      onSubmit={event => {
        event.preventDefault();
        act(make);
      }}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      <Field
        label={words.__('Name')}
        name="name"
        error={error}
        hint={words.__('Lower-case letters, digits, “.”, “_” and “-”. It is also the name of their own workspace.')}
      >
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
      <label className="pk-asset-check">
        <input type="checkbox" checked={admin} onChange={event => setAdmin(event.target.checked)} />
        {words.__('An admin, who sees and changes everything')}
      </label>
      <Refusal error={error} fields={['name']} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button" disabled={busy || name.trim() === ''}>
          {words.__('Make the user')}
        </button>
      </div>
    </form>
  );
}

/** A password that is shown this once; null where an identity provider keeps them. */
export function OneTime({ name, password }: { name: string; password: string | null }) {
  const { words } = useShell();
  if (password === null) {
    return <p className="pk-quiet">{words.__('They log in at the identity provider under this name.')}</p>;
  }
  return (
    <div className="pk-one-time">
      <p>
        {words.__(
          'Hand them this one-time password. With it they choose a password of their own when they log in as %1.',
          name
        )}
      </p>
      <p>
        <code>
          <Copyable text={password} />
        </code>
      </p>
      <p className="pk-quiet">{words.__('It is shown only now: if it gets lost, make another one.')}</p>
    </div>
  );
}
