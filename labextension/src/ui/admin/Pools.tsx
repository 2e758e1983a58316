/** Which nodes and specs are for whom. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer } from '../../api/client';
import { Empty, Loaded } from '../parts';
import { useShell, type Words } from '../shell';
import { OfferActions } from './OfferActions';
import { hasShare, PoolForm } from './PoolForm';
import { inTrees } from './poolTree';
import { onlyAt, type Pool, POOL_AS_IS, usePools } from './queries';

export function Pools() {
  const { words } = useShell();
  const query = usePools();
  const [editing, setEditing] = useState<string | null>(null);
  const edited = query.data?.items.find(pool => pool.name === editing);
  const close = (): void => setEditing(null);
  const shares = query.data?.items.some(hasShare) ?? false;
  return (
    <section aria-labelledby="pk-pools">
      <div className="pk-page-head">
        <h1 id="pk-pools" className="pk-title">
          {words.__('Pools')}
        </h1>
        <span className="pk-grow" />
        <button type="button" className="pk-button" disabled={editing === ''} onClick={() => setEditing('')}>
          {words.__('New pool…')}
        </button>
      </div>
      {editing === '' && <PoolForm onClose={close} />}
      {edited && <PoolForm key={edited.revision} pool={edited} onClose={close} />}
      <Loaded query={query} lines={3}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>
              {words.__('A pool says who may use which specs on which nodes. Without one nobody may run anything.')}
            </Empty>
          ) : (
            <div className="pk-scroll">
              <table className="pk-asset-table">
                <thead>
                  <tr>
                    <th scope="col">{words.__('Name')}</th>
                    <th scope="col">{words.__('Nodes')}</th>
                    <th scope="col">{words.__('Specs')}</th>
                    <th scope="col">{words.__('For')}</th>
                    <th scope="col">{words.__('Who may use it')}</th>
                    <th scope="col" className="pk-amount">
                      {words.__('Rank')}
                    </th>
                    {shares && <th scope="col">{words.__('Shares')}</th>}
                    <th scope="col">{words.__('State')}</th>
                    <th scope="col">
                      <span className="pk-unseen">{words.__('Actions')}</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {inTrees(items).map(({ pool, depth }) => (
                    <Row key={pool.id} pool={pool} depth={depth} shares={shares} onEdit={() => setEditing(pool.name)} />
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Loaded>
    </section>
  );
}

/** Who may use a pool, in words. */
export function allowed(pool: Pool, words: Words): string {
  if (pool.everyone) {
    return words.__('everyone');
  }
  const parts: [string[], string][] = [
    [pool.workspaces, words.__('workspaces')],
    [pool.users, words.__('users')],
    [pool.hub_roles, words.__('roles')]
  ];
  const said = parts.filter(([names]) => names.length > 0).map(([names, what]) => `${what}: ${names.join(', ')}`);
  return said.join(' · ') || words.__('nobody');
}

/** What a pool gets of its nodes beside others, in words. */
function share(pool: Pool, words: Words): string {
  const said = [
    pool.guarantee_percent > 0 && words.__('guaranteed %1 %', pool.guarantee_percent),
    pool.deserved_percent > 0 && words.__('deserves %1 %', pool.deserved_percent),
    pool.reclaimable && words.__('lends')
  ];
  return said.filter(Boolean).join(' · ');
}

interface RowProps {
  pool: Pool;
  /** How many pools it is a part of, one within the other. */
  depth: number;
  /** Whether there is a column for shares. */
  shares: boolean;
  onEdit: () => void;
}

function Row({ pool, depth, shares, onEdit }: RowProps) {
  const { api, words, confirm } = useShell();
  const cache = useQueryClient();
  const params = { path: { pool: pool.name } };
  const headers = onlyAt(pool.revision);
  const changed = (): Promise<void> => cache.invalidateQueries({ queryKey: ['pools'] });
  const turn = async (): Promise<void> => {
    await answer(
      api.PATCH('/resources/pools/{pool}', { params, headers, body: { ...POOL_AS_IS, enabled: !pool.enabled } })
    );
    await changed();
  };
  const remove = async (): Promise<void> => {
    const lost = words.__('Who may use its specs only through it can no longer. What runs goes on.');
    if (await confirm(words.__('Delete the pool %1?', pool.name), lost, words.__('Delete'))) {
      await answer(api.DELETE('/resources/pools/{pool}', { params, headers }));
      await changed();
    }
  };
  const all = words.__('all');
  const names = (list: string[], none: string): string => (list.length === 0 ? none : list.join(', '));
  const kinds = pool.kinds.map(kind => (kind === 'job' ? words.__('jobs') : words.__('notebooks')));
  return (
    <tr>
      <th scope="row" title={pool.description || undefined}>
        {depth > 0 && (
          <span className="pk-branch" style={{ marginInlineStart: `${depth - 1}em` }} aria-hidden="true">
            └
          </span>
        )}
        {pool.name}
        {depth > 0 && <span className="pk-unseen"> {words.__('(part of %1)', pool.parent)}</span>}
      </th>
      <td>{names(pool.nodes, pool.parent ? words.__('all of %1', pool.parent) : all)}</td>
      <td>{names(pool.specs, all)}</td>
      <td>{kinds.join(', ')}</td>
      <td className="pk-wrap">{allowed(pool, words)}</td>
      <td className="pk-amount">{pool.priority}</td>
      {shares && <td>{share(pool, words)}</td>}
      <td>{pool.enabled ? words.__('on offer') : words.__('disabled')}</td>
      <OfferActions offer={pool} onEdit={onEdit} turn={turn} remove={remove} />
    </tr>
  );
}
