/** Where a model's version comes from. */
import { Fragment, type ReactNode } from 'react';

import { number as short } from '../format';
import { Ago, Copyable, Loaded } from '../parts';
import { type Kind, useShell } from '../shell';
import { parseReference } from './files';
import { parametersOf } from './parameters';
import { type Place, useLineage } from './queries';

/** The job, its inputs, its parameters and its last metrics. */
export function Lineage({ place, number }: { place: Place; number: number }) {
  const { words, open, language } = useShell();
  return (
    <Loaded query={useLineage(place, number)}>
      {from =>
        from.job === '' ? (
          <p className="pk-quiet">{words.__('It was uploaded, not made by a job here.')}</p>
        ) : (
          <dl className="pk-origin">
            <Fact title={words.__('Job')}>
              <button
                type="button"
                className="pk-link"
                onClick={() => open({ view: 'job', id: from.job, name: from.job_name || from.job })}
              >
                {from.job_name || from.job}
              </button>
              {from.created && (
                <span className="pk-quiet">
                  {' '}
                  <Ago time={from.created} />
                </span>
              )}
            </Fact>
            {from.code !== '' && (
              <Fact title={words.__('Code')}>
                <Reference kind="algorithm" text={from.code} />
              </Fact>
            )}
            {from.datasets.length > 0 && (
              <Fact title={words.__('Datasets')}>
                <References kind="dataset" texts={from.datasets} />
              </Fact>
            )}
            {from.models.length > 0 && (
              <Fact title={words.__('Began from')}>
                <References kind="model" texts={from.models} />
              </Fact>
            )}
            {from.environment !== '' && (
              <Fact title={words.__('Environment')}>
                <Copyable text={from.environment} />
              </Fact>
            )}
            {parametersOf(from.parameters).map(({ role, command, env, replicas, rest }) => (
              <Fragment key={role}>
                <Fact title={role === 'main' ? words.__('Command') : words.__('Command of %1', role)}>
                  <code className="pk-parameter">{command ?? rest}</code>
                  {replicas > 1 && <span className="pk-quiet"> {words.__('on %1 replicas', replicas)}</span>}
                </Fact>
                {env !== '' && (
                  <Fact title={words.__('Variables')}>
                    <code className="pk-parameter">{env}</code>
                  </Fact>
                )}
              </Fragment>
            ))}
            {Object.entries(from.metrics).length > 0 && (
              <Fact title={words.__('Last metrics')}>
                {Object.entries(from.metrics)
                  .map(([name, value]) => `${name} ${short(value, language)}`)
                  .join(' · ')}
              </Fact>
            )}
          </dl>
        )
      }
    </Loaded>
  );
}

function Fact({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function References({ kind, texts }: { kind: Kind; texts: string[] }) {
  return texts.map(text => (
    <div key={text}>
      <Reference kind={kind} text={text} />
    </div>
  ));
}

/** A reference that opens what it names. */
function Reference({ kind, text }: { kind: Kind; text: string }) {
  const { open } = useShell();
  const target = parseReference(text);
  return target ? (
    <button type="button" className="pk-link" onClick={() => open({ view: 'asset', kind, ...target })}>
      {text}
    </button>
  ) : (
    text
  );
}
