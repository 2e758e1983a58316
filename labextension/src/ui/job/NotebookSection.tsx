/** The notebook a job runs, with what its cells have put out so far. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';

import { answer } from '../../api/client';
import { follow } from '../../api/follow';
import { isOpen, useMe, type Workload } from '../../api/queries';
import { duration } from '../format';
import { type CellResult, joined, type NotebookCell, type NotebookDocument } from '../notebook/document';
import { Outputs } from '../notebook/Outputs';
import { Loaded, PhaseSign } from '../parts';
import { useShell } from '../shell';

type Timed = CellResult & { started: string | null; finished: string | null };

const SIGNS = {
  waiting: 'queued',
  running: 'running',
  done: 'succeeded',
  failed: 'failed',
  skipped: 'stopped'
} as const;

export function NotebookSection({ job }: { job: Workload }) {
  const { api, base, words } = useShell();
  const ended = !isOpen(job.phase);
  const query = useQuery({
    queryKey: ['notebook', job.id, job.attempt],
    queryFn: ({ signal }) =>
      answer(api.GET('/workloads/{workload}/notebook', { params: { path: { workload: job.id } }, signal })),
    staleTime: Infinity
  });
  const results = useResults(job);
  const url = `${base}/workloads/${job.id}/notebook`;
  return (
    <section className="pk-box pk-notebook" aria-label={words.__('Notebook')}>
      <div className="pk-why-head">
        <h2>{words.__('Notebook')}</h2>
        <p className="pk-hint">{job.notebook}</p>
        <OpenThere job={job} />
        <a className="pk-link" href={url} download={job.notebook.replace(/^.*\//, '')}>
          {ended ? words.__('Download') : words.__('Download as it is')}
        </a>
      </div>
      <Loaded query={query} lines={8}>
        {document => <Cells cells={(document as unknown as NotebookDocument).cells} results={results} />}
      </Loaded>
    </section>
  );
}

/** The notebook itself: here, or on the server its owner's home is in. */
function OpenThere({ job }: { job: Workload }) {
  const { words, openFile, portal } = useShell();
  const { data: me } = useMe();
  if (me?.name !== job.creator) {
    return null;
  }
  if (openFile) {
    return (
      <button type="button" className="pk-button" onClick={() => openFile(job.notebook)}>
        {words.__('Open the notebook')}
      </button>
    );
  }
  const hub = portal.replace(/services\/pumpkin\/$/, 'hub/user-redirect/lab/tree/');
  return (
    <a className="pk-link" href={hub + job.notebook.split('/').map(encodeURIComponent).join('/')}>
      {words.__('Open the notebook')}
    </a>
  );
}

/** What each cell has come to, told as it happens. */
function useResults(job: Workload): ReadonlyMap<string, Timed> {
  const { base, transport } = useShell();
  const [results, setResults] = useState<ReadonlyMap<string, Timed>>(new Map());
  useEffect(
    () =>
      follow({ base, transport }, `/workloads/${job.id}/cells/stream`, {
        onMessages: messages => {
          const news = messages
            .filter(message => message.event === 'cell')
            .map(message => JSON.parse(message.data) as Timed)
            .map(result => [result.cell, result] as const);
          setResults(before => new Map([...before, ...news]));
        },
        onEnd: () => undefined,
        onLive: () => undefined
      }),
    // A retry goes on in the same stream.
    [base, transport, job.id]
  );
  return results;
}

function Cells({ cells, results }: { cells: NotebookCell[]; results: ReadonlyMap<string, Timed> }) {
  const { words } = useShell();
  return (
    <div className="pk-notebook-cells" tabIndex={0} role="region" aria-label={words.__('Cells')}>
      {cells.map((cell, at) => (
        <Cell key={cell.id ?? at} cell={cell} result={results.get(cell.id ?? '')} />
      ))}
    </div>
  );
}

function Cell({ cell, result }: { cell: NotebookCell; result: Timed | undefined }) {
  const source = joined(cell.source);
  const count = result?.execution_count ?? cell.execution_count;
  // Only what has changed is drawn again.
  const outputs = useMemo(() => {
    const all = result?.outputs ?? cell.outputs ?? [];
    return all.length > 0 && <Outputs outputs={all} />;
  }, [result, cell]);
  const took =
    result?.started && result.finished ? (Date.parse(result.finished) - Date.parse(result.started)) / 1000 : null;
  return (
    <div className={`pk-notebook-cell pk-notebook-${cell.cell_type}`}>
      <div className="pk-notebook-prompt">
        {cell.cell_type === 'code' && <span>[{count ?? ' '}]</span>}
        {result && <PhaseSign phase={SIGNS[result.state]} />}
        {took !== null && took >= 1 && <span className="pk-fact">{duration(took)}</span>}
      </div>
      <div className="pk-notebook-body">
        <pre className="pk-compared-source">{source}</pre>
        {outputs}
      </div>
    </div>
  );
}
