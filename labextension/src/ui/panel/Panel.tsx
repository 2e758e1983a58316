/** The side panel: what runs, what waits, and what there is to work with. */
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue, useRef, useState } from 'react';

import { glance, useBalance, useMe } from '../../api/queries';
import { duration, money, price } from '../format';
import { useOnScreen } from '../job/visible';
import { Stale } from '../parts';
import { useShell } from '../shell';
import { Assets, Environments } from './Assets';
import { Jobs } from './Jobs';
import { ThisNotebook } from './ThisNotebook';
import { choose, useWorkspace } from './workspace';

export function Panel({ server, shortcut }: { server: string; shortcut: () => string }) {
  const { words, api } = useShell();
  const place = useRef<HTMLDivElement>(null);
  const live = useOnScreen(place);
  const workspace = useWorkspace();
  const [search, setSearch] = useState('');
  const q = useDeferredValue(search.trim());
  const jobs = useQuery(glance(api, { workspace: workspace || undefined, q: q || undefined }));
  const narrowed = { q, workspace, live };
  return (
    <div ref={place} className="pk-panel">
      <div className="pk-panel-head">
        <Workspace workspace={workspace} />
        <input
          type="search"
          className="pk-search"
          aria-label={words.__('Search jobs and data')}
          placeholder={words.__('Search')}
          value={search}
          onChange={event => setSearch(event.target.value)}
        />
      </div>
      {jobs.data && <Stale query={jobs} />}
      <div
        className={jobs.error && jobs.data ? 'pk-panel-body pk-greyed' : 'pk-panel-body'}
        onKeyDown={event => {
          if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
            walk(event.currentTarget, event.key === 'ArrowDown' ? 1 : -1);
            event.preventDefault();
          }
        }}
      >
        {server && <ThisNotebook id={server} />}
        <Jobs query={jobs} q={q} shortcut={shortcut()} />
        <Assets kind="dataset" narrowed={narrowed} />
        <Assets kind="algorithm" narrowed={narrowed} folded />
        <Assets kind="model" narrowed={narrowed} folded />
        <Environments narrowed={narrowed} folded />
      </div>
    </div>
  );
}

/** Moves the focus among the rows of a list. */
function walk(list: HTMLElement, step: number): void {
  const rows = [...list.querySelectorAll<HTMLElement>('.pk-row, .pk-section-title')];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  rows[Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
}

/** Whose things are shown, and what they have to spend. */
function Workspace({ workspace }: { workspace: string }) {
  const { words } = useShell();
  const { data: me } = useMe();
  const { data } = useBalance(workspace || me?.name);
  const burn =
    data && data.burn_micro > 0 ? words.__('Spending: %1.', price(data.burn_micro, data.currency, words)) : '';
  const lasts = data?.seconds_left == null ? '' : words.__('Lasts %1 at the present rate', duration(data.seconds_left));
  return (
    <div className="pk-meter">
      <select
        className="pk-workspace"
        aria-label={words.__('Workspace')}
        title={words.__('Workspace')}
        value={workspace}
        onChange={event => choose(event.target.value)}
      >
        <option value="">{words.__('all workspaces')}</option>
        {me?.workspaces.map(({ workspace: name }) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      {data && (data.balance_micro !== 0 || data.burn_micro > 0) && (
        <span className="pk-fact" title={[words.__('Balance'), burn, lasts].filter(Boolean).join('\n')}>
          {money(data.balance_micro, data.currency)}
        </span>
      )}
    </div>
  );
}
