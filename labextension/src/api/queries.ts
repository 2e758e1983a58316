/** What views read, cached and kept fresh; one key per thing, so that a change reaches every view of it. */
import { keepPreviousData, type QueryClient, queryOptions, useQuery } from '@tanstack/react-query';

import { type Kind, useShell } from '../ui/shell';
import { answer, type Api, Problem, type Schemas } from './client';

export type WorkloadSummary = Schemas['WorkloadSummary'];
export type Workload = Schemas['Workload'];

export const KINDS = { dataset: 'datasets', algorithm: 'algorithms', model: 'models' } as const;
const LIVE_MS = 2000;
const CALM_MS = 5000;
/** Items of a short list. */
const NEWEST = 50;

/** Whether a workload is still on its way. */
export function isOpen(phase: Workload['phase']): boolean {
  return !['succeeded', 'failed', 'stopped'].includes(phase);
}

export interface WorkloadFilter {
  kind?: 'job' | 'notebook';
  q?: string;
  phase?: Workload['phase'][];
  workspace?: string;
  creator?: string;
  label?: string;
  limit?: number;
}

/** The newest workloads of the user's workspaces; often asked for while one of them is on its way. */
export function useWorkloads(filter: WorkloadFilter, enabled = true) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['workloads', filter],
    queryFn: ({ signal }) => answer(api.GET('/workloads', { params: { query: filter }, signal })),
    enabled,
    placeholderData: keepPreviousData,
    refetchInterval: query => (query.state.data?.items.some(item => isOpen(item.phase)) ? LIVE_MS : CALM_MS)
  });
}

/** Jobs at a glance: counts, the newest ones, how they go. One query for all that shows them. */
export function glance(api: Api, filter: { workspace?: string; q?: string } = {}) {
  return queryOptions({
    queryKey: ['workloads', 'glance', filter],
    queryFn: ({ signal }) => answer(api.GET('/workloads/glance', { params: { query: filter }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state: { data } }) => (data && data.running + data.queued > 0 ? LIVE_MS : CALM_MS)
  });
}

/** One workload, followed while it is on its way. */
export function useWorkload(id: string) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['workload', id],
    queryFn: ({ signal }) => answer(api.GET('/workloads/{workload}', { params: { path: { workload: id } }, signal })),
    refetchInterval: ({ state: { data, error } }) => {
      const over = (data && !isOpen(data.phase)) ?? (error instanceof Problem && error.status === 404);
      return over ? false : LIVE_MS;
    }
  });
}

/** The caller: name, workspaces, what they may do. */
export function me(api: Api) {
  return queryOptions({
    queryKey: ['me'],
    queryFn: ({ signal }) => answer(api.GET('/accounts/me', { signal })),
    staleTime: 60_000
  });
}

export function useMe() {
  return useQuery(me(useShell().api));
}

/** The queue as the caller sees it: their places, and the specs that are free now. */
export function useQueue() {
  const { api } = useShell();
  return useQuery({
    queryKey: ['queue'],
    queryFn: ({ signal }) => answer(api.GET('/workloads/queue', { signal })),
    refetchInterval: LIVE_MS * 2
  });
}

/** Specs on offer for jobs, or for notebooks; of those the caller may not use, an estimate says why. */
export function useSpecs(kind: 'job' | 'notebook' = 'job') {
  const { api } = useShell();
  return useQuery({
    queryKey: ['specs', kind],
    queryFn: ({ signal }) =>
      answer(api.GET('/resources/specs', { params: { query: { kind, forbidden: true, limit: 200 } }, signal })),
    staleTime: 30_000
  });
}

/** The server a Lab runs on; its meter goes on by itself, so it is looked at less often. */
export function useOwnServer(id: string) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['workload', id],
    queryFn: ({ signal }) => answer(api.GET('/workloads/{workload}', { params: { path: { workload: id } }, signal })),
    enabled: id !== '',
    refetchInterval: CALM_MS * 2
  });
}

/** What the caller's own workspace has and spends, with the currency. */
export function useBalance(workspace: string | undefined) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['balance', workspace],
    queryFn: ({ signal }) =>
      answer(api.GET('/billing/balances/{workspace}', { params: { path: { workspace: workspace ?? '' } }, signal })),
    enabled: workspace !== undefined,
    refetchInterval: CALM_MS
  });
}

/** What a list is narrowed to, empty for all; `live`: whether it is seen, and so kept fresh. */
export interface Narrowed {
  q?: string;
  workspace?: string;
  limit?: number;
  live?: boolean;
}

/** The newest datasets, algorithms or models the caller may use. */
export function useAssets(kind: Kind, { q, workspace, limit = NEWEST, live = true }: Narrowed) {
  const { api } = useShell();
  const query = { q: q || undefined, workspace: workspace || undefined, limit };
  return useQuery({
    queryKey: ['assets', kind, query],
    queryFn: ({ signal }) => answer(api.GET(`/${KINDS[kind]}`, { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: live && CALM_MS
  });
}

/** Environments the caller may use. */
export function useEnvironments({ q, workspace, limit = NEWEST, live = true }: Narrowed) {
  const { api } = useShell();
  const query = { q: q || undefined, workspace: workspace || undefined, limit };
  return useQuery({
    queryKey: ['environments', query],
    queryFn: ({ signal }) => answer(api.GET('/images', { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: live && CALM_MS
  });
}

/** Has everything that shows workloads look again: call it after a change. */
export async function workloadsChanged(cache: QueryClient, id?: string): Promise<void> {
  await Promise.all([
    cache.invalidateQueries({ queryKey: ['workloads'] }),
    cache.invalidateQueries({ queryKey: ['queue'] }),
    ...(id === undefined ? [] : [cache.invalidateQueries({ queryKey: ['workload', id] })])
  ]);
}
