/** The versions of an asset, newest first; those that were deleted leave their number. */
import { answer } from '../../api/client';
import { KINDS } from '../../api/queries';
import { bytes } from '../format';
import { Ago, Skeleton } from '../parts';
import { useShell } from '../shell';
import { More, Refusal, useAct, walkRows } from './bits';
import { deletedNumbers } from './files';
import { type Asset, type Place, useAssetChanged, useUnfinished, type useVersions, type Version } from './queries';

/** A list to choose a version from. */
export function Versions({
  place,
  asset,
  query,
  items,
  chosen,
  onChoose
}: {
  place: Place;
  asset: Asset;
  query: ReturnType<typeof useVersions>;
  items: Version[];
  chosen: number;
  onChoose: (number: number) => void;
}) {
  const { words } = useShell();
  const numbers = items.flatMap(({ number }) => (number === null ? [] : [number]));
  const gone = query.isPending ? [] : deletedNumbers(numbers, asset.latest ?? 0, !query.hasNextPage);
  const rows = [
    ...items.map(version => ({ number: version.number ?? 0, version })),
    ...gone.map(number => ({ number, version: null }))
  ].sort((a, b) => b.number - a.number);
  return (
    <nav className="pk-versions" aria-label={words.__('Versions')} onKeyDown={walkRows}>
      <Unfinished place={place} enabled={asset.may_write} />
      {query.isPending && <Skeleton />}
      <ul className="pk-list">
        {rows.map(({ number, version }) => (
          <li key={number}>
            {version ? (
              <button
                type="button"
                className="pk-version-row pk-walk"
                aria-current={number === chosen ? 'true' : undefined}
                onClick={() => onChoose(number)}
              >
                <span className="pk-version-number">v{number}</span>
                <span className="pk-fact">{bytes(version.bytes)}</span>
                <span className="pk-fact pk-version-more">
                  {words._n('%1 file', '%1 files', version.files, version.files)}
                  {' · '}
                  {version.creator}
                  {' · '}
                  <Ago time={version.committed ?? version.created} />
                </span>
              </button>
            ) : (
              <span className="pk-version-row pk-quiet">
                <span className="pk-version-number">v{number}</span>
                <span className="pk-fact">{words.__('deleted')}</span>
              </span>
            )}
          </li>
        ))}
      </ul>
      <More query={query} />
    </nav>
  );
}

/** Uploads that are no version yet, whoever sends them. */
function Unfinished({ place, enabled }: { place: Place; enabled: boolean }) {
  const { words, api, confirm } = useShell();
  const { data } = useUnfinished(place, enabled);
  const changed = useAssetChanged(place);
  const { act, busy, error } = useAct();
  if (!data || data.items.length === 0) {
    return null;
  }
  const { kind, workspace, name } = place;
  const names = {
    uploading: words.__('being sent'),
    verifying: words.__('being verified'),
    ready: words.__('ready'),
    failed: words.__('failed'),
    deleted: words.__('deleted')
  };
  const giveUp = (id: string): void =>
    act(async () => {
      const lost = words.__('What was sent so far is not kept. If somebody still sends, their upload fails.');
      if (await confirm(words.__('Give up this upload?'), lost, words.__('Give up'))) {
        const params = { path: { workspace, name, upload: id } };
        await answer(api.DELETE(`/${KINDS[kind]}/{workspace}/{name}/uploads/{upload}`, { params }));
        await changed();
      }
    });
  return (
    <>
      <ul className="pk-list" aria-label={words.__('Not versions yet')}>
        {data.items.map(upload => (
          <li key={upload.id} className="pk-version-row pk-quiet">
            <span className="pk-version-number">{names[upload.state]}</span>
            <button type="button" className="pk-copy" disabled={busy} onClick={() => giveUp(upload.id)}>
              {words.__('Give up…')}
            </button>
            <span className="pk-fact pk-version-more">
              {upload.creator} · <Ago time={upload.created} />
              {upload.error && <span className="pk-refusal"> {upload.error}</span>}
            </span>
          </li>
        ))}
      </ul>
      <Refusal error={error} />
    </>
  );
}
