/** The form of a new job. */
import { useQuery } from '@tanstack/react-query';

import { answer, type Schemas } from '../../api/client';
import { useMe, useQueue, useSpecs } from '../../api/queries';
import { Failure, Skeleton } from '../parts';
import { type JobDraft, useShell } from '../shell';
import { blank, type Draft, fromPreset, fromRequest } from './draft';
import { JobFields } from './JobFields';
import { firstChoice } from './specs';
import { draftKey, loadDraft, loadLast } from './store';

/** The form of a new job; `from` is a job to start from, `preset` what is known already. */
export function JobForm({ from, preset }: { from?: string; preset?: Partial<JobDraft> }) {
  const { api } = useShell();
  const me = useMe();
  const specs = useSpecs();
  // Waited for, but not needed: without it the form only cannot tell what is free.
  const queue = useQueue();
  const request = useQuery({
    queryKey: ['request', from],
    queryFn: ({ signal }) =>
      answer(api.GET('/workloads/jobs/{workload}/request', { params: { path: { workload: from ?? '' } }, signal })),
    enabled: from !== undefined
  });
  const needed = [me, specs, ...(from === undefined ? [] : [request])];
  const failed = needed.find(query => query.data === undefined && query.error);
  if (failed?.error) {
    return <Failure error={failed.error} retry={() => needed.forEach(query => void query.refetch())} />;
  }
  if (!me.data || !specs.data || (from !== undefined && !request.data) || (!queue.data && !queue.error)) {
    return <Skeleton lines={12} />;
  }
  const key = draftKey(from, preset);
  const start = begin(me.data, specs.data.items, freeSpecs(queue.data), request.data, preset);
  return (
    <JobFields
      draftKey={key}
      fresh={start}
      kept={loadDraft(key)}
      from={from}
      me={me.data}
      specs={specs.data.items}
      free={queue.data && freeSpecs(queue.data)}
    />
  );
}

/** The names of the specs that would start at once. */
export function freeSpecs(queue: Schemas['Queue'] | undefined): ReadonlySet<string> {
  return new Set(queue?.free_specs.map(spec => spec.name));
}

/** What the form is filled with before anything is typed. */
function begin(
  me: Schemas['Me'],
  specs: Schemas['Spec'][],
  available: ReadonlySet<string>,
  request: Schemas['JobRequest'] | undefined,
  preset: Partial<JobDraft> | undefined
): Draft {
  if (request) {
    return fromRequest(request);
  }
  const draft = preset ? fromPreset(preset) : blank();
  const last = loadLast();
  const known = specs.some(spec => spec.name === last.spec) ? last.spec : undefined;
  const spec = draft.run.spec || (known ?? firstChoice(specs, available));
  const mine = me.workspaces.some(each => each.workspace === last.workspace && each.role !== 'viewer');
  return {
    ...draft,
    run: { ...draft.run, spec },
    workspace: mine ? last.workspace : '',
    environment: last.environment
  };
}
