/** Who belongs to a workspace, and as what; for its owners: add, change, remove. Everybody may leave. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer } from '../../api/client';
import { useMe } from '../../api/queries';
import { Field, Refusal, useAct } from '../assets/bits';
import { Ago, Loaded, Section } from '../parts';
import { useShell } from '../shell';
import { type Role, useMayManage, useMembers, type Workspace } from './queries';
import { roleMeaning, roleName, ROLES } from './roles';

const PATH = '/accounts/workspaces/{workspace}/members/{user}';

export function Members({ workspace }: { workspace: Workspace }) {
  const { words } = useShell();
  const query = useMembers(workspace.name);
  const manages = useMayManage(workspace);
  return (
    <Section name="members" title={words.__('Members')} count={query.data && String(query.data.items.length)}>
      <Loaded query={query} lines={3}>
        {({ items, revision }) => (
          <table className="pk-asset-table pk-stacked" aria-label={words.__('Members')}>
            <thead>
              <tr>
                <th scope="col">{words.__('User')}</th>
                <th scope="col">{words.__('Role')}</th>
                <th scope="col">{words.__('Added')}</th>
                <th scope="col">
                  <span className="pk-hidden">{words.__('Actions')}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map(member => (
                <tr key={member.user}>
                  <th scope="row" className="pk-cell-name">
                    {member.user}
                    {member.display_name && <span className="pk-fact"> {member.display_name}</span>}
                  </th>
                  <td data-title={words.__('Role')}>
                    <RoleOf workspace={workspace} user={member.user} role={member.role} revision={revision} />
                  </td>
                  <td data-title={words.__('Added')}>
                    <Ago time={member.added} />
                    {member.added_by && <span className="pk-fact"> {words.__('by %1', member.added_by)}</span>}
                  </td>
                  <td className="pk-amount">
                    <Leave workspace={workspace} user={member.user} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      {manages && <Add workspace={workspace} />}
    </Section>
  );
}

/** Has everything that shows members look again. */
function useChanged(): () => Promise<void> {
  const cache = useQueryClient();
  return async () => {
    await Promise.all([
      cache.invalidateQueries({ queryKey: ['workspaces'] }),
      cache.invalidateQueries({ queryKey: ['me'] })
    ]);
  };
}

function RoleOf({
  workspace,
  user,
  role,
  revision
}: {
  workspace: Workspace;
  user: string;
  role: Role;
  revision: number;
}) {
  const { api, words, announce } = useShell();
  const manages = useMayManage(workspace);
  const changed = useChanged();
  const { busy, error, act } = useAct();
  if (!manages) {
    return <span title={roleMeaning(role, words)}>{roleName(role, words)}</span>;
  }
  const change = (next: Role): void =>
    act(async () => {
      try {
        await answer(
          api.PUT(PATH, {
            params: { path: { workspace: workspace.name, user } },
            body: { role: next },
            // Two owners at once must not undo each other unseen.
            headers: { 'If-Match': `"${revision}"` }
          })
        );
        announce(words.__('%1 is now %2.', user, roleName(next, words)), 'success');
      } finally {
        await changed();
      }
    });
  return (
    <>
      <select
        className="pk-asset-input"
        aria-label={words.__('Role of %1', user)}
        title={roleMeaning(role, words)}
        value={role}
        disabled={busy}
        onChange={event => change(event.target.value as Role)}
      >
        {ROLES.map(one => (
          <option key={one} value={one}>
            {roleName(one, words)}
          </option>
        ))}
      </select>
      <Refusal error={error} />
    </>
  );
}

/** Takes somebody out, or lets one leave. */
function Leave({ workspace, user }: { workspace: Workspace; user: string }) {
  const { api, words, confirm, announce, open } = useShell();
  const { data: me } = useMe();
  const manages = useMayManage(workspace);
  const changed = useChanged();
  const [busy, setBusy] = useState(false);
  const oneself = user === me?.name;
  if (!oneself && !manages) {
    return null;
  }
  const remove = async (): Promise<void> => {
    const title = oneself
      ? words.__('Leave %1?', workspace.name)
      : words.__('Remove %1 from %2?', user, workspace.name);
    const lost = oneself
      ? words.__('You no longer see what it owns, until an owner adds you again. What you made stays with it.')
      : words.__('They no longer see what it owns. What they made stays with the workspace.');
    if (!(await confirm(title, lost, oneself ? words.__('Leave') : words.__('Remove')))) {
      return;
    }
    setBusy(true);
    try {
      await answer(api.DELETE(PATH, { params: { path: { workspace: workspace.name, user } } }));
      announce(
        oneself
          ? words.__('You have left %1.', workspace.name)
          : words.__('%1 no longer belongs to %2.', user, workspace.name),
        'success'
      );
      if (oneself) {
        open({ view: 'workspaces' });
      }
    } catch (error) {
      announce((error as Error).message, 'error');
    }
    await changed();
    setBusy(false);
  };
  return (
    <button
      type="button"
      className="pk-button"
      disabled={busy}
      aria-label={oneself ? words.__('Leave this workspace') : words.__('Remove %1', user)}
      onClick={() => void remove()}
    >
      {oneself ? words.__('Leave') : words.__('Remove')}
    </button>
  );
}

function Add({ workspace }: { workspace: Workspace }) {
  const { api, words, announce } = useShell();
  const changed = useChanged();
  const [user, setUser] = useState('');
  const [role, setRole] = useState<Role>('member');
  const { busy, error, act } = useAct();
  const add = async (): Promise<void> => {
    const name = user.trim();
    await answer(api.PUT(PATH, { params: { path: { workspace: workspace.name, user: name } }, body: { role } }));
    setUser('');
    await changed();
    announce(words.__('%1 is now %2.', name, roleName(role, words)), 'success');
  };
  return (
    <form
      className="pk-asset-form-row pk-add-member"
      aria-label={words.__('Add a member')}
      onSubmit={event => {
        event.preventDefault();
        act(add);
      }}
    >
      <Field label={words.__('User name')} name="user" error={error}>
        {tie => (
          <input
            {...tie}
            className="pk-asset-input"
            required
            autoComplete="off"
            spellCheck={false}
            value={user}
            onChange={event => setUser(event.target.value)}
          />
        )}
      </Field>
      <Field label={words.__('Role')} name="role" error={error} hint={roleMeaning(role, words)}>
        {tie => (
          <span className="pk-together">
            <select
              {...tie}
              className="pk-asset-input"
              value={role}
              onChange={event => setRole(event.target.value as Role)}
            >
              {ROLES.map(one => (
                <option key={one} value={one}>
                  {roleName(one, words)}
                </option>
              ))}
            </select>
            <button type="submit" className="pk-button" disabled={busy || user.trim() === ''}>
              {words.__('Add')}
            </button>
          </span>
        )}
      </Field>
      <Refusal error={error} fields={['user', 'role']} />
    </form>
  );
}
