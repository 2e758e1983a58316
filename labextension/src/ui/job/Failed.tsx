/** What went wrong, and the way on. */
import { useQuery } from '@tanstack/react-query';

import { problemOf } from '../../api/client';
import type { Workload } from '../../api/queries';
import { Loaded } from '../parts';
import { useShell } from '../shell';
import type { Actions } from './actions';
import { pieces } from './ansi';
import { lastWords } from './lastWords';
import { OpenAsNotebook } from './OpenAsNotebook';

const TAIL = 64 << 10;

export function Failed({ job, actions }: { job: Workload; actions: Actions }) {
  const { words, open } = useShell();
  const culprit = job.members.find(member => member.oom || (member.exit_code ?? 0) !== 0 || member.signal != null);
  const replica = (culprit ?? job.members[0])?.name;
  return (
    <section className="pk-box pk-why" aria-label={words.__('Why it failed')}>
      <div className="pk-why-head">
        <p>{job.message}</p>
        <OpenAsNotebook job={job} primary />
        <button type="button" className="pk-button" disabled={actions.busy} onClick={actions.rerun}>
          {words.__('Rerun')}
        </button>
        {!job.notebook && (
          <button type="button" className="pk-button" onClick={() => open({ view: 'new-job', from: job.id })}>
            {words.__('Clone and edit')}
          </button>
        )}
      </div>
      {replica !== undefined && <LastWords job={job} replica={replica} />}
    </section>
  );
}

/** What went wrong is said last. */
function toEnd(element: HTMLElement | null): void {
  element?.scrollTo({ top: element.scrollHeight });
}

function LastWords({ job, replica }: { job: Workload; replica: string }) {
  const { words, base, transport } = useShell();
  const query = useQuery({
    queryKey: ['last-words', job.id, replica, job.attempt],
    queryFn: async ({ signal }) => {
      const url = `${base}/workloads/${job.id}/logs/${encodeURIComponent(replica)}?offset=${-TAIL}`;
      const response = await transport(new Request(url, { signal }));
      if (!response.ok) {
        throw await problemOf(response);
      }
      return lastWords(await response.text(), Number(response.headers.get('X-Log-Offset')) > 0);
    },
    staleTime: Infinity
  });
  return (
    <Loaded query={query} lines={6}>
      {lines =>
        lines.length === 0 ? (
          <p className="pk-hint">{words.__('Nothing was written to the log.')}</p>
        ) : (
          <pre ref={toEnd} className="pk-last-words" tabIndex={0} aria-label={words.__('The last lines of the log')}>
            {lines.map((line, at) => (
              <span key={at}>
                {pieces(line).map(({ text, className }, place) => (
                  <span key={place} className={className || undefined}>
                    {text}
                  </span>
                ))}
                {'\n'}
              </span>
            ))}
          </pre>
        )
      }
    </Loaded>
  );
}
