/** From a job to a notebook server with the same environment, data and code, which opens what the job ran. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { answer, type Api, Problem, type Schemas } from '../../api/client';
import { useBalance, useQueue, useSpecs, type Workload, workloadsChanged } from '../../api/queries';
import { Modal } from '../notebook/Modal';
import { Loaded } from '../parts';
import { useShell } from '../shell';
import { slug } from '../submit/draft';
import { SpecCards } from '../submit/SpecCards';
import { firstChoice } from '../submit/specs';
import { useIntent } from './actions';

export function OpenAsNotebook({ job, primary }: { job: Workload; primary?: boolean }) {
  const { words } = useShell();
  const [asked, setAsked] = useState(false);
  return (
    <>
      <button type="button" className={primary ? 'pk-button pk-primary' : 'pk-button'} onClick={() => setAsked(true)}>
        {words.__('Open as notebook')}
      </button>
      {asked && (
        <Modal title={words.__('Open %1 as a notebook', job.name)} onClose={() => setAsked(false)}>
          <Choice job={job} onClose={() => setAsked(false)} />
        </Modal>
      )}
    </>
  );
}

function Choice({ job, onClose }: { job: Workload; onClose: () => void }) {
  const specs = useSpecs('notebook');
  return (
    <Loaded query={specs} lines={6}>
      {({ items }) => <Form job={job} specs={items} onClose={onClose} />}
    </Loaded>
  );
}

function Form({ job, specs, onClose }: { job: Workload; specs: Schemas['Spec'][]; onClose: () => void }) {
  const { api, words, open } = useShell();
  const cache = useQueryClient();
  const intent = useIntent();
  const { data: queue } = useQueue();
  const { data: balance } = useBalance(job.workspace);
  const [chosen, setChosen] = useState('');
  const free = queue && new Set(queue.free_specs.map(spec => spec.name));
  const own = specs.some(spec => spec.name === job.spec) ? job.spec : undefined;
  const spec = chosen || own || firstChoice(specs, free);
  const start = useMutation({
    mutationFn: async () => {
      const body = requestFor(job, spec);
      const call = answer(api.POST('/workloads/notebooks', { body, headers: intent.header(JSON.stringify(body)) }));
      return call.then(
        made => made.id,
        (problem: unknown) => running(api, body.name, problem)
      );
    },
    onSuccess: id => {
      intent.done();
      open({ view: 'waiting', id, then: `pumpkin/open?job=${job.id}` });
      onClose();
    },
    onSettled: () => workloadsChanged(cache)
  });
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        start.mutate();
      }}
    >
      <p className="pk-hint">
        {words.__('A notebook server of its own, with the environment, data and code of this job.')}
      </p>
      <SpecCards
        kind="notebook"
        specs={specs}
        free={free}
        value={spec}
        onChange={setChosen}
        workspace={job.workspace}
        need={job.spec}
        currency={balance?.currency ?? ''}
      />
      {start.error && (
        <p className="pk-refusals" role="alert">
          {start.error.message}
        </p>
      )}
      <div className="pk-modal-foot">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button pk-primary" disabled={start.isPending || spec === ''}>
          {start.isPending ? words.__('Starting') : words.__('Open')}
        </button>
      </div>
    </form>
  );
}

/** What a job had, in the versions it had. */
function requestFor(job: Workload, spec: string): Schemas['NotebookRequest'] {
  return {
    workspace: job.workspace,
    environment: job.environment || null,
    datasets: job.datasets,
    algorithm: job.algorithm || null,
    models: job.models,
    name: serverName(job),
    spec,
    idle_seconds: null,
    labels: [],
    notes: ''
  };
}

/** The name of a job's server: of this job's only, so that one that runs already can be gone back to. */
export function serverName({ name, id }: Pick<Workload, 'name' | 'id'>): string {
  const start = slug(name.replace(/[._]/g, '-')).slice(0, 50).replace(/-+$/, '');
  return [start, id.slice(-6).toLowerCase()].filter(Boolean).join('-');
}

/** The server of that name when it is there already; otherwise what was said stands. */
async function running(api: Api, name: string, problem: unknown): Promise<string> {
  if (problem instanceof Problem && problem.status === 409) {
    const phase: Workload['phase'][] = ['queued', 'preparing', 'running'];
    const query = { kind: 'notebook' as const, q: name, phase };
    const { items } = await answer(api.GET('/workloads', { params: { query } }));
    const found = items.find(item => item.name === name);
    if (found) {
      return found.id;
    }
  }
  throw problem;
}
