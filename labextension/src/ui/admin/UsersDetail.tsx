/** One user: their state, their money, their limits. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer } from '../../api/client';
import { useMe } from '../../api/queries';
import { Field, Refusal, useAct } from '../assets/bits';
import { Ago, Loaded, Section } from '../parts';
import { useShell } from '../shell';
import { Facts } from './Beside';
import { peopleChanged, type User, useUser } from './peopleQueries';
import { OneTime } from './UsersNew';
import { WorkspacesLimits } from './WorkspacesLimits';
import { WorkspacesMoney } from './WorkspacesMoney';

export function UsersDetail({ name }: { name: string }) {
  const { words, open } = useShell();
  return (
    <Loaded query={useUser(name)} lines={8}>
      {user => (
        <>
          <Facts
            facts={[
              user.display_name !== '' && [words.__('Shown as'), user.display_name],
              [words.__('Last seen'), user.last_seen ? <Ago time={user.last_seen} /> : words.__('not yet')],
              [words.__('Made'), <Ago key="made" time={user.created} />],
              user.roles.length > 0 && [words.__('Roles'), user.roles.join(', ')]
            ]}
          />
          <p>
            <button
              type="button"
              className="pk-link"
              onClick={() => open({ view: 'admin', section: 'jobs', item: name })}
            >
              {words.__('Their jobs')}
            </button>
          </p>
          <Freezing user={user} />
          <Rights user={user} />
          <Section name="admin-money" title={words.__('Money')}>
            <WorkspacesMoney name={name} />
          </Section>
          <Section name="admin-limits" title={words.__('Limits')}>
            <WorkspacesLimits kind="user" subject={name} />
          </Section>
        </>
      )}
    </Loaded>
  );
}

/** Shuts a user out, or lets them in again. */
function Freezing({ user }: { user: User }) {
  const { api, words, confirm, announce } = useShell();
  const cache = useQueryClient();
  const { busy, error, act } = useAct();
  const [reason, setReason] = useState('');
  const params = { path: { user: user.name } };
  const headers = { 'If-Match': `"${user.revision}"` };
  const freeze = async (): Promise<void> => {
    const lost = words.__(
      'Their jobs and notebooks are stopped: what these have computed and not saved is lost. Their tokens are deleted and they are logged out. What they keep stays.'
    );
    if (await confirm(words.__('Freeze %1?', user.name), lost, words.__('Freeze'))) {
      const body = { reason: reason.trim() };
      await answer(api.POST('/accounts/users/{user}/freeze', { params, headers, body }));
      setReason('');
      await peopleChanged(cache);
      announce(words.__('%1 is frozen.', user.name), 'success');
    }
  };
  const thaw = async (): Promise<void> => {
    await answer(api.POST('/accounts/users/{user}/thaw', { params, headers }));
    await peopleChanged(cache);
    announce(words.__('%1 may log in again.', user.name), 'success');
  };
  if (user.frozen) {
    return (
      <div className="pk-asset-form">
        <p className="pk-failed">
          {words.__('Frozen by %1', user.frozen_by)}
          {user.frozen_reason && `: ${user.frozen_reason}`}
        </p>
        {!user.synced && <p className="pk-quiet">{words.__('The Hub has yet to be told; it is tried again.')}</p>}
        <Refusal error={error} />
        <div className="pk-asset-form-end">
          <button type="button" className="pk-button" disabled={busy} onClick={() => act(thaw)}>
            {words.__('Thaw')}
          </button>
        </div>
      </div>
    );
  }
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('Freeze')}
      onSubmit={event => {
        event.preventDefault();
        act(freeze);
      }}
    >
      <Field label={words.__('Reason, which they are shown')} name="reason" error={error}>
        {tie => (
          <span className="pk-together">
            <input
              {...tie}
              className="pk-asset-input"
              maxLength={255}
              required
              value={reason}
              onChange={event => setReason(event.target.value)}
            />
            <button type="submit" className="pk-button" disabled={busy || reason.trim() === ''}>
              {words.__('Freeze…')}
            </button>
          </span>
        )}
      </Field>
      <Refusal error={error} fields={['reason']} />
    </form>
  );
}

/** Admin rights, and a new password for who has lost theirs. */
function Rights({ user }: { user: User }) {
  const { api, words, confirm, announce } = useShell();
  const { data: me } = useMe();
  const cache = useQueryClient();
  const { busy, error, act } = useAct();
  const [password, setPassword] = useState<string | null>(null);
  const params = { path: { user: user.name } };
  const change = async (): Promise<void> => {
    const [title, means, verb] = user.admin
      ? [
          words.__('Take the admin rights of %1?', user.name),
          words.__('They see and change only what is theirs, from now on.'),
          words.__('Take them')
        ]
      : [
          words.__('Make %1 an admin?', user.name),
          words.__('They will see and change everything of everybody, users and money included.'),
          words.__('Make admin')
        ];
    if (await confirm(title, means, verb)) {
      await answer(api.PATCH('/accounts/users/{user}', { params, body: { admin: !user.admin } }));
      await peopleChanged(cache);
      const now = user.admin
        ? words.__('%1 is no longer an admin.', user.name)
        : words.__('%1 is an admin.', user.name);
      announce(now, 'success');
    }
  };
  const renew = async (): Promise<void> => {
    const made = await answer(api.POST('/accounts/users/{user}/one-time-password', { params }));
    setPassword(made.one_time_password);
  };
  return (
    <>
      <div className="pk-asset-form-row">
        {user.name !== me?.name && (
          <button type="button" className="pk-button" disabled={busy} onClick={() => act(change)}>
            {user.admin ? words.__('Take admin rights…') : words.__('Make admin…')}
          </button>
        )}
        <button type="button" className="pk-button" disabled={busy} onClick={() => act(renew)}>
          {words.__('New one-time password')}
        </button>
      </div>
      {password !== null && (
        <div className="pk-asset-form" role="status">
          <OneTime name={user.name} password={password} />
        </div>
      )}
      <Refusal error={error} />
    </>
  );
}
