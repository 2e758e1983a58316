/** Asks on what to run a notebook, or some of its cells, as a job, and submits it. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';

import { answer, type Schemas } from '../../api/client';
import { useBalance, useMe, useQueue, useSpecs, useWorkload, type Workload, workloadsChanged } from '../../api/queries';
import { useIntent } from '../job/actions';
import { Empty, Loaded, Skeleton } from '../parts';
import { useShell } from '../shell';
import { isPassing, useRefusals } from '../submit/refusals';
import { firstChoice } from '../submit/specs';
import { Modal } from './Modal';
import { type Parameter, parametersOf, valueOf } from './parameters';
import { type Choice, choiceFor, remember, requestOf, runOf, type Scope, type Snapshot } from './request';
import { RunFields, type Typed } from './RunFields';
import { bare } from './sending';

/** A notebook as its shell knows it. */
export interface Origin {
  path: string;
  snapshot: () => Snapshot;
  /** Of its kernel, '' for the platform's default. */
  environment: string;
  /** The workload its server is, '' for none. */
  server: string;
}

interface Props {
  origin: Origin;
  scope: Scope;
  /** Notes in its cells that they are out. */
  onSent: (job: Workload, snapshot: Snapshot, cells: string[]) => Promise<void>;
  onClose: () => void;
}

export function RunDialog(props: Props) {
  const { words } = useShell();
  return (
    <Modal title={words.__('Run as a job')} onClose={props.onClose}>
      {props.origin.server ? <OnServer {...props} /> : <Ready {...props} server={undefined} />}
    </Modal>
  );
}

/** What the notebook's own server was started with is what its cells expect to find. */
function OnServer(props: Props) {
  const { data, error } = useWorkload(props.origin.server);
  return data || error ? <Ready {...props} server={data} /> : <Skeleton lines={8} />;
}

function Ready(props: Props & { server: Workload | undefined }) {
  const { words } = useShell();
  const specs = useSpecs();
  const [snapshot] = useState(props.origin.snapshot);
  if (snapshot.cells.all.length === 0) {
    return <Empty>{words.__('There is no code in this notebook to run.')}</Empty>;
  }
  return (
    <Loaded query={specs} lines={8}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty>{words.__('There is no spec you may use: ask an admin.')}</Empty>
        ) : (
          <Form {...props} snapshot={snapshot} specs={items} />
        )
      }
    </Loaded>
  );
}

function Form({
  origin,
  scope: wanted,
  server,
  snapshot,
  specs,
  onSent,
  onClose
}: Props & { server: Workload | undefined; snapshot: Snapshot; specs: Schemas['Spec'][] }) {
  const { api, words, announce } = useShell();
  const cache = useQueryClient();
  const intent = useIntent();
  const { data: me } = useMe();
  const { data: queue } = useQueue();
  const [choice, setChoice] = useState(() => choiceFor(origin.environment, server));
  const [scope, setScope] = useState<Scope>(snapshot.cells[wanted].length > 0 ? wanted : 'all');
  const parameters = useMemo(() => parametersOf(snapshot.document.cells), [snapshot]);
  const [typed, setTyped] = useState<Typed>({});
  const { data: balance } = useBalance(choice.workspace || me?.name);
  const free = queue && new Set(queue.free_specs.map(spec => spec.name));
  const known = specs.some(spec => spec.name === choice.spec);
  const spec = known ? choice.spec : firstChoice(specs, free);
  const request = requestOf(origin.path, { ...choice, spec });
  const [refused, setRefused] = useState<{ body: string; problem: Error } | null>(null);
  const { estimate, problem, refused: wrong } = useRefusals(request, refused);
  const run = useMutation({
    mutationFn: () => {
      const cells = scope === 'all' ? null : snapshot.cells[scope];
      const notebook = runOf(origin.path, bare(snapshot.document), cells, changed(parameters, typed));
      const body = { ...request, notebook };
      return answer(api.POST('/workloads/jobs', { body, headers: intent.header(JSON.stringify(body)) }));
    },
    // The same key each time: one whose answer got lost is not made twice.
    retry: (count, error) => count < 2 && isPassing(error),
    onSuccess: async made => {
      intent.done();
      remember(spec);
      // The job is made: what cannot be saved now is noted when it lands.
      await onSent(made, snapshot, snapshot.cells[scope]).catch((error: unknown) => announce(String(error), 'error'));
      announce(words.__('%1 is out as a job: its results come back into the notebook.', made.name), 'success');
      onClose();
    },
    onError: error => setRefused({ body: JSON.stringify(request), problem: error }),
    onSettled: made => workloadsChanged(cache, made?.id)
  });
  const unreadable = parameters.some(each => valueOf(each, typed[each.name] ?? each.text) === undefined);
  return (
    <form
      className="pk-run"
      aria-label={words.__('Run as a job')}
      onSubmit={event => {
        event.preventDefault();
        if (!unreadable && !run.isPending) {
          run.mutate();
        }
      }}
    >
      <RunFields
        path={origin.path}
        choice={{ ...choice, spec }}
        onChoice={(part: Partial<Choice>) => setChoice({ ...choice, ...part })}
        scope={scope}
        onScope={setScope}
        cells={snapshot.cells}
        parameters={parameters}
        typed={typed}
        onTyped={setTyped}
        {...{ specs, free, estimate, wrong }}
        currency={balance?.currency ?? ''}
      />
      <div className="pk-modal-foot">
        <p className="pk-reason" role="status">
          {problem?.message ?? (refused && isPassing(refused.problem) ? refused.problem.message : '')}
        </p>
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button pk-primary" disabled={run.isPending || unreadable}>
          {run.isPending ? words.__('Submitting') : words.__('Run')}
        </button>
      </div>
    </form>
  );
}

/** Only what differs from the notebook is set: what is computed from a default keeps being computed. */
function changed(
  parameters: readonly Parameter[],
  typed: Typed
): Record<string, NonNullable<ReturnType<typeof valueOf>> | null> {
  const values = parameters.flatMap(each => {
    const text = typed[each.name];
    const value = text === undefined || text === each.text ? undefined : valueOf(each, text);
    return value === undefined ? [] : [[each.name, value] as const];
  });
  return Object.fromEntries(values);
}
