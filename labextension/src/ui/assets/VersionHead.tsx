/** What a version is, and what can be done with it. */
import { answer } from '../../api/client';
import { KINDS } from '../../api/queries';
import { bytes } from '../format';
import { Copyable } from '../parts';
import { useShell } from '../shell';
import { Refusal, useAct } from './bits';
import { type Asset, type Place, useAddress, useAssetChanged, type Version } from './queries';

/** Reference, size, downloads, comparison, deletion. */
export function VersionHead({
  place,
  asset,
  version,
  others,
  against,
  onAgainst,
  onDeleted
}: {
  place: Place;
  asset: Asset;
  version: Version;
  others: Version[];
  against: number | null;
  onAgainst: (number: number | null) => void;
  onDeleted: () => void;
}) {
  const { words, api, confirm, announce } = useShell();
  const changed = useAssetChanged(place);
  const address = useAddress(place);
  const { act, busy, error } = useAct();
  const { kind, workspace, name } = place;
  const number = version.number ?? 0;
  const rest = others.filter(other => other.number !== version.number);
  const remove = (): void =>
    act(async () => {
      const lost = words._n(
        'Its %1 file (%2) is lost. Its number is not given again, and what names this version no longer works.',
        'Its %1 files (%2) are lost. Its number is not given again, and what names this version no longer works.',
        version.files,
        version.files,
        bytes(version.bytes)
      );
      const title = words.__('Delete version %1 of %2?', number, `${workspace}/${name}`);
      if (await confirm(title, lost, words.__('Delete'))) {
        const params = { path: { workspace, name, version: String(number) } };
        await answer(api.DELETE(`/${KINDS[kind]}/{workspace}/{name}/versions/{version}`, { params }));
        announce(words.__('Version %1 is deleted.', number), 'info');
        await changed();
        onDeleted();
      }
    });
  return (
    <>
      <div className="pk-version-head">
        <Copyable text={`${workspace}/${name}@${number}`} />
        <span className="pk-grow" />
        <span className="pk-quiet">{words.__('Download')}</span>
        {(['zip', 'tar'] as const).map(format => (
          <a
            key={format}
            className="pk-link"
            href={`${address}/versions/${number}/archive?format=${format}`}
            download={`${name}-${number}.${format}`}
            aria-label={words.__('Download version %1 as %2', number, format)}
          >
            {format}
          </a>
        ))}
        {rest.length > 0 && (
          <select
            className="pk-asset-input"
            aria-label={words.__('Compare with')}
            value={against ?? ''}
            onChange={event => onAgainst(event.target.value === '' ? null : Number(event.target.value))}
          >
            <option value="">{words.__('Compare with…')}</option>
            {rest.map(other => (
              <option key={other.id} value={other.number ?? ''}>
                v{other.number}
              </option>
            ))}
          </select>
        )}
        {asset.may_write && (
          <button type="button" className="pk-button" disabled={busy} onClick={remove}>
            {words.__('Delete v%1…', number)}
          </button>
        )}
      </div>
      <Refusal error={error} />
    </>
  );
}
