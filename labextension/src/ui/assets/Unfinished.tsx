/** An upload of this browser that was not finished, before the page was loaded again. */
import { useState } from 'react';

import { answer } from '../../api/client';
import { KINDS } from '../../api/queries';
import { forget, rememberedId } from '../../api/upload/memory';
import { Ago } from '../parts';
import { useShell } from '../shell';
import { Refusal, useAct } from './bits';
import { type Place, useAssetChanged, useUnfinished } from './queries';

/** Says how to go on with it, or gives it up. */
export function Unfinished({ place }: { place: Place }) {
  const { api, words } = useShell();
  const changed = useAssetChanged(place);
  const { data } = useUnfinished(place, true);
  const { act, busy, error } = useAct();
  const { kind, workspace, name } = place;
  const target = { kind: KINDS[kind], workspace, name };
  const [id, setId] = useState(() => rememberedId(target));
  const known = data?.items.find(upload => upload.id === id && upload.state === 'uploading');
  if (!known) {
    return null;
  }
  const giveUp = (): void =>
    act(async () => {
      const path = { workspace, name, upload: known.id };
      await answer(api.DELETE(`/${KINDS[kind]}/{workspace}/{name}/uploads/{upload}`, { params: { path } }));
      forget(target);
      setId(null);
      await changed();
    });
  return (
    <div className="pk-note" role="status">
      <span>
        {words.__('An upload from this browser was not finished.')} <Ago time={known.created} />.{' '}
        {words.__('Choose the same files again: it goes on where it stopped.')}
      </span>
      <button type="button" className="pk-button" disabled={busy} onClick={giveUp}>
        {words.__('Give it up')}
      </button>
      <Refusal error={error} />
    </div>
  );
}
