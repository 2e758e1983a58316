/** The view of one job. */
import { useRef } from 'react';

import { Problem } from '../../api/client';
import { useWorkload, type Workload } from '../../api/queries';
import { Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { useActions } from './actions';
import { Asked } from './Asked';
import { Curves } from './Curves';
import { Failed } from './Failed';
import { JobHead } from './JobHead';
import { LineageView } from './LineageView';
import { LogView } from './LogView';
import { NotebookSection } from './NotebookSection';
import { Timeline } from './Timeline';
import { UsageView } from './UsageView';
import { useOnScreen } from './visible';
import { Waiting } from './Waiting';

/** One job: how it stands, its curves, its log, what it used, and what it was made from. */
export function JobView({ id }: { id: string }) {
  const { words, open } = useShell();
  const query = useWorkload(id);
  if (query.error instanceof Problem && query.error.status === 404) {
    return (
      <Empty
        action={
          <button type="button" className="pk-button pk-primary" onClick={() => open({ view: 'jobs' })}>
            {words.__('All jobs')}
          </button>
        }
      >
        {words.__('This job is not there: it was deleted, or you may not see it.')}
      </Empty>
    );
  }
  return (
    <Loaded query={query} lines={10}>
      {job => <Job job={job} />}
    </Loaded>
  );
}

function Job({ job }: { job: Workload }) {
  const actions = useActions(job);
  const place = useRef<HTMLDivElement>(null);
  const onScreen = useOnScreen(place);
  return (
    <div ref={place} className="pk-job">
      <JobHead job={job} actions={actions} />
      <Timeline job={job} onScreen={onScreen} />
      {job.phase === 'queued' && <Waiting job={job} />}
      {job.phase === 'failed' && <Failed job={job} actions={actions} />}
      {job.phase === 'stopped' && job.message && <p className="pk-box">{job.message}</p>}
      {job.notebook && <NotebookSection job={job} />}
      <div className="pk-job-main">
        <Curves job={job} onScreen={onScreen} />
        <LogView job={job} />
      </div>
      <div className="pk-job-main">
        <UsageView job={job} />
        <LineageView job={job} />
      </div>
      <Asked job={job} />
    </div>
  );
}
