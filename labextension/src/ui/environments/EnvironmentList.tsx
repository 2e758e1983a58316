/** All the environments one may use; making a new one. */
import { useDeferredValue, useState } from 'react';

import { seenBy } from '../assets/AssetList';
import { Select, More, type Order, SearchBox, sorted, SortHead, walkRows } from '../assets/bits';
import { bytes } from '../format';
import { Ago, Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { NewEnvironment } from './NewEnvironment';
import { type Environment, useEnvironmentPages, type View } from './queries';
import { stateName, StateSign } from './states';

type Column = 'name' | 'workspace' | 'latest' | 'python' | 'bytes' | 'updated';

const VALUES: Record<Column, (environment: Environment) => string | number> = {
  name: environment => environment.name,
  workspace: environment => environment.workspace,
  latest: environment => environment.latest?.number ?? 0,
  python: environment => environment.latest?.python_version ?? '',
  bytes: environment => environment.latest?.bytes ?? 0,
  updated: environment => Date.parse(environment.updated)
};

/** All the environments one may use; making a new one. */
export function EnvironmentList() {
  const { words } = useShell();
  const [making, setMaking] = useState(false);
  const [search, setSearch] = useState('');
  const [view, setView] = useState<View>('all');
  const query = useEnvironmentPages(useDeferredValue(search.trim()), view);
  const items = query.data?.pages.flatMap(page => page.items);
  const views = {
    all: words.__('All'),
    mine: words.__('Mine'),
    shared: words.__('Shared with me'),
    preset: words.__('Preset')
  };
  const narrowed = search !== '' || view !== 'all';
  const button = (
    <button type="button" className="pk-button pk-primary" onClick={() => setMaking(true)}>
      {words.__('New environment…')}
    </button>
  );
  const everything = (
    <button
      type="button"
      className="pk-button"
      onClick={() => {
        setSearch('');
        setView('all');
      }}
    >
      {words.__('Show all')}
    </button>
  );
  return (
    <div className="pk-page">
      <header className="pk-page-head">
        <h1 className="pk-title">{words.__('Environments')}</h1>
        <span className="pk-grow" />
        {!making && (items?.length !== 0 || narrowed) && button}
      </header>
      {making && <NewEnvironment onClose={() => setMaking(false)} />}
      <div className="pk-filters" role="search">
        <SearchBox value={search} onSearch={setSearch} />
        <Select label={words.__('Whose')} titles={views} value={view} onChoose={setView} />
      </div>
      <Loaded query={{ ...query, data: items }} lines={8}>
        {found =>
          found.length > 0 ? (
            <>
              <Table items={found} />
              <More query={query} />
            </>
          ) : narrowed ? (
            <Empty action={everything}>{words.__('Nothing here is like that.')}</Empty>
          ) : (
            <Empty action={making ? undefined : button}>
              {words.__(
                'An environment is a Python with packages, locked, with versions. Jobs and notebooks run on it.'
              )}
            </Empty>
          )
        }
      </Loaded>
    </div>
  );
}

function Table({ items }: { items: Environment[] }) {
  const { words, open, language } = useShell();
  const [order, setOrder] = useState<Order<Column> | null>(null);
  const head = { order, onOrder: setOrder };
  return (
    <table className="pk-asset-table" onKeyDown={walkRows}>
      <thead>
        <tr>
          <SortHead by="name" {...head}>
            {words.__('Name')}
          </SortHead>
          <SortHead by="workspace" {...head}>
            {words.__('Workspace')}
          </SortHead>
          <SortHead by="latest" {...head}>
            {words.__('Version')}
          </SortHead>
          <SortHead by="python" {...head}>
            {words.__('Python')}
          </SortHead>
          <SortHead by="bytes" numeric {...head}>
            {words.__('Size')}
          </SortHead>
          <th scope="col" className="pk-minor">
            {words.__('Seen by')}
          </th>
          <SortHead by="updated" numeric {...head}>
            {words.__('Changed')}
          </SortHead>
        </tr>
      </thead>
      <tbody>
        {sorted(items, order, VALUES, language).map(item => (
          <tr key={item.id}>
            <th scope="row" className="pk-cell-name">
              <button
                type="button"
                className="pk-link pk-walk"
                title={item.description || undefined}
                onClick={() => open({ view: 'environment', id: item.id, name: item.name })}
              >
                {item.name}
              </button>
            </th>
            <td>{item.workspace}</td>
            <td>
              {item.latest && (
                <>
                  <StateSign state={item.latest.state} /> v{item.latest.number}{' '}
                  {item.latest.state !== 'ready' && (
                    <span className="pk-fact">{stateName(item.latest.state, words)}</span>
                  )}
                </>
              )}
            </td>
            <td>{item.latest?.python_version}</td>
            <td className="pk-amount">{item.latest && item.latest.bytes > 0 ? bytes(item.latest.bytes) : ''}</td>
            <td className="pk-minor">{seenBy(item, words)}</td>
            <td className="pk-amount">
              <Ago time={item.updated} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
