/** What one time of a schedule came to, as a sign and a word. */
import { PhaseSign, phaseName, reasonName } from '../parts';
import { useShell, type Words } from '../shell';
import type { Run } from './queries';

export function RunResult({ run }: { run: Run }) {
  const { words } = useShell();
  const job = run.workload;
  if (job) {
    return (
      <span title={job.message || undefined}>
        <PhaseSign phase={job.phase} /> {phaseName(job.phase, words)}
        {job.phase === 'failed' && job.reason && <span className="pk-fact"> {reasonName(job.reason, words)}</span>}
      </span>
    );
  }
  const failed = run.outcome === 'failed';
  return (
    <span>
      <span className={failed ? 'pk-sign pk-failed' : 'pk-sign pk-stopped'} aria-hidden="true">
        {{ submitted: '■', failed: '✗', skipped: '◌', missed: '◌' }[run.outcome]}
      </span>{' '}
      {outcomeName(run.outcome, words)}
    </span>
  );
}

function outcomeName(outcome: Run['outcome'], words: Words): string {
  return {
    submitted: words.__('job deleted'),
    failed: words.__('not submitted'),
    skipped: words.__('skipped'),
    missed: words.__('missed')
  }[outcome];
}
