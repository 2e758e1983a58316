/** One workspace: its members, money and limits. */
import { useQueryClient } from '@tanstack/react-query';
import { flushSync } from 'react-dom';

import { answer } from '../../api/client';
import { Members } from '../account/Members';
import { useWorkspace } from '../account/queries';
import { StoredSection } from '../account/Stored';
import { Refusal, useAct } from '../assets/bits';
import { Ago, Loaded, Section } from '../parts';
import { useShell } from '../shell';
import { Facts } from './Beside';
import { type Workspace, workspaceGone } from './peopleQueries';
import { WorkspacesLimits } from './WorkspacesLimits';
import { WorkspacesMoney } from './WorkspacesMoney';

export function WorkspacesDetail({ name, onGone }: { name: string; onGone: () => void }) {
  const { words, open } = useShell();
  return (
    <Loaded query={useWorkspace(name)} lines={8}>
      {workspace => (
        <>
          {workspace.description && <p>{workspace.description}</p>}
          <Facts
            facts={[
              [words.__('Made by'), workspace.creator || words.__('the Hub')],
              [words.__('Made'), <Ago key="made" time={workspace.created} />]
            ]}
          />
          <p>
            <button type="button" className="pk-link" onClick={() => open({ view: 'workspace', name })}>
              {words.__('Its page')}
            </button>
          </p>
          {!workspace.personal && <Members workspace={workspace} />}
          <Section name="admin-money" title={words.__('Money')}>
            <WorkspacesMoney name={name} />
          </Section>
          <StoredSection name={name} />
          <Section name="admin-limits" title={words.__('Limits')}>
            <WorkspacesLimits kind="workspace" subject={name} />
          </Section>
          {!workspace.personal && <Deletion workspace={workspace} onGone={onGone} />}
        </>
      )}
    </Loaded>
  );
}

/** Only an empty one goes: the platform says what is in the way. */
function Deletion({ workspace, onGone }: { workspace: Workspace; onGone: () => void }) {
  const { api, words, confirm, announce } = useShell();
  const cache = useQueryClient();
  const { busy, error, act } = useAct();
  const { name, revision } = workspace;
  const remove = async (): Promise<void> => {
    const lost = words._n(
      'Its %1 member no longer belongs to it. A workspace that still holds something is not deleted.',
      'Its %1 members no longer belong to it. A workspace that still holds something is not deleted.',
      workspace.members,
      workspace.members
    );
    if (await confirm(words.__('Delete the workspace %1?', name), lost, words.__('Delete'))) {
      const params = { path: { workspace: name } };
      await answer(
        api.DELETE('/accounts/workspaces/{workspace}', { params, headers: { 'If-Match': `"${revision}"` } })
      );
      announce(words.__('%1 is deleted.', name), 'info');
      flushSync(onGone); // closed before the lists are looked at again: what is in it would ask for what is gone
      await workspaceGone(cache);
    }
  };
  return (
    <>
      <Refusal error={error} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" disabled={busy} onClick={() => act(remove)}>
          {words.__('Delete…')}
        </button>
      </div>
    </>
  );
}
