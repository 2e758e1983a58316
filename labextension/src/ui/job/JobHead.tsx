/** A job's name, how it stands, what it costs, and what one can do with it. */
import { isOpen, useBalance, type Workload } from '../../api/queries';
import { duration, money, price } from '../format';
import { Copyable, PhaseSign, phaseName, useNow } from '../parts';
import { useShell } from '../shell';
import type { Actions } from './actions';
import { OpenAsNotebook } from './OpenAsNotebook';

export function JobHead({ job, actions }: { job: Workload; actions: Actions }) {
  const { words, open } = useShell();
  const ongoing = isOpen(job.phase);
  const going = job.target !== 'run';
  // A failed job has these beside what went wrong, where one looks for them.
  const again = job.phase !== 'failed';
  return (
    <div className="pk-job-head">
      <div className="pk-job-title">
        <h1>{job.name}</h1>
        <span className="pk-job-phase">
          <PhaseSign phase={job.phase} /> <PhaseTime job={job} />
        </span>
      </div>
      <div className="pk-job-facts">
        <span>{job.workspace}</span>
        <span>{job.replicas > 1 ? `${job.replicas} × ${job.spec}` : job.spec}</span>
        <Cost job={job} />
        <Copyable text={job.id} />
      </div>
      <div className="pk-job-actions">
        {ongoing && (
          <button
            type="button"
            className="pk-button pk-primary"
            disabled={actions.busy || going}
            onClick={actions.stop}
          >
            {going ? words.__('Stopping') : words.__('Stop')}
          </button>
        )}
        {again && (
          <>
            <button
              type="button"
              className={ongoing ? 'pk-button' : 'pk-button pk-primary'}
              disabled={actions.busy}
              onClick={actions.rerun}
            >
              {words.__('Rerun')}
            </button>
            {!job.notebook && (
              <button type="button" className="pk-button" onClick={() => open({ view: 'new-job', from: job.id })}>
                {words.__('Clone and edit')}
              </button>
            )}
            <OpenAsNotebook job={job} />
          </>
        )}
        <button type="button" className="pk-button" onClick={() => open({ view: 'new-schedule', from: job.id })}>
          {words.__('Schedule…')}
        </button>
        <button type="button" className="pk-button" disabled={actions.busy} onClick={actions.yaml}>
          {words.__('Download YAML')}
        </button>
        <button type="button" className="pk-button" disabled={actions.busy} onClick={actions.remove}>
          {words.__('Delete')}
        </button>
      </div>
    </div>
  );
}

/** The phase's name, and how long the job has been in it or had run. */
function PhaseTime({ job }: { job: Workload }) {
  const { words } = useShell();
  const now = useNow();
  const attempt = job.attempts.at(-1);
  const name = phaseName(job.phase, words);
  const since = (from: string | null | undefined, to?: string | null): string =>
    from ? `${name} ${duration(((to ? Date.parse(to) : now) - Date.parse(from)) / 1000)}` : name;
  switch (job.phase) {
    case 'queued':
      return since(attempt?.ended ?? job.created);
    case 'preparing':
      return since(attempt?.created);
    case 'running':
    case 'stopping':
      return since(attempt?.started ?? job.started);
    default:
      return job.started
        ? words.__('%1 after %2', name, since(job.started, job.finished).slice(name.length + 1))
        : name;
  }
}

function Cost({ job }: { job: Workload }) {
  const { words } = useShell();
  const { data } = useBalance(job.workspace);
  const currency = data?.currency ?? '';
  const budget = 'budget_micro' in job.request ? job.request.budget_micro : null;
  if (job.price_micro === 0) {
    return <span>{words.__('free of charge')}</span>;
  }
  const cost = money(job.cost_micro, currency);
  return (
    <span title={price(job.price_micro, currency, words)}>
      {budget == null ? cost : words.__('%1 of %2', cost, money(budget, currency))}
    </span>
  );
}
