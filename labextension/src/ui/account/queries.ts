/** What the views of an account and of a workspace read. */
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';

import { answer, type Schemas } from '../../api/client';
import { type Kind, useShell } from '../shell';
import { KINDS, useMe } from '../../api/queries';

export type Token = Schemas['Token'];
export type Workspace = Schemas['Workspace'];
export type Role = Schemas['Member']['role'];
export type LedgerKind = Schemas['LedgerLine']['kind'];

const CALM_MS = 15_000;
const PAGE = 50;

/** The caller's tokens. */
export function useTokens() {
  const { api } = useShell();
  return useQuery({
    queryKey: ['tokens'],
    queryFn: ({ signal }) => answer(api.GET('/accounts/tokens', { signal })),
    refetchInterval: CALM_MS
  });
}

/** The caller's workspaces, page by page, their own first. */
export function useWorkspaces() {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['workspaces'],
    queryFn: ({ signal, pageParam }) =>
      answer(api.GET('/accounts/workspaces', { params: { query: { limit: PAGE, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    refetchInterval: CALM_MS
  });
}

/** What the caller's workspaces have and spend. */
export function useBalances() {
  const { api } = useShell();
  return useQuery({
    queryKey: ['balances'],
    queryFn: ({ signal }) => answer(api.GET('/billing/balances', { signal })),
    refetchInterval: CALM_MS
  });
}

/** What the caller's workspaces keep in the store, the most first. */
export function useStored() {
  const { api } = useShell();
  return useQuery({
    queryKey: ['stored'],
    queryFn: async ({ signal }) =>
      (await answer(api.GET('/billing/storage', { params: { query: { limit: 500 } }, signal }))).items,
    refetchInterval: CALM_MS
  });
}

/** What one workspace keeps, and who sent it. */
export function useStoredOf(name: string) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['stored', name],
    queryFn: ({ signal }) =>
      answer(api.GET('/billing/storage/{workspace}', { params: { path: { workspace: name } }, signal })),
    refetchInterval: CALM_MS
  });
}

/** One workspace. */
export function useWorkspace(name: string) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['workspaces', name],
    queryFn: ({ signal }) =>
      answer(api.GET('/accounts/workspaces/{workspace}', { params: { path: { workspace: name } }, signal })),
    retry: false
  });
}

/** Who belongs to it; a personal one has no members but its user. */
export function useMembers(name: string) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['workspaces', name, 'members'],
    queryFn: ({ signal }) =>
      answer(api.GET('/accounts/workspaces/{workspace}/members', { params: { path: { workspace: name } }, signal })),
    refetchInterval: CALM_MS
  });
}

/** What it spent in a month (UTC), by day and member. */
export function useSpending(name: string, start: string, end: string) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['spending', name, start],
    queryFn: ({ signal }) =>
      answer(api.GET('/billing/spending', { params: { query: { workspace: name, start, end } }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: CALM_MS * 4
  });
}

/** Its ledger, page by page, newest first. */
export function useLedger(name: string, kind: LedgerKind | '') {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['ledger', name, kind],
    queryFn: ({ signal, pageParam }) =>
      answer(
        api.GET('/billing/ledger', {
          params: { query: { workspace: name, kind: kind || undefined, limit: PAGE, cursor: pageParam } },
          signal
        })
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    placeholderData: keepPreviousData
  });
}

/** The newest things of one kind that it owns. */
export function useOwned(name: string, kind: Kind, limit: number) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['assets', kind, 'owned', name],
    queryFn: ({ signal }) =>
      answer(api.GET(`/${KINDS[kind]}`, { params: { query: { workspace: name, limit } }, signal })),
    refetchInterval: CALM_MS
  });
}

/** The newest environments that it owns. */
export function useOwnedEnvironments(name: string, limit: number) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['environments', 'owned', name],
    queryFn: ({ signal }) => answer(api.GET('/images', { params: { query: { workspace: name, limit } }, signal })),
    refetchInterval: CALM_MS
  });
}

/** Whether one may change a workspace and its members. */
export function useMayManage(workspace: Workspace): boolean {
  const { data: me } = useMe();
  return !workspace.personal && (workspace.role === 'owner' || me?.admin === true);
}
