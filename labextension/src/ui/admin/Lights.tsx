/** The platform's health as four lights; each opens what it means. */
import type { ReactNode } from 'react';

import { bytes, duration } from '../format';
import { Loaded } from '../parts';
import { useShell, type Words } from '../shell';
import { type Health, useHealth } from './queries';

type State = Health['database']['state'];

const SIGNS: Record<State, string> = { ok: '✓', slow: '▲', down: '✗' };

export function Lights() {
  const { words } = useShell();
  const query = useHealth();
  return (
    <section aria-labelledby="pk-health">
      <h2 id="pk-health" className="pk-unseen">
        {words.__('Health')}
      </h2>
      <Loaded query={query} lines={2}>
        {health => (
          <>
            <p className="pk-verdict" role="status">
              {verdict(health, words)}
            </p>
            <div className="pk-lights">
              <Light title={words.__('Database')} light={health.database}>
                <p>
                  {words.__(
                    'It keeps who owns, runs and owes what. When it is away nothing new starts; what runs goes on.'
                  )}
                </p>
                <Took
                  text={words.__('A question and its answer took %1 ms.', health.database.milliseconds ?? 0)}
                  light={health.database}
                />
              </Light>
              <Light title={words.__('Object store')} light={health.store}>
                <p>
                  {words.__(
                    'It keeps the contents of datasets, algorithms and models. When it is full nothing can be uploaded.'
                  )}
                </p>
                <Took
                  text={words.__(
                    'Writing, reading and removing a small object took %1 ms.',
                    health.store.milliseconds ?? 0
                  )}
                  light={health.store}
                />
                {health.store.free_bytes != null && health.store.total_bytes != null && (
                  <p>
                    {words.__('%1 of %2 are free.', bytes(health.store.free_bytes), bytes(health.store.total_bytes))}
                  </p>
                )}
              </Light>
              <Light title={words.__('Pipeline')} light={health.pipeline}>
                <p>
                  {words.__(
                    'It starts, watches and ends what was asked for. When it is behind, things start and stop late.'
                  )}
                </p>
                <p>
                  {health.pipeline.passed_seconds == null
                    ? words.__('It has not looked at anything yet.')
                    : words.__('It last looked at everything %1 ago.', duration(health.pipeline.passed_seconds))}
                </p>
                <p>
                  {words._n(
                    '%1 workload waits to be stopped or deleted.',
                    '%1 workloads wait to be stopped or deleted.',
                    health.pipeline.unhandled,
                    health.pipeline.unhandled
                  )}{' '}
                  {health.pipeline.oldest_seconds != null &&
                    words.__('The first of them for %1.', duration(health.pipeline.oldest_seconds))}
                </p>
                <Took text="" light={health.pipeline} />
              </Light>
              <Light title={words.__('Hub and runtime')} light={health.hub}>
                <p>
                  {words.__(
                    'The Hub lets people in and starts their servers; the runtime starts the processes of jobs.'
                  )}
                </p>
                <Took
                  text={words.__('JupyterHub %1 answered in %2 ms.', health.hub.version, health.hub.milliseconds ?? 0)}
                  light={health.hub}
                />
                {health.hub.runtime_milliseconds != null && (
                  <p>{words.__('The runtime answered in %1 ms.', health.hub.runtime_milliseconds)}</p>
                )}
              </Light>
            </div>
          </>
        )}
      </Loaded>
    </section>
  );
}

function stateName(state: State, words: Words): string {
  return { ok: words.__('well'), slow: words.__('look at it'), down: words.__('down') }[state];
}

function verdict(health: Health, words: Words): string {
  const bad = Object.values(health).filter(({ state }) => state !== 'ok').length;
  return bad === 0
    ? words.__('Nothing is wrong.')
    : words._n('%1 part is not well.', '%1 parts are not well.', bad, bad);
}

function Light({ title, light: { state }, children }: { title: string; light: { state: State }; children: ReactNode }) {
  const { words } = useShell();
  return (
    <details className={`pk-light pk-light-${state}`} open={state !== 'ok' || undefined}>
      <summary>
        <span className="pk-light-sign" aria-hidden="true">
          {SIGNS[state]}
        </span>
        {title} <span className="pk-fact">{stateName(state, words)}</span>
      </summary>
      {children}
    </details>
  );
}

/** What was measured, or why it could not be. */
function Took({
  text,
  light: { error, milliseconds }
}: {
  text: string;
  light: { error: string; milliseconds?: number | null };
}) {
  return error ? <p className="pk-refusal">{error}</p> : <>{milliseconds != null && text !== '' && <p>{text}</p>}</>;
}
