/** Users: who they are, what they have left, when they were here; making new ones. */
import { useDeferredValue, useState } from 'react';

import { Kept } from '../account/Stored';
import { Select, More, SearchBox } from '../assets/bits';
import { money } from '../format';
import { Ago, Empty, Loaded } from '../parts';
import { useShell, type Words } from '../shell';
import { type Column, Table } from '../table/Table';
import { Beside } from './Beside';
import { type User, type UserFilter, useBalancesOf, useStoredOf, useUsers } from './peopleQueries';
import { UsersDetail } from './UsersDetail';
import { UsersNew } from './UsersNew';
import { WorkspacesLimits } from './WorkspacesLimits';

const EVERYBODY: UserFilter = { q: '', state: '' };
/** In place of a user's name: the limits of all who have none of their own. No user is called so. */
const DEFAULTS = '*';

export function Users({ item = null }: { item?: string | null }) {
  const { words } = useShell();
  const [filter, setFilter] = useState(EVERYBODY);
  const [opened, setOpened] = useState<string | null>(item);
  const [making, setMaking] = useState(false);
  const asked = useDeferredValue(filter);
  const query = useUsers({ q: asked.q.trim(), state: asked.state });
  const users = query.data?.pages.flatMap(page => page.items);
  const detail = opened && {
    key: opened,
    title: opened === DEFAULTS ? words.__('Default limits of users') : opened,
    body: opened === DEFAULTS ? <WorkspacesLimits kind="user" subject={DEFAULTS} /> : <UsersDetail name={opened} />
  };
  return (
    <Beside detail={detail || null} onClose={() => setOpened(null)}>
      <header className="pk-page-head">
        <h1 className="pk-title">{words.__('Users')}</h1>
        <span className="pk-grow" />
        <button type="button" className="pk-button" onClick={() => setOpened(DEFAULTS)}>
          {words.__('Default limits…')}
        </button>
        {!making && (
          <button type="button" className="pk-button pk-primary" onClick={() => setMaking(true)}>
            {words.__('New user…')}
          </button>
        )}
      </header>
      {making && <UsersNew onClose={() => setMaking(false)} onMade={setOpened} />}
      <Filters filter={filter} onFilter={setFilter} />
      <Loaded query={{ ...query, data: users }} lines={10}>
        {found =>
          found.length > 0 ? (
            <>
              <UserTable users={found} opened={opened} onOpen={setOpened} />
              <More query={query} />
            </>
          ) : (
            <Empty
              action={
                <button type="button" className="pk-button" onClick={() => setFilter(EVERYBODY)}>
                  {words.__('Show all')}
                </button>
              }
            >
              {words.__('No user is like that.')}
            </Empty>
          )
        }
      </Loaded>
    </Beside>
  );
}

function Filters({ filter, onFilter }: { filter: UserFilter; onFilter: (filter: UserFilter) => void }) {
  const { words } = useShell();
  const states: Record<UserFilter['state'], string> = {
    '': words.__('All'),
    active: words.__('Not frozen'),
    frozen: words.__('Frozen'),
    admin: words.__('Admins')
  };
  return (
    <div className="pk-filters" role="search">
      <SearchBox value={filter.q} onSearch={text => onFilter({ ...filter, q: text })} />
      <Select
        label={words.__('State')}
        titles={states}
        value={filter.state}
        onChoose={value => onFilter({ ...filter, state: value })}
      />
    </div>
  );
}

interface TableProps {
  users: User[];
  opened: string | null;
  onOpen: (name: string) => void;
}

function UserTable({ users, opened, onOpen }: TableProps) {
  const { words } = useShell();
  const { data: balances } = useBalancesOf(users.map(user => user.name));
  const { data: storage } = useStoredOf(users.map(user => user.name));
  const balance = (user: User) => balances?.get(user.name);
  const stored = (user: User) => storage?.get(user.name);
  const columns: Column<User>[] = [
    {
      key: 'name',
      title: words.__('Name'),
      value: user => user.name,
      cell: user => (
        <>
          {user.name} {user.display_name && <span className="pk-fact">{user.display_name}</span>}
        </>
      )
    },
    {
      key: 'state',
      title: words.__('State'),
      value: user => stateName(user, words),
      cell: user => <State user={user} />
    },
    {
      key: 'balance',
      title: words.__('Balance'),
      numeric: true,
      value: user => balance(user)?.balance_micro ?? null,
      cell: user => {
        const found = balance(user);
        return found && money(found.balance_micro - found.accrued_micro, found.currency);
      }
    },
    {
      key: 'stored',
      title: words.__('Keeps'),
      numeric: true,
      value: user => stored(user)?.bytes ?? null,
      cell: user => {
        const found = stored(user);
        return found && <Kept stored={found} />;
      }
    },
    {
      key: 'seen',
      title: words.__('Last seen'),
      numeric: true,
      value: user => user.last_seen && Date.parse(user.last_seen),
      cell: user => (user.last_seen ? <Ago time={user.last_seen} /> : words.__('not yet'))
    },
    {
      key: 'created',
      title: words.__('Made'),
      numeric: true,
      minor: true,
      value: user => Date.parse(user.created),
      cell: user => <Ago time={user.created} />
    }
  ];
  return (
    <Table
      label={words.__('Users')}
      columns={columns}
      rows={users}
      id={user => user.name}
      opened={opened}
      onOpen={user => onOpen(user.name)}
    />
  );
}

function stateName(user: User, words: Words): string {
  if (user.frozen) {
    return words.__('frozen');
  }
  return user.admin ? words.__('admin') : words.__('user');
}

function State({ user }: { user: User }) {
  const { words } = useShell();
  return (
    <span className={user.frozen ? 'pk-failed' : undefined} title={user.frozen_reason || undefined}>
      {stateName(user, words)}
    </span>
  );
}
