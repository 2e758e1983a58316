/** All the datasets, algorithms or models one may use. */
import { useDeferredValue, useId, useState } from 'react';

import { bytes } from '../format';
import { Ago, Empty, Loaded } from '../parts';
import { type Kind, useShell, type Words } from '../shell';
import { kindTitle } from '../kinds';
import { Select, More, type Order, SearchBox, sorted, SortHead, walkRows } from './bits';
import { dragged } from './drag';
import { NewAsset } from './NewAsset';
import { type Asset, type AssetFilter, facetOf, useAssetPages } from './queries';
import { notebookCode } from './snippet';

type Column = 'name' | 'workspace' | 'latest' | 'bytes' | 'facet' | 'updated';

const VALUES: Record<Column, (asset: Asset) => string | number> = {
  name: asset => asset.name,
  workspace: asset => asset.workspace,
  latest: asset => asset.latest ?? 0,
  bytes: asset => asset.bytes,
  facet: facetOf,
  updated: asset => Date.parse(asset.updated)
};
const EVERYTHING: AssetFilter = { q: '', view: 'all', label: '', facet: '' };

/** All the datasets, algorithms or models one may use; making a new one. */
export function AssetList({ kind }: { kind: Kind }) {
  const { words } = useShell();
  const [making, setMaking] = useState(false);
  const [filter, setFilter] = useState(EVERYTHING);
  const asked = useDeferredValue(filter);
  const query = useAssetPages(kind, {
    q: asked.q.trim(),
    view: asked.view,
    label: asked.label.trim(),
    facet: asked.facet.trim()
  });
  const items: Asset[] | undefined = query.data?.pages.flatMap(page => page.items);
  const narrowed = filter.q !== '' || filter.view !== 'all' || filter.label !== '' || filter.facet !== '';
  const button = (
    <button type="button" className="pk-button pk-primary" onClick={() => setMaking(true)}>
      {newTitle(kind, words)}
    </button>
  );
  return (
    <div className="pk-page">
      <header className="pk-page-head">
        <h1 className="pk-title">{kindTitle(kind, words)}</h1>
        <span className="pk-grow" />
        {!making && (items?.length !== 0 || narrowed) && button}
      </header>
      {making && <NewAsset kind={kind} onClose={() => setMaking(false)} />}
      <Filters kind={kind} filter={filter} items={items ?? []} onFilter={setFilter} />
      <Loaded query={{ ...query, data: items }} lines={8}>
        {found =>
          found.length > 0 ? (
            <>
              <AssetTable kind={kind} items={found} onLabel={label => setFilter({ ...filter, label })} />
              <More query={query} />
            </>
          ) : narrowed ? (
            <Empty
              action={
                <button type="button" className="pk-button" onClick={() => setFilter(EVERYTHING)}>
                  {words.__('Show all')}
                </button>
              }
            >
              {words.__('Nothing here is like that.')}
            </Empty>
          ) : (
            <Empty action={making ? undefined : button}>{purpose(kind, words)}</Empty>
          )
        }
      </Loaded>
    </div>
  );
}

function newTitle(kind: Kind, words: Words): string {
  return {
    dataset: words.__('New dataset…'),
    algorithm: words.__('New algorithm…'),
    model: words.__('New model…')
  }[kind];
}

function purpose(kind: Kind, words: Words): string {
  return {
    dataset: words.__('A dataset is a folder of files with versions. Jobs and notebooks read it.'),
    algorithm: words.__('An algorithm is a folder of code with versions. Jobs run it.'),
    model: words.__('A model is what a job leaves in its output folder, with where it came from.')
  }[kind];
}

function Filters({
  kind,
  filter,
  items,
  onFilter
}: {
  kind: Kind;
  filter: AssetFilter;
  items: Asset[];
  onFilter: (filter: AssetFilter) => void;
}) {
  const { words } = useShell();
  const labels = useId();
  const facets = useId();
  const views = {
    all: words.__('All'),
    mine: words.__('Mine'),
    shared: words.__('Shared with me'),
    preset: words.__('Preset')
  };
  const facet = kind === 'dataset' ? words.__('Type') : words.__('Framework');
  return (
    <div className="pk-filters" role="search">
      <SearchBox value={filter.q} onSearch={text => onFilter({ ...filter, q: text })} />
      <Select
        label={words.__('Whose')}
        titles={views}
        value={filter.view}
        onChoose={value => onFilter({ ...filter, view: value })}
      />
      <input
        className="pk-asset-input"
        list={labels}
        aria-label={words.__('Label')}
        placeholder={words.__('Label')}
        value={filter.label}
        onChange={event => onFilter({ ...filter, label: event.target.value })}
      />
      <Known id={labels} values={items.flatMap(item => item.labels)} />
      <input
        className="pk-asset-input"
        list={facets}
        aria-label={facet}
        placeholder={facet}
        value={filter.facet}
        onChange={event => onFilter({ ...filter, facet: event.target.value })}
      />
      <Known id={facets} values={items.map(facetOf)} />
    </div>
  );
}

/** What is known already, offered while one types. */
function Known({ id, values }: { id: string; values: string[] }) {
  return (
    <datalist id={id}>
      {[...new Set(values.filter(Boolean))].sort().map(value => (
        <option key={value} value={value} />
      ))}
    </datalist>
  );
}

function AssetTable({ kind, items, onLabel }: { kind: Kind; items: Asset[]; onLabel: (label: string) => void }) {
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
          <SortHead by="latest" numeric {...head}>
            {words.__('Version')}
          </SortHead>
          <SortHead by="bytes" numeric {...head}>
            {words.__('Size')}
          </SortHead>
          <SortHead by="facet" {...head}>
            {kind === 'dataset' ? words.__('Type') : words.__('Framework')}
          </SortHead>
          <th scope="col">{words.__('Labels')}</th>
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
          <tr key={item.id} {...dragged(codeOf(kind, item))}>
            <th scope="row" className="pk-cell-name">
              <button
                type="button"
                className="pk-link pk-walk"
                title={item.description || undefined}
                onClick={() => open({ view: 'asset', kind, workspace: item.workspace, name: item.name })}
              >
                {item.name}
              </button>
            </th>
            <td>{item.workspace}</td>
            <td className="pk-amount">{item.latest === null ? words.__('none yet') : `v${item.latest}`}</td>
            <td className="pk-amount">{item.latest === null ? '' : bytes(item.bytes)}</td>
            <td>{facetOf(item)}</td>
            <td>
              <span className="pk-tags">
                {item.labels.map(label => (
                  <button
                    key={label}
                    type="button"
                    className="pk-tag"
                    title={words.__('Show what carries this label')}
                    onClick={() => onLabel(label)}
                  >
                    {label}
                  </button>
                ))}
              </span>
            </td>
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

/** The code that reads the newest version; null while there is none. */
function codeOf(kind: Kind, { workspace, name, latest }: Asset): string | null {
  return latest === null ? null : notebookCode({ kind, workspace, name, version: latest, path: null });
}

/** Who may read an asset, in a word or two. */
export function seenBy(
  asset: Pick<Asset, 'preset' | 'visibility' | 'shared_with' | 'taken_down'>,
  words: Words
): string {
  if (asset.taken_down) {
    return words.__('its workspace alone (taken down)');
  }
  if (asset.preset) {
    return words.__('everyone (preset)');
  }
  if (asset.visibility === 'everyone') {
    return words.__('everyone');
  }
  const others = asset.shared_with.length;
  return others > 0
    ? words._n('its workspace and %1 other', 'its workspace and %1 others', others, others)
    : words.__('its workspace');
}
