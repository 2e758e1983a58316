/** One workspace: who belongs to it, its money, what it owns and what it runs. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer } from '../../api/client';
import { Field, Refusal, useAct } from '../assets/bits';
import { Ago, Loaded } from '../parts';
import { useShell } from '../shell';
import { Ledger } from './Ledger';
import { Members } from './Members';
import { Money } from './Money';
import { Owned } from './Owned';
import { useMayManage, useWorkspace, type Workspace } from './queries';
import { roleName } from './roles';
import { Runs } from './Runs';
import { StoredSection } from './Stored';

export function WorkspaceView({ name }: { name: string }) {
  const query = useWorkspace(name);
  return (
    <div className="pk-page pk-account">
      <Loaded query={query} lines={10}>
        {workspace => (
          <>
            <Head workspace={workspace} />
            <Money name={name} />
            <StoredSection name={name} />
            {!workspace.personal && <Members workspace={workspace} />}
            <Owned name={name} />
            <Runs name={name} />
            <Ledger name={name} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Head({ workspace }: { workspace: Workspace }) {
  const { words } = useShell();
  const [editing, setEditing] = useState(false);
  const manages = useMayManage(workspace);
  const maker = workspace.creator || words.__('the Hub');
  return (
    <>
      <header className="pk-page-head">
        <h1 className="pk-title">{workspace.name}</h1>
        <span className="pk-fact">
          {workspace.personal
            ? words.__('your own workspace')
            : workspace.role
              ? words.__('you are %1', roleName(workspace.role, words))
              : words.__('you look in as an admin')}
        </span>
        <span className="pk-fact">
          {words.__('made by %1', maker)} <Ago time={workspace.created} />
        </span>
        <span className="pk-grow" />
        {manages && !editing && (
          <button type="button" className="pk-button" onClick={() => setEditing(true)}>
            {words.__('Edit…')}
          </button>
        )}
        {manages && <Delete workspace={workspace} />}
      </header>
      {editing ? (
        <Edit workspace={workspace} onClose={() => setEditing(false)} />
      ) : (
        workspace.description && <p className="pk-description">{workspace.description}</p>
      )}
    </>
  );
}

function Edit({ workspace, onClose }: { workspace: Workspace; onClose: () => void }) {
  const { api, words } = useShell();
  const cache = useQueryClient();
  const [description, setDescription] = useState(workspace.description);
  const { busy, error, act } = useAct();
  const save = async (): Promise<void> => {
    await answer(
      api.PATCH('/accounts/workspaces/{workspace}', {
        params: { path: { workspace: workspace.name } },
        body: { description },
        headers: { 'If-Match': `"${workspace.revision}"` }
      })
    );
    await cache.invalidateQueries({ queryKey: ['workspaces'] });
    onClose();
  };
  return (
    <form
      className="pk-asset-form"
      onSubmit={event => {
        event.preventDefault();
        act(save);
      }}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      <Field label={words.__('What it is for')} name="description" error={error}>
        {tie => (
          <textarea
            {...tie}
            className="pk-asset-input"
            rows={3}
            maxLength={2000}
            value={description}
            onChange={event => setDescription(event.target.value)}
          />
        )}
      </Field>
      <Refusal error={error} fields={['description']} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button pk-primary" disabled={busy}>
          {words.__('Save')}
        </button>
      </div>
    </form>
  );
}

function Delete({ workspace }: { workspace: Workspace }) {
  const { api, words, confirm, announce, open } = useShell();
  const cache = useQueryClient();
  const [busy, setBusy] = useState(false);
  const remove = async (): Promise<void> => {
    const lost = words.__('Its members belong to it no more. It must own nothing and have no money left.');
    if (!(await confirm(words.__('Delete the workspace %1?', workspace.name), lost, words.__('Delete')))) {
      return;
    }
    setBusy(true);
    try {
      await answer(api.DELETE('/accounts/workspaces/{workspace}', { params: { path: { workspace: workspace.name } } }));
      await Promise.all([
        cache.invalidateQueries({ queryKey: ['workspaces'], exact: true }),
        cache.invalidateQueries({ queryKey: ['me'] })
      ]);
      announce(words.__('The workspace %1 is deleted.', workspace.name), 'success');
      open({ view: 'workspaces' });
    } catch (error) {
      announce((error as Error).message, 'error');
      setBusy(false);
    }
  };
  return (
    <button type="button" className="pk-button" disabled={busy} onClick={() => void remove()}>
      {words.__('Delete…')}
    </button>
  );
}
