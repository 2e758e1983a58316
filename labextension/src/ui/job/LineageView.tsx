/** Where a job's inputs come from and what it made, as a small graph. */
import type { Workload } from '../../api/queries';
import { PhaseSign } from '../parts';
import { type Kind, useShell } from '../shell';
import { reference } from './reference';

export function LineageView({ job }: { job: Workload }) {
  const { words } = useShell();
  const output = 'output' in job.request ? job.request.output : null;
  return (
    <section className="pk-box" aria-labelledby={`lineage-${job.id}`}>
      <h2 id={`lineage-${job.id}`}>{words.__('Inputs and outputs')}</h2>
      <div className="pk-lineage">
        <ul aria-label={words.__('Inputs')}>
          {job.datasets.map(text => (
            <Asset key={text} kind="dataset" text={text} />
          ))}
          {job.algorithm && <Asset kind="algorithm" text={job.algorithm} />}
          {job.models.map(text => (
            <Asset key={text} kind="model" text={text} />
          ))}
          {job.environment && (
            <li className="pk-node">
              <span className="pk-fact">{words.__('environment')}</span>
              <Named text={job.environment} />
            </li>
          )}
        </ul>
        <span className="pk-arrow" aria-hidden="true" />
        <div className="pk-node pk-node-job">
          <span className="pk-fact">{words.__('this job')}</span>
          <span>
            <PhaseSign phase={job.phase} /> {job.name}
          </span>
        </div>
        {(job.output || output) && (
          <>
            <span className="pk-arrow" aria-hidden="true" />
            <ul aria-label={words.__('Outputs')}>
              {job.output ? (
                <Asset kind="model" text={job.output} />
              ) : (
                <li className="pk-node">
                  <span className="pk-fact">{words.__('model')}</span>
                  <span>{words.__('%1, not made yet', output?.model ?? '')}</span>
                </li>
              )}
            </ul>
          </>
        )}
      </div>
    </section>
  );
}

function Asset({ kind, text }: { kind: Kind; text: string }) {
  const { words, open } = useShell();
  const found = reference(text);
  const names: Record<Kind, string> = {
    dataset: words.__('dataset'),
    algorithm: words.__('algorithm'),
    model: words.__('model')
  };
  return (
    <li>
      <button
        type="button"
        className="pk-node"
        title={text}
        disabled={!found}
        onClick={() => found && open({ view: 'asset', kind, ...found })}
      >
        <span className="pk-fact">{names[kind]}</span>
        <Named text={text} />
      </button>
    </li>
  );
}

function Named({ text }: { text: string }) {
  const found = reference(text);
  return (
    <span title={text}>
      {found?.name ?? text} {found?.version !== undefined && <span className="pk-fact">v{found.version}</span>}
    </span>
  );
}
