/** What an admin does with somebody's asset: offer it to everybody, take it down, delete it. */
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { Field, Refusal, useAct } from '../assets/bits';
import { TakenDownNote } from '../assets/TakenDownNote';
import { bytes } from '../format';
import { Ago } from '../parts';
import { useShell } from '../shell';
import { type AdminAsset, remove, restore, setPreset, takeDown, targetOf } from './adminAssets';
import { Facts } from './Beside';
import { peopleChanged } from './peopleQueries';

export function AdminAssetsDetail({ asset, onGone }: { asset: AdminAsset; onGone: () => void }) {
  const { api, words, open, confirm, announce } = useShell();
  const cache = useQueryClient();
  const { busy, error, act } = useAct();
  const reference = `${asset.workspace}/${asset.name}`;
  const change = (what: () => Promise<void>, said: string): void =>
    act(async () => {
      await what();
      await peopleChanged(cache);
      announce(said, 'success');
    });
  const preset = (): void =>
    change(
      () => setPreset(api, asset, !asset.preset),
      asset.preset
        ? words.__('%1 is no longer offered to everybody.', reference)
        : words.__('%1 is offered to everybody.', reference)
    );
  const deletion = (): void =>
    act(async () => {
      const lost = words.__('All its versions and the files in them are lost for everyone who uses them.');
      if (await confirm(words.__('Delete %1?', reference), lost, words.__('Delete'))) {
        await remove(api, asset);
        onGone();
        await peopleChanged(cache);
        announce(words.__('%1 is deleted.', reference), 'info');
      }
    });
  return (
    <>
      <TakenDownNote taken={asset.taken_down} />
      <Facts
        facts={[
          [words.__('Owner'), asset.workspace],
          [words.__('Made by'), asset.creator],
          [words.__('Version'), asset.latest === null ? words.__('none yet') : `v${asset.latest}`],
          asset.latest !== null && [words.__('Size'), bytes(asset.bytes)],
          [words.__('Changed'), <Ago key="changed" time={asset.updated} />],
          asset.shared_with.length > 0 && [words.__('Shared with'), asset.shared_with.join(', ')]
        ]}
      />
      <div className="pk-asset-form-row">
        <button type="button" className="pk-button" onClick={() => open(targetOf(asset))}>
          {words.__('Open')}
        </button>
        {(asset.preset || !asset.taken_down) && (
          <button type="button" className="pk-button" disabled={busy} onClick={preset}>
            {asset.preset ? words.__('No longer a preset') : words.__('Make it a preset')}
          </button>
        )}
        {asset.taken_down && (
          <button
            type="button"
            className="pk-button"
            disabled={busy}
            onClick={() => change(() => restore(api, asset), words.__('%1 is shown again.', reference))}
          >
            {words.__('Restore')}
          </button>
        )}
        <button type="button" className="pk-button" disabled={busy} onClick={deletion}>
          {words.__('Delete…')}
        </button>
      </div>
      <Refusal error={error} />
      {!asset.taken_down && <TakeDown asset={asset} reference={reference} />}
    </>
  );
}

function TakeDown({ asset, reference }: { asset: AdminAsset; reference: string }) {
  const { api, words, confirm, announce } = useShell();
  const cache = useQueryClient();
  const { busy, error, act } = useAct();
  const [reason, setReason] = useState('');
  const down = async (): Promise<void> => {
    const lost = words.__(
      'Everybody but the workspace %1 loses sight of it; new jobs of others cannot use it. What runs keeps it. You can restore it.',
      asset.workspace
    );
    if (await confirm(words.__('Take down %1?', reference), lost, words.__('Take down'))) {
      await takeDown(api, asset, reason.trim());
      await peopleChanged(cache);
      announce(words.__('%1 is taken down.', reference), 'success');
    }
  };
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('Take down')}
      onSubmit={event => {
        event.preventDefault();
        act(down);
      }}
    >
      <Field label={words.__('Reason, which its owners are shown')} name="reason" error={error}>
        {tie => (
          <span className="pk-together">
            <input
              {...tie}
              className="pk-asset-input"
              maxLength={1000}
              required
              value={reason}
              onChange={event => setReason(event.target.value)}
            />
            <button type="submit" className="pk-button" disabled={busy || reason.trim() === ''}>
              {words.__('Take down…')}
            </button>
          </span>
        )}
      </Field>
      <Refusal error={error} fields={['reason']} />
    </form>
  );
}
