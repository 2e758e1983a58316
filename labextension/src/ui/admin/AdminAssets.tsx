/** Everybody's datasets, algorithms, models and environments. */
import { useDeferredValue, useState } from 'react';

import { Select, More, SearchBox } from '../assets/bits';
import { bytes } from '../format';
import { kindTitle } from '../kinds';
import { Ago, Empty, Loaded } from '../parts';
import { useShell, type Words } from '../shell';
import { type Column, Table } from '../table/Table';
import { type AdminAsset, type AnyKind, type AssetFilter, useEverybodysAssets } from './adminAssets';
import { AdminAssetsDetail } from './AdminAssetsDetail';
import { Beside } from './Beside';

export function AdminAssets({ item = '' }: { item?: string }) {
  const { words } = useShell();
  const [filter, setFilter] = useState<AssetFilter>({ kind: 'dataset', q: '', workspace: item, view: '' });
  const [opened, setOpened] = useState<string | null>(null);
  const asked = useDeferredValue(filter);
  const query = useEverybodysAssets({ ...asked, q: asked.q.trim(), workspace: asked.workspace.trim() });
  const items = query.data?.pages.flatMap(page => page.items);
  const asset = items?.find(item => item.id === opened);
  const narrowed = filter.q !== '' || filter.workspace !== '' || filter.view !== '';
  const detail = asset && {
    key: asset.id,
    title: `${asset.workspace}/${asset.name}`,
    body: <AdminAssetsDetail asset={asset} onGone={() => setOpened(null)} />
  };
  return (
    <Beside detail={detail ?? null} onClose={() => setOpened(null)}>
      <header className="pk-page-head">
        <h1 className="pk-title">{words.__('Data and models')}</h1>
      </header>
      <Filters filter={filter} onFilter={setFilter} />
      <Loaded query={{ ...query, data: items }} lines={8}>
        {found =>
          found.length > 0 ? (
            <>
              <AssetTable assets={found} kind={asked.kind} opened={opened} onOpen={setOpened} />
              <More query={query} />
            </>
          ) : (
            <Empty
              action={
                narrowed && (
                  <button
                    type="button"
                    className="pk-button"
                    onClick={() => setFilter({ ...filter, q: '', workspace: '', view: '' })}
                  >
                    {words.__('Show all')}
                  </button>
                )
              }
            >
              {narrowed ? words.__('Nothing here is like that.') : words.__('Nobody has made any yet.')}
            </Empty>
          )
        }
      </Loaded>
    </Beside>
  );
}

const ANY_KINDS: AnyKind[] = ['dataset', 'algorithm', 'model', 'environment'];

function Filters({ filter, onFilter }: { filter: AssetFilter; onFilter: (filter: AssetFilter) => void }) {
  const { words } = useShell();
  const views: Record<AssetFilter['view'], string> = {
    '': words.__('All'),
    preset: words.__('Preset'),
    taken_down: words.__('Taken down')
  };
  return (
    <div className="pk-filters" role="search">
      <select
        className="pk-asset-input"
        aria-label={words.__('Kind')}
        value={filter.kind}
        onChange={event => onFilter({ ...filter, kind: event.target.value as AnyKind })}
      >
        {ANY_KINDS.map(kind => (
          <option key={kind} value={kind}>
            {kindTitle(kind, words)}
          </option>
        ))}
      </select>
      <SearchBox value={filter.q} onSearch={text => onFilter({ ...filter, q: text })} />
      <input
        className="pk-asset-input"
        aria-label={words.__('Workspace')}
        placeholder={words.__('Workspace')}
        value={filter.workspace}
        onChange={event => onFilter({ ...filter, workspace: event.target.value })}
      />
      <Select
        label={words.__('State')}
        titles={views}
        value={filter.view}
        onChoose={value => onFilter({ ...filter, view: value })}
      />
    </div>
  );
}

interface TableProps {
  assets: AdminAsset[];
  kind: AnyKind;
  opened: string | null;
  onOpen: (id: string) => void;
}

function AssetTable({ assets, kind, opened, onOpen }: TableProps) {
  const { words } = useShell();
  const columns: Column<AdminAsset>[] = [
    { key: 'name', title: words.__('Name'), value: asset => asset.name, cell: asset => asset.name },
    {
      key: 'workspace',
      title: words.__('Workspace'),
      value: asset => asset.workspace,
      cell: asset => (
        <>
          {asset.workspace}
          {asset.creator !== asset.workspace && <span className="pk-fact"> {asset.creator}</span>}
        </>
      )
    },
    {
      key: 'latest',
      title: words.__('Version'),
      numeric: true,
      value: asset => asset.latest,
      cell: asset => (asset.latest === null ? words.__('none yet') : `v${asset.latest}`)
    },
    {
      key: 'bytes',
      title: words.__('Size'),
      numeric: true,
      value: asset => (asset.latest === null ? null : asset.bytes),
      cell: asset => asset.latest !== null && bytes(asset.bytes)
    },
    {
      key: 'seen',
      title: words.__('Seen by'),
      value: asset => audience(asset, words),
      cell: asset => (
        <span className={asset.taken_down ? 'pk-failed' : undefined} title={asset.taken_down?.reason}>
          {audience(asset, words)}
        </span>
      )
    },
    {
      key: 'updated',
      title: words.__('Changed'),
      numeric: true,
      minor: true,
      value: asset => Date.parse(asset.updated),
      cell: asset => <Ago time={asset.updated} />
    }
  ];
  return (
    <Table
      label={kindTitle(kind, words)}
      columns={columns}
      rows={assets}
      id={asset => asset.id}
      opened={opened}
      onOpen={asset => onOpen(asset.id)}
    />
  );
}

/** Who may read it, in a word or two. */
function audience(asset: AdminAsset, words: Words): string {
  if (asset.taken_down) {
    return words.__('taken down');
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
