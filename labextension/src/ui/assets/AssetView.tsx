/** One dataset, algorithm or model: its versions, their files, and who may use it. */
import { type DragEvent, useState, useSyncExternalStore } from 'react';

import { Problem } from '../../api/client';
import { droppedFiles } from '../../api/upload/dropped';
import type { Source } from '../../api/upload/manifest';
import { Empty, Loaded, Section, Skeleton } from '../parts';
import { type Kind, useShell } from '../shell';
import { Refusal, useAct } from './bits';
import { Browser } from './Browser';
import { Code } from './Code';
import { Diff } from './Diff';
import { Head } from './Head';
import { Imports } from './Imports';
import { Lineage } from './Lineage';
import { type Asset, type Place, useAsset, useAssetChanged, useVersions, type Version } from './queries';
import { Readme } from './Readme';
import { Retention } from './Retention';
import { Sharing } from './Sharing';
import { runningUpload, watchUploads } from './running';
import { UploadPane } from './UploadPane';
import { VersionHead } from './VersionHead';
import { Versions } from './Versions';

interface Props {
  kind: Kind;
  workspace: string;
  name: string;
  version?: number;
}

/** One dataset, algorithm or model: its versions, their files, and who may use it. */
export function AssetView({ kind, workspace, name, version }: Props) {
  const place = { kind, workspace, name };
  const { open, words } = useShell();
  const query = useAsset(place);
  // What is gone is not shown greyed, as what is old is.
  const gone = query.error instanceof Problem && query.error.status === 404;
  return (
    <div className="pk-page">
      {gone ? (
        <Empty
          action={
            <button type="button" className="pk-button" onClick={() => open({ view: 'assets', kind })}>
              {words.__('Show all')}
            </button>
          }
        >
          {query.error?.message}
        </Empty>
      ) : (
        <Loaded query={query} lines={8}>
          {asset => <Opened place={place} asset={asset} version={version} />}
        </Loaded>
      )}
    </div>
  );
}

function Opened({ place, asset, version }: { place: Place; asset: Asset; version?: number }) {
  const { words } = useShell();
  const changed = useAssetChanged(place);
  const upload = useSyncExternalStore(watchUploads, () => runningUpload(place));
  const [chosen, setChosen] = useState(version ?? null);
  const [against, setAgainst] = useState<number | null>(null);
  const [file, setFile] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const [over, setOver] = useState(false);
  const [sources, setSources] = useState<Source[] | null>(null);
  const dropping = useAct();
  const versions = useVersions(place);
  const ready = versions.data?.pages.flatMap(page => page.items) ?? [];
  const number = chosen ?? asset.latest;
  const shown = ready.find(one => one.number === number);
  const receiving = asset.may_write && (adding || over || sources !== null || asset.latest === null || upload !== null);
  // The newest version is shown until one chooses; a new one must not move away what one looks at.
  if (chosen === null && asset.latest !== null) {
    setChosen(asset.latest);
  }
  const choose = (next: number): void => {
    setChosen(next);
    setAgainst(null);
    setFile(null);
  };
  const drag = (event: DragEvent, inside: boolean): void => {
    if (asset.may_write && event.dataTransfer.types.includes('Files')) {
      event.preventDefault();
      setOver(inside);
    }
  };
  return (
    <div
      onDragOver={event => drag(event, true)}
      onDragLeave={event => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(false)}
      onDrop={event => {
        drag(event, false);
        const { dataTransfer } = event;
        if (asset.may_write && upload === null && dataTransfer.types.includes('Files')) {
          setAdding(true);
          dropping.act(async () => setSources(await droppedFiles(dataTransfer)));
        }
      }}
    >
      <Head
        place={place}
        asset={asset}
        number={number}
        quiet={receiving}
        onAdd={receiving ? undefined : () => setAdding(true)}
      />
      {receiving && (
        <UploadPane
          place={place}
          sources={sources}
          over={over}
          onSources={setSources}
          onClose={asset.latest === null ? undefined : () => setAdding(false)}
          onDone={made => {
            setAdding(false);
            void changed().then(() => choose(made));
          }}
        />
      )}
      {asset.may_write && <Imports place={place} onReady={made => void changed().then(() => choose(made))} />}
      <Refusal error={dropping.error} />
      {number === null ? (
        !asset.may_write && <Empty>{words.__('There is no version yet.')}</Empty>
      ) : (
        <div className="pk-versions-and-files">
          <Versions place={place} asset={asset} query={versions} items={ready} chosen={number} onChoose={choose} />
          <div className="pk-version">
            <Contents
              place={place}
              asset={asset}
              version={shown}
              number={number}
              pending={versions.isPending}
              others={ready}
              against={against}
              file={file}
              onAgainst={setAgainst}
              onFile={setFile}
              onDeleted={() => setChosen(null)}
            />
          </div>
        </div>
      )}
      <Sharing place={place} asset={asset} />
      <Retention place={place} asset={asset} />
    </div>
  );
}

function Contents({
  place,
  asset,
  version,
  number,
  pending,
  others,
  against,
  file,
  onAgainst,
  onFile,
  onDeleted
}: {
  place: Place;
  asset: Asset;
  version: Version | undefined;
  number: number;
  pending: boolean;
  others: Version[];
  against: number | null;
  file: string | null;
  onAgainst: (number: number | null) => void;
  onFile: (path: string | null) => void;
  onDeleted: () => void;
}) {
  const { words } = useShell();
  if (pending) {
    return <Skeleton lines={6} />;
  }
  return (
    <>
      {version && (
        <VersionHead
          place={place}
          asset={asset}
          version={version}
          others={others}
          against={against}
          onAgainst={onAgainst}
          onDeleted={onDeleted}
        />
      )}
      {against === null ? (
        <>
          <Browser key={number} place={place} number={number} file={file} onFile={onFile} />
          <Readme place={place} number={number} />
        </>
      ) : (
        <Diff place={place} one={number} other={against} onClose={() => onAgainst(null)} />
      )}
      {place.kind === 'model' && (
        <Section name="lineage" title={words.__('Where it comes from')}>
          <Lineage place={place} number={number} />
        </Section>
      )}
      <Section name="code" title={words.__('Use it in code')}>
        <Code where={{ ...place, version: number, path: file }} />
      </Section>
    </>
  );
}
