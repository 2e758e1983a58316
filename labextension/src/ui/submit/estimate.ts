/** What a job would cost and when it would start, asked while it is typed; the server's rules come with it. */
import { useQueries } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { answer, Problem, type Schemas } from '../../api/client';
import { useShell } from '../shell';
import { fieldOf } from './draft';
import { PLAIN } from './plain';
import { waitOf, type Wait } from './specs';

const SETTLED_MS = 400;
const AGAIN_MS = 15_000;

export interface Asked {
  /** What was asked, as JSON. */
  body: string;
  estimate?: Schemas['Estimate'];
  problem?: Error;
}

/** Asks for an estimate once `job` has been left alone for a moment, and again now and then. The last answer stays
 * until the next one is there, so that refusals do not flicker while one types. */
export function useEstimate(job: Schemas['JobRequest'] | null): Asked | null {
  const { api } = useShell();
  const [asked, setAsked] = useState<Asked | null>(null);
  const body = job && JSON.stringify(job);
  useEffect(() => {
    if (body === null) {
      return;
    }
    const abort = new AbortController();
    const ask = async (): Promise<void> => {
      const wanted = JSON.parse(body) as Schemas['JobRequest'];
      const call = answer(
        api.POST('/workloads/estimate', { body: { job: wanted, notebook: null }, signal: abort.signal })
      );
      const said = await call.then(
        estimate => ({ body, estimate }),
        (problem: unknown) => ({ body, problem: problem instanceof Error ? problem : new Error(String(problem)) })
      );
      if (!abort.signal.aborted) {
        setAsked(said);
      }
    };
    const first = setTimeout(() => void ask(), SETTLED_MS);
    const again = setInterval(() => void ask(), AGAIN_MS);
    return () => {
      abort.abort();
      clearTimeout(first);
      clearInterval(again);
    };
  }, [api, body]);
  return body === null ? null : asked;
}

/** How long one would wait for each of `specs`, which are taken now; a sentence for one that cannot be had at all. */
export function useWaits(
  kind: 'job' | 'notebook',
  specs: readonly string[],
  workspace: string
): ReadonlyMap<string, Wait | string> {
  const { api } = useShell();
  return useQueries({
    queries: specs.map(spec => ({
      queryKey: ['wait', kind, spec, workspace],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        answer(api.POST('/workloads/estimate', { body: smallest(kind, spec, workspace), signal })).then(
          waitOf,
          refusalOfSpec
        ),
      staleTime: AGAIN_MS,
      // A refusal stands until the form is opened again, or the workspace is another.
      refetchInterval: (query: { state: { data?: Wait | string } }) =>
        typeof query.state.data === 'string' ? (false as const) : AGAIN_MS,
      retry: (_count: number, error: Error) => !(error instanceof Problem)
    })),
    combine: results =>
      new Map(
        results.flatMap((result, at): [string, Wait | string][] => {
          const spec = specs[at];
          return result.data && spec !== undefined ? [[spec, result.data]] : [];
        })
      )
  });
}

function refusalOfSpec(problem: unknown): string {
  if (problem instanceof Problem && fieldOf(problem.field) === 'spec') {
    return problem.message;
  }
  throw problem;
}

function smallest(kind: 'job' | 'notebook', spec: string, workspace: string): Schemas['EstimateRequest'] {
  const common = {
    workspace: workspace || null,
    environment: null,
    datasets: [],
    algorithm: null,
    models: [],
    labels: [],
    notes: ''
  };
  if (kind === 'notebook') {
    return { job: null, notebook: { ...common, name: '', spec, idle_seconds: null } };
  }
  const job: Schemas['JobRequest'] = {
    ...common,
    ...PLAIN,
    name: 'job',
    spec,
    command: 'true'
  };
  return { job, notebook: null };
}
