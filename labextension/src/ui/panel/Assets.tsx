/** What there is to work with: datasets, algorithms, models, environments; and what is being sent. */
import { type DragEvent, type ReactNode, useSyncExternalStore } from 'react';

import { type Narrowed, useAssets, useEnvironments } from '../../api/queries';
import type { Upload } from '../../api/upload/upload';
import type { Asset } from '../assets/queries';
import { type Running, runningUploads, watchUploads } from '../assets/running';
import { notebookCode } from '../assets/snippet';
import { bytes, duration } from '../format';
import { kindTitle } from '../kinds';
import { Empty, Loaded, Section } from '../parts';
import { type Kind, useShell } from '../shell';
import { calm } from './calm';

export function Assets({ kind, narrowed, folded }: { kind: Kind; narrowed: Narrowed; folded?: boolean }) {
  const { words, open } = useShell();
  const query = useAssets(kind, narrowed);
  const all = useSyncExternalStore(watchUploads, runningUploads);
  const uploads = all.filter(({ place }) => place.kind === kind);
  const sending = (item: Asset): Running | undefined =>
    uploads.find(({ place }) => place.workspace === item.workspace && place.name === item.name);
  const purposes: Record<Kind, string> = {
    dataset: words.__('Datasets are versions of folders that jobs and notebooks read.'),
    algorithm: words.__('Algorithms are versions of code that jobs run.'),
    model: words.__('Models are what jobs leave, with their history.')
  };
  return (
    <Section
      name={kind}
      title={kindTitle(kind, words)}
      count={query.data && `${query.data.items.length}${query.data.next ? '+' : ''}`}
      action={<All onClick={() => open({ view: 'assets', kind })} />}
      folded={folded}
    >
      <Loaded query={calm(query)}>
        {({ items }) => {
          const unlisted = uploads.filter(({ place }) => !items.some(item => sending(item)?.place === place));
          return items.length + unlisted.length === 0 ? (
            <Empty>{narrowed.q ? words.__('Nothing has this in its name.') : purposes[kind]}</Empty>
          ) : (
            <ul className="pk-list">
              {unlisted.map(({ place, upload }) => (
                <li key={`${place.workspace}/${place.name}`}>
                  <Row place={place} fact={<Sent upload={upload} />} />
                </li>
              ))}
              {items.map(item => (
                <li key={item.id}>
                  <AssetRow kind={kind} item={item} upload={sending(item)?.upload} />
                </li>
              ))}
            </ul>
          );
        }}
      </Loaded>
    </Section>
  );
}

function AssetRow({ kind, item, upload }: { kind: Kind; item: Asset; upload?: Upload }) {
  const { words } = useShell();
  const { workspace, name, latest } = item;
  const fact = upload ? <Sent upload={upload} /> : latest ? `v${latest} · ${bytes(item.bytes)}` : words.__('empty');
  // Dropped into a cell, it is the code that reads it.
  const code = latest ? notebookCode({ kind, workspace, name, version: latest, path: null }) : undefined;
  return <Row place={{ kind, workspace, name }} fact={fact} title={item.description} code={code} />;
}

function Row({
  place,
  fact,
  title,
  code
}: {
  place: Running['place'];
  fact: ReactNode;
  title?: string;
  code?: string;
}) {
  const { open } = useShell();
  const drag = (event: DragEvent): void => {
    event.dataTransfer.setData('text/plain', code ?? '');
    event.dataTransfer.effectAllowed = 'copy';
  };
  return (
    <button
      type="button"
      className="pk-row"
      title={title || undefined}
      draggable={code !== undefined}
      onDragStart={drag}
      onClick={() => open({ view: 'asset', ...place })}
    >
      <span className="pk-name">{place.name}</span>
      <span className="pk-fact">{fact}</span>
    </button>
  );
}

/** How far an upload is: ⬆ 61 % 2 m left. */
function Sent({ upload }: { upload: Upload }) {
  const { words } = useShell();
  const { phase, done, total, secondsLeft } = useSyncExternalStore(upload.subscribe, upload.snapshot);
  const share = `${total > 0 ? Math.floor((100 * done) / total) : 0} %`;
  return (
    <>
      <span aria-hidden="true">⬆ </span>
      {
        {
          sending: `${share} ${secondsLeft === null ? '' : words.__('%1 left', duration(Math.ceil(secondsLeft)))}`,
          paused: words.__('%1 paused', share),
          verifying: words.__('being verified'),
          done: words.__('ready'),
          failed: words.__('%1 interrupted', share),
          cancelled: words.__('given up')
        }[phase]
      }
    </>
  );
}

export function Environments({ narrowed, folded }: { narrowed: Narrowed; folded?: boolean }) {
  const { words, open } = useShell();
  const query = useEnvironments(narrowed);
  return (
    <Section
      name="environments"
      title={words.__('Environments')}
      count={query.data && `${query.data.items.length}${query.data.next ? '+' : ''}`}
      action={<All onClick={() => open({ view: 'environments' })} />}
      folded={folded}
    >
      <Loaded query={calm(query)}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{words.__('Environments are locked Python packages for jobs and kernels.')}</Empty>
          ) : (
            <ul className="pk-list">
              {items.map(({ id, name, description, latest }) => (
                <li key={id}>
                  <button
                    type="button"
                    className="pk-row"
                    title={description || undefined}
                    onClick={() => open({ view: 'environment', id, name })}
                  >
                    <span className="pk-name">{name}</span>
                    <span className="pk-fact">{latest ? `v${latest.number}` : ''}</span>
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Section>
  );
}

function All({ onClick }: { onClick: () => void }) {
  const { words } = useShell();
  return (
    <button type="button" className="pk-button" onClick={onClick}>
      {words.__('All')}
    </button>
  );
}
