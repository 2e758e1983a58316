/** Workspaces that people share: who owns them, what they have; making and deleting them. */
import { useDeferredValue, useState } from 'react';

import { NewWorkspace } from '../account/NewWorkspace';
import { Kept } from '../account/Stored';
import { More, SearchBox } from '../assets/bits';
import { money } from '../format';
import { Ago, Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { type Column, Table } from '../table/Table';
import { Beside } from './Beside';
import { useBalancesOf, useEveryWorkspace, useStoredOf, type Workspace } from './peopleQueries';
import { WorkspacesDetail } from './WorkspacesDetail';
import { WorkspacesLimits } from './WorkspacesLimits';

/** In place of a name: the limits of all that have none of their own. No workspace is called so. */
const DEFAULTS = '*';

export function Workspaces({ item = null }: { item?: string | null }) {
  const { words } = useShell();
  const [q, setQ] = useState('');
  const [opened, setOpened] = useState<string | null>(item);
  const [making, setMaking] = useState(false);
  const query = useEveryWorkspace(useDeferredValue(q).trim());
  const workspaces = query.data?.pages.flatMap(page => page.items);
  const detail = opened && {
    key: opened,
    title: opened === DEFAULTS ? words.__('Default limits of workspaces') : opened,
    body:
      opened === DEFAULTS ? (
        <WorkspacesLimits kind="workspace" subject={DEFAULTS} />
      ) : (
        <WorkspacesDetail name={opened} onGone={() => setOpened(null)} />
      )
  };
  const button = (
    <button type="button" className="pk-button pk-primary" onClick={() => setMaking(true)}>
      {words.__('New workspace…')}
    </button>
  );
  return (
    <Beside detail={detail || null} onClose={() => setOpened(null)}>
      <header className="pk-page-head">
        <h1 className="pk-title">{words.__('Workspaces')}</h1>
        <span className="pk-grow" />
        <button type="button" className="pk-button" onClick={() => setOpened(DEFAULTS)}>
          {words.__('Default limits…')}
        </button>
        {!making && (workspaces?.length !== 0 || q !== '') && button}
      </header>
      {making && (
        <NewWorkspace
          hint={words.__('You become its owner, and make others members or owners next.')}
          verb={words.__('Make the workspace')}
          onClose={() => setMaking(false)}
          onMade={setOpened}
        />
      )}
      <div className="pk-filters" role="search">
        <SearchBox value={q} onSearch={setQ} />
      </div>
      <Loaded query={{ ...query, data: workspaces }} lines={8}>
        {found =>
          found.length > 0 ? (
            <>
              <WorkspaceTable workspaces={found} opened={opened} onOpen={setOpened} />
              <More query={query} />
            </>
          ) : q !== '' ? (
            <Empty>{words.__('No workspace is called like that.')}</Empty>
          ) : (
            <Empty action={making ? undefined : button}>
              {words.__('A workspace is shared by several people, who own its data together and pay from one balance.')}
            </Empty>
          )
        }
      </Loaded>
    </Beside>
  );
}

interface TableProps {
  workspaces: Workspace[];
  opened: string | null;
  onOpen: (name: string) => void;
}

function WorkspaceTable({ workspaces, opened, onOpen }: TableProps) {
  const { words } = useShell();
  const { data: balances } = useBalancesOf(workspaces.map(workspace => workspace.name));
  const { data: storage } = useStoredOf(workspaces.map(workspace => workspace.name));
  const balance = (workspace: Workspace) => balances?.get(workspace.name);
  const stored = (workspace: Workspace) => storage?.get(workspace.name);
  const columns: Column<Workspace>[] = [
    {
      key: 'name',
      title: words.__('Name'),
      value: workspace => workspace.name,
      cell: workspace => <span title={workspace.description || undefined}>{workspace.name}</span>
    },
    {
      key: 'members',
      title: words.__('Members'),
      numeric: true,
      value: workspace => workspace.members,
      cell: workspace => workspace.members
    },
    {
      key: 'balance',
      title: words.__('Balance'),
      numeric: true,
      value: workspace => balance(workspace)?.balance_micro ?? null,
      cell: workspace => {
        const found = balance(workspace);
        return found && money(found.balance_micro - found.accrued_micro, found.currency);
      }
    },
    {
      key: 'month',
      title: words.__('This month'),
      numeric: true,
      value: workspace => balance(workspace)?.month_spent_micro ?? null,
      cell: workspace => {
        const found = balance(workspace);
        const budget = found?.budget_micro ?? null;
        return (
          found && (
            <>
              {money(found.month_spent_micro, found.currency)}
              {budget !== null && <span className="pk-fact"> {words.__('of %1', money(budget, found.currency))}</span>}
            </>
          )
        );
      }
    },
    {
      key: 'stored',
      title: words.__('Keeps'),
      numeric: true,
      value: workspace => stored(workspace)?.bytes ?? null,
      cell: workspace => {
        const found = stored(workspace);
        return found && <Kept stored={found} />;
      }
    },
    {
      key: 'creator',
      title: words.__('Made by'),
      minor: true,
      value: workspace => workspace.creator,
      cell: workspace => workspace.creator || words.__('the Hub')
    },
    {
      key: 'created',
      title: words.__('Made'),
      numeric: true,
      minor: true,
      value: workspace => Date.parse(workspace.created),
      cell: workspace => <Ago time={workspace.created} />
    }
  ];
  return (
    <Table
      label={words.__('Workspaces')}
      columns={columns}
      rows={workspaces}
      id={workspace => workspace.name}
      opened={opened}
      onOpen={workspace => onOpen(workspace.name)}
    />
  );
}
