/** The workspaces one belongs to; making another one. */
import { useState } from 'react';

import { useMe } from '../../api/queries';
import { More, type Order, sorted, SortHead, walkRows } from '../assets/bits';
import { money, price } from '../format';
import { Loaded } from '../parts';
import { useShell } from '../shell';
import { NewWorkspace } from './NewWorkspace';
import { useBalances, useWorkspaces, type Workspace } from './queries';
import { roleName, ROLES } from './roles';

export function WorkspacesView() {
  const { words, open } = useShell();
  const { data: me } = useMe();
  const query = useWorkspaces();
  const [making, setMaking] = useState(false);
  const mayMake = me?.scopes.some(scope => scope.split('!')[0] === 'custom:pumpkin:accounts:write');
  return (
    <div className="pk-page pk-account">
      <header className="pk-page-head">
        <h1 className="pk-title">{words.__('Workspaces')}</h1>
        <span className="pk-grow" />
        {mayMake && !making && (
          <button type="button" className="pk-button pk-primary" onClick={() => setMaking(true)}>
            {words.__('New workspace…')}
          </button>
        )}
      </header>
      <p className="pk-quiet">
        {words.__('A workspace owns data, models and jobs, and pays for them. Your own is called like you.')}
      </p>
      {making && (
        <NewWorkspace
          hint={words.__('Lower-case letters, digits, “.”, “_” and “-”.')}
          verb={words.__('Make it')}
          primary
          onClose={() => setMaking(false)}
          onMade={name => open({ view: 'workspace', name })}
        />
      )}
      <Loaded query={{ ...query, data: query.data?.pages.flatMap(page => page.items) }} lines={4}>
        {items => (
          <>
            <WorkspaceTable items={items} />
            <More query={query} />
          </>
        )}
      </Loaded>
    </div>
  );
}

type Column = 'name' | 'role' | 'members' | 'balance' | 'month' | 'burn';

function WorkspaceTable({ items }: { items: Workspace[] }) {
  const { words, open, language } = useShell();
  const [order, setOrder] = useState<Order<Column> | null>(null);
  const { data: balances } = useBalances();
  const byName = new Map(balances?.items.map(balance => [balance.workspace, balance]));
  const values: Record<Column, (item: Workspace) => string | number> = {
    name: item => item.name,
    role: item => (item.role === null ? ROLES.length : ROLES.indexOf(item.role)),
    members: item => item.members,
    balance: item => byName.get(item.name)?.balance_micro ?? 0,
    month: item => byName.get(item.name)?.month_spent_micro ?? 0,
    burn: item => byName.get(item.name)?.burn_micro ?? 0
  };
  const titles: [Column, string][] = [
    ['name', words.__('Name')],
    ['role', words.__('Your role')],
    ['members', words.__('Members')],
    ['balance', words.__('Balance')],
    ['month', words.__('This month')],
    ['burn', words.__('Spends now')]
  ];
  return (
    <table className="pk-asset-table pk-stacked" onKeyDown={walkRows}>
      <thead>
        <tr>
          {titles.map(([by, title], at) => (
            <SortHead key={by} by={by} order={order} onOrder={setOrder} numeric={at > 1}>
              {title}
            </SortHead>
          ))}
        </tr>
      </thead>
      <tbody>
        {sorted(items, order, values, language).map(item => {
          const balance = byName.get(item.name);
          return (
            <tr key={item.id}>
              <th scope="row" className="pk-cell-name">
                <button
                  type="button"
                  className="pk-link pk-walk"
                  onClick={() => open({ view: 'workspace', name: item.name })}
                >
                  {item.name}
                </button>
                {item.description && <span className="pk-fact pk-described"> {item.description.split('\n')[0]}</span>}
              </th>
              <td data-title={words.__('Your role')}>
                {item.personal ? words.__('your own') : item.role && roleName(item.role, words)}
              </td>
              <td data-title={words.__('Members')} className="pk-amount">
                {item.members}
              </td>
              <td data-title={words.__('Balance')} className="pk-amount">
                {balance && money(balance.balance_micro - balance.accrued_micro, balance.currency)}
              </td>
              <td data-title={words.__('This month')} className="pk-amount">
                {balance && money(balance.month_spent_micro, balance.currency)}
              </td>
              <td data-title={words.__('Spends now')} className="pk-amount">
                {balance &&
                  (balance.burn_micro ? price(balance.burn_micro, balance.currency, words) : words.__('nothing'))}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
