/** What the sections of the admin shell read. */
import { useQuery } from '@tanstack/react-query';

import { answer, type Schemas } from '../../api/client';
import { useBalance, useMe } from '../../api/queries';
import { useShell } from '../shell';

export type Node = Schemas['Node'];
export type UsageItem = Schemas['UsageItem'];
export type NodeLoad = Schemas['NodeLoad'];
export type Health = Schemas['PlatformHealth'];
export type QueueItem = Schemas['QueueItem'];
export type Spec = Schemas['Spec'];
export type Pool = Schemas['Pool'];

const [LIVE_MS, CALM_MS] = [5000, 15_000];
const ALL = { limit: 500 };

/** Every node, with what is held of it. */
export function useNodes() {
  const { api } = useShell();
  return useQuery({
    queryKey: ['nodes'],
    queryFn: ({ signal }) => answer(api.GET('/resources/nodes', { params: { query: ALL }, signal })),
    refetchInterval: LIVE_MS
  });
}

/** Who holds what, and what each node was last seen to use. */
export function useUsage() {
  const { api } = useShell();
  return useQuery({
    queryKey: ['usage-now'],
    queryFn: ({ signal }) => answer(api.GET('/resources/usage', { signal })),
    refetchInterval: LIVE_MS
  });
}

/** What a node's workloads used in the last hours. */
export function useLoads(node: string, hours: number) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['loads', node, hours],
    queryFn: ({ signal }) =>
      answer(api.GET('/resources/nodes/{node}/usage', { params: { path: { node }, query: { hours } }, signal })),
    placeholderData: before => before,
    refetchInterval: CALM_MS
  });
}

/** The four lights. */
export function useHealth() {
  const { api } = useShell();
  return useQuery({
    queryKey: ['health'],
    queryFn: ({ signal }) => answer(api.GET('/resources/health', { signal })),
    refetchInterval: CALM_MS
  });
}

/** Every spec, the disabled ones too. */
export function useAllSpecs() {
  const { api } = useShell();
  return useQuery({
    queryKey: ['specs', 'all'],
    queryFn: ({ signal }) => answer(api.GET('/resources/specs', { params: { query: { all: true, ...ALL } }, signal }))
  });
}

/** Every pool. */
export function usePools() {
  const { api } = useShell();
  return useQuery({
    queryKey: ['pools'],
    queryFn: ({ signal }) => answer(api.GET('/resources/pools', { params: { query: ALL }, signal }))
  });
}

/** The sign prices are written with. */
export function useCurrency(): string {
  const { data: me } = useMe();
  return useBalance(me?.name).data?.currency ?? '';
}

/** Makes a change refuse to overwrite one that somebody else made meanwhile. */
export function onlyAt(revision: number): { 'If-Match': string } {
  return { 'If-Match': `"${revision}"` };
}

/** A change that leaves everything as it is, to put into what changes. */
export const SPEC_AS_IS: Schemas['SpecPatch'] = {
  description: null,
  cpu_milli: null,
  memory: null,
  accelerators: null,
  accelerator_type: null,
  price_micro: null,
  enabled: null
};
export const POOL_AS_IS: Schemas['PoolPatch'] = {
  description: null,
  nodes: null,
  specs: null,
  kinds: null,
  everyone: null,
  workspaces: null,
  users: null,
  hub_roles: null,
  priority: null,
  enabled: null,
  guarantee_percent: null,
  deserved_percent: null,
  reclaimable: null,
  parent: null
};
