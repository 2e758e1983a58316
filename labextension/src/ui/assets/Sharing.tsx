/** Who may read an asset. */
import { useId, useState } from 'react';

import { answer } from '../../api/client';
import { KINDS, useMe } from '../../api/queries';
import { Section } from '../parts';
import { useShell } from '../shell';
import { Field, Refusal, useAct } from './bits';
import { type Asset, changeAsset, type Place, useAssetChanged } from './queries';

/** Everyone or chosen workspaces; only for those who may change it. */
export function Sharing({ place, asset }: { place: Place; asset: Asset }) {
  const { api, words } = useShell();
  const { data: me } = useMe();
  const changed = useAssetChanged(place);
  const [target, setTarget] = useState('');
  const { act, busy, error } = useAct();
  const known = useId();
  const { kind, workspace, name } = place;
  if (!asset.may_write) {
    return null;
  }
  const shares = `/${KINDS[kind]}/{workspace}/{name}/shares/{target}` as const;
  const show = (everyone: boolean): void =>
    act(async () => {
      await changeAsset(api, place, { visibility: everyone ? 'everyone' : 'private' });
      await changed();
    });
  const share = (): void =>
    act(async () => {
      await answer(api.PUT(shares, { params: { path: { workspace, name, target: target.trim() } } }));
      setTarget('');
      await changed();
    });
  const end = (other: string): void =>
    act(async () => {
      await answer(api.DELETE(shares, { params: { path: { workspace, name, target: other } } }));
      await changed();
    });
  const offered = me?.workspaces.filter(one => one.workspace !== workspace) ?? [];
  return (
    <Section name="sharing" title={words.__('Sharing')}>
      <div className="pk-sharing">
        <label className="pk-asset-check">
          <input
            type="checkbox"
            checked={asset.visibility === 'everyone'}
            disabled={busy}
            onChange={event => show(event.target.checked)}
          />
          {words.__('Everyone on this platform may read it')}
        </label>
        {asset.preset && <p className="pk-quiet">{words.__('An admin offers it to everybody as a preset.')}</p>}
        {asset.shared_with.length > 0 && (
          <ul className="pk-tags" aria-label={words.__('Shared with')}>
            {asset.shared_with.map(other => (
              <li key={other} className="pk-tag">
                {other}
                <button
                  type="button"
                  className="pk-copy"
                  disabled={busy}
                  aria-label={words.__('Stop sharing with %1', other)}
                  title={words.__('Stop sharing with %1', other)}
                  onClick={() => end(other)}
                >
                  {' ✕'}
                </button>
              </li>
            ))}
          </ul>
        )}
        <form
          className="pk-asset-form-row"
          onSubmit={event => {
            event.preventDefault();
            share();
          }}
        >
          <Field label={words.__('Share with a workspace')} name="target" error={error}>
            {tie => (
              <span className="pk-together">
                <input
                  {...tie}
                  className="pk-asset-input"
                  list={known}
                  value={target}
                  placeholder={words.__('User or group')}
                  onChange={event => setTarget(event.target.value)}
                />
                <button type="submit" className="pk-button" disabled={busy || target.trim() === ''}>
                  {words.__('Share')}
                </button>
              </span>
            )}
          </Field>
          <datalist id={known}>
            {offered.map(one => (
              <option key={one.workspace} value={one.workspace} />
            ))}
          </datalist>
        </form>
        <Refusal error={error} fields={['target']} />
      </div>
    </Section>
  );
}
