/** What has happened lately: jobs that ended, models and datasets that are new. */
import { useAssets, useMe, useWorkloads } from '../../api/queries';
import { Ago, Empty, Loaded, PhaseSign, reasonName } from '../parts';
import { type Kind, useShell } from '../shell';

const FEW = 6;

export function News() {
  const { words } = useShell();
  return (
    <>
      <Ended />
      <Newest kind="model" title={words.__('Newest models')} />
      <Newest kind="dataset" title={words.__('Newest datasets')} />
    </>
  );
}

function Ended() {
  const { words, open } = useShell();
  const { data: me } = useMe();
  const query = useWorkloads(
    { kind: 'job', creator: me?.name, phase: ['succeeded', 'failed', 'stopped'], limit: FEW },
    me !== undefined
  );
  return (
    <section aria-labelledby="pk-ended">
      <h2 id="pk-ended">{words.__('Ended jobs')}</h2>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty
              action={
                <button type="button" className="pk-button" onClick={() => open({ view: 'new-job' })}>
                  {words.__('New job')}
                </button>
              }
            >
              {words.__('Jobs run your code in the queue, on any spec.')}
            </Empty>
          ) : (
            <ul className="pk-list">
              {items.map(job => (
                <li key={job.id}>
                  <button
                    type="button"
                    className="pk-row"
                    title={job.message || undefined}
                    onClick={() => open({ view: 'job', id: job.id, name: job.name })}
                  >
                    <PhaseSign phase={job.phase} />
                    <span className="pk-name">{job.name}</span>
                    <span className="pk-fact">
                      {job.phase === 'failed' && <span className="pk-reason">{reasonName(job.reason, words)} </span>}
                      <Ago time={job.finished ?? job.created} />
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  );
}

function Newest({ kind, title }: { kind: Kind; title: string }) {
  const { words, open } = useShell();
  const query = useAssets(kind, { limit: FEW });
  return (
    <section aria-label={title}>
      <h2>{title}</h2>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty
              action={
                <button type="button" className="pk-button" onClick={() => open({ view: 'assets', kind })}>
                  {words.__('Add')}
                </button>
              }
            >
              {words.__('None yet.')}
            </Empty>
          ) : (
            <ul className="pk-list">
              {items.map(item => (
                <li key={item.id}>
                  <button
                    type="button"
                    className="pk-row"
                    title={`${item.workspace}/${item.name}`}
                    onClick={() => open({ view: 'asset', kind, workspace: item.workspace, name: item.name })}
                  >
                    <span className="pk-name">{item.name}</span>
                    <span className="pk-fact">
                      {item.latest ? `v${item.latest} ` : ''}
                      <Ago time={item.updated} />
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </section>
  );
}
