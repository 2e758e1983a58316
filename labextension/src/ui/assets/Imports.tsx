/** Versions on their way from other servers, which the platform fetches itself. */
import { useEffect, useId, useRef } from 'react';

import { answer, type Schemas } from '../../api/client';
import { KINDS } from '../../api/queries';
import { bytes } from '../format';
import { useShell, type Words } from '../shell';
import { Refusal, useAct } from './bits';
import { isGoing, type Place, useAssetChanged, useImports } from './queries';

type Import = Schemas['Import'];

/** Those that go on, and those that failed until they are put away; `onReady` is told of versions that came of them. */
export function Imports({ place, onReady }: { place: Place; onReady: (number: number) => void }) {
  const { words, announce } = useShell();
  const { data } = useImports(place);
  const going = useRef(new Set<string>());
  useEffect(() => {
    for (const { id, number, ...one } of data?.items ?? []) {
      if (isGoing(one)) {
        going.current.add(id);
      } else if (going.current.delete(id) && number !== null) {
        announce(words.__('Version %1 of %2 is ready.', number, `${place.workspace}/${place.name}`), 'success');
        onReady(number);
      }
    }
  });
  const shown = data?.items.filter(one => one.state !== 'ready') ?? [];
  return shown.map(one => <Row key={one.id} place={place} one={one} />);
}

function Row({ place, one }: { place: Place; one: Import }) {
  const { api, words } = useShell();
  const changed = useAssetChanged(place);
  const { act, busy, error } = useAct();
  const title = useId();
  const { kind, workspace, name } = place;
  const remove = async (): Promise<void> => {
    const path = { workspace, name, import: one.id };
    await answer(api.DELETE(`/${KINDS[kind]}/{workspace}/{name}/imports/{import}`, { params: { path } }));
    await changed();
  };
  const failed = one.state === 'failed';
  return (
    <section className="pk-asset-form" aria-labelledby={title}>
      <p id={title} className="pk-staged">
        {stateText(one, words)} <span className="pk-quiet">{one.url}</span>
      </p>
      {failed ? (
        <p className="pk-refusal" role="alert">
          {one.error}
        </p>
      ) : (
        <>
          <progress
            className="pk-progress"
            aria-labelledby={title}
            max={Math.max(one.total ?? 1, 1)}
            value={one.state !== 'waiting' && one.total !== null ? one.fetched : undefined}
          />
          <p className="pk-quiet pk-numbers">
            {one.total === null ? bytes(one.fetched) : words.__('%1 of %2', bytes(one.fetched), bytes(one.total))}
          </p>
        </>
      )}
      <Refusal error={error} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" disabled={busy} onClick={() => act(remove)}>
          {failed ? words.__('Put away') : words.__('Give up')}
        </button>
      </div>
    </section>
  );
}

function stateText({ state }: Import, words: Words): string {
  return {
    waiting: words.__('Waits to be imported'),
    fetching: words.__('Importing'),
    unpacking: words.__('Unpacking'),
    ready: words.__('Imported'),
    failed: words.__('The import failed')
  }[state];
}
