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
  const { api } = useShell();
  const changed = useAssetChanged(place);
  const { kind, workspace, name } = place;
  if (!asset.may_write) {
    return null;
  }
  const shares = `/${KINDS[kind]}/{workspace}/{name}/shares/{target}` as const;
  const change = (visibility: 'private' | 'everyone'): Promise<unknown> => changeAsset(api, place, { visibility });
  const share = (target: string): Promise<unknown> =>
    answer(api.PUT(shares, { params: { path: { workspace, name, target } } }));
  const end = (target: string): Promise<unknown> =>
    answer(api.DELETE(shares, { params: { path: { workspace, name, target } } }));
  return <SharingSection shared={asset} onVisibility={change} onShare={share} onEnd={end} onChanged={changed} />;
}

/** What is shared, whatever it is. */
interface Shared {
  workspace: string;
  visibility: 'private' | 'everyone';
  preset: boolean;
  shared_with: string[];
}

/** A section to choose who may read something; each change is made at once. */
export function SharingSection({
  shared,
  onVisibility,
  onShare,
  onEnd,
  onChanged
}: {
  shared: Shared;
  onVisibility: (visibility: 'private' | 'everyone') => Promise<unknown>;
  onShare: (target: string) => Promise<unknown>;
  onEnd: (target: string) => Promise<unknown>;
  onChanged: () => Promise<void>;
}) {
  const { words } = useShell();
  const { data: me } = useMe();
  const [target, setTarget] = useState('');
  const { act, busy, error } = useAct();
  const known = useId();
  const make = (change: Promise<unknown>): void =>
    act(async () => {
      await change;
      await onChanged();
    });
  const share = (): void =>
    act(async () => {
      await onShare(target.trim());
      setTarget('');
      await onChanged();
    });
  const offered = me?.workspaces.filter(one => one.workspace !== shared.workspace) ?? [];
  return (
    <Section name="sharing" title={words.__('Sharing')}>
      <div className="pk-sharing">
        <label className="pk-asset-check">
          <input
            type="checkbox"
            checked={shared.visibility === 'everyone'}
            disabled={busy}
            onChange={event => make(onVisibility(event.target.checked ? 'everyone' : 'private'))}
          />
          {words.__('Everyone on this platform may read it')}
        </label>
        {shared.preset && <p className="pk-quiet">{words.__('An admin offers it to everybody as a preset.')}</p>}
        {shared.shared_with.length > 0 && (
          <ul className="pk-tags" aria-label={words.__('Shared with')}>
            {shared.shared_with.map(other => (
              <li key={other} className="pk-tag">
                {other}
                <button
                  type="button"
                  className="pk-copy"
                  disabled={busy}
                  aria-label={words.__('Stop sharing with %1', other)}
                  title={words.__('Stop sharing with %1', other)}
                  onClick={() => make(onEnd(other))}
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
