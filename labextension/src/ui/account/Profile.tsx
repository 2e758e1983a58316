/** Who one is here; the name others see can be changed. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, type Schemas } from '../../api/client';
import { Field, Refusal, useAct } from '../assets/bits';
import { Copyable } from '../parts';
import { useShell } from '../shell';
import { roleName } from './roles';

export function Profile({ me }: { me: Schemas['Me'] }) {
  const { api, words, open, announce } = useShell();
  const cache = useQueryClient();
  const [typed, setTyped] = useState<string | null>(null);
  const { busy, error, act } = useAct();
  const name = typed ?? me.display_name;
  const save = async (): Promise<void> => {
    const changed = await answer(
      api.PATCH('/accounts/me', {
        body: { display_name: name.trim() },
        headers: { 'If-Match': `"${me.revision}"` }
      })
    );
    cache.setQueryData(['me'], changed);
    setTyped(null);
    announce(words.__('Your profile is saved.'), 'success');
  };
  return (
    <section className="pk-account-section" aria-labelledby="pk-profile">
      <h2 id="pk-profile">{words.__('Profile')}</h2>
      <dl className="pk-account-facts">
        <dt>{words.__('User name')}</dt>
        <dd>
          <Copyable text={me.name} />
          {me.admin && <span className="pk-tag">{words.__('admin')}</span>}
        </dd>
        {me.roles.length > 0 && (
          <>
            <dt>{words.__('Roles')}</dt>
            <dd>{me.roles.join(', ')}</dd>
          </>
        )}
        <dt>{words.__('Workspaces')}</dt>
        <dd>
          <ul className="pk-tags">
            {me.workspaces.map(({ workspace, role, personal }) => (
              <li key={workspace}>
                <button type="button" className="pk-link" onClick={() => open({ view: 'workspace', name: workspace })}>
                  {workspace}
                </button>{' '}
                <span className="pk-fact">{personal ? words.__('your own') : roleName(role, words)}</span>
              </li>
            ))}
          </ul>
        </dd>
      </dl>
      <form
        className="pk-account-name"
        onSubmit={event => {
          event.preventDefault();
          act(save);
        }}
      >
        <Field
          label={words.__('Name others see')}
          name="display_name"
          error={error}
          hint={words.__('Shown beside your user name, to members of your workspaces.')}
        >
          {tie => (
            <span className="pk-together">
              <input
                {...tie}
                className="pk-asset-input"
                maxLength={100}
                autoComplete="name"
                value={name}
                onChange={event => setTyped(event.target.value)}
              />
              <button type="submit" className="pk-button" disabled={busy || name.trim() === me.display_name}>
                {words.__('Save')}
              </button>
            </span>
          )}
        </Field>
        <Refusal error={error} fields={['display_name']} />
      </form>
    </section>
  );
}
