/** What the sections about people, their data and their money read. */
import { keepPreviousData, type QueryClient, useInfiniteQuery, useQuery } from '@tanstack/react-query';

import { answer, type Schemas } from '../../api/client';
import { useBalance, useMe } from '../../api/queries';
import type { LedgerKind } from '../account/queries';
import { useShell } from '../shell';
import type { Period } from './period';

export type User = Schemas['User'];
export type Workspace = Schemas['Workspace'];
export type Limit = Schemas['Limit'];
export type Subject = Limit['kind'];

const PAGE = 50;
const CALM_MS = 15_000;
const LIVE_MS = 3000;
const FIRST = undefined as string | undefined;
const following = (page: { next: string | null }): string | undefined => page.next ?? undefined;

/** Has everything the admin's sections show looked at again. */
export async function peopleChanged(cache: QueryClient): Promise<void> {
  const kinds = ['admin', 'balance', 'workspaces', 'me', 'assets', 'asset', 'environments'];
  await Promise.all(kinds.map(kind => cache.invalidateQueries({ queryKey: [kind] })));
}

/** Has the lists of workspaces looked at again after one was deleted: whatever asked for it by its name would be refused. */
export async function workspaceGone(cache: QueryClient): Promise<void> {
  const lists = [['admin', 'workspaces'], ['workspaces'], ['me']];
  await Promise.all(lists.map(queryKey => cache.invalidateQueries({ queryKey })));
}

export interface UserFilter {
  q: string;
  state: '' | 'frozen' | 'active' | 'admin';
}

/** Users, newest first. */
export function useUsers({ q, state }: UserFilter) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['admin', 'users', q, state],
    queryFn: ({ signal, pageParam }) => {
      const frozen = state === 'frozen' ? true : state === 'active' ? false : undefined;
      const query = {
        q: q || undefined,
        frozen,
        admin: state === 'admin' || undefined,
        limit: PAGE,
        cursor: pageParam
      };
      return answer(api.GET('/accounts/users', { params: { query }, signal }));
    },
    initialPageParam: FIRST,
    getNextPageParam: following,
    placeholderData: keepPreviousData,
    refetchInterval: CALM_MS
  });
}

/** One user. */
export function useUser(name: string) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['admin', 'user', name],
    queryFn: ({ signal }) => answer(api.GET('/accounts/users/{user}', { params: { path: { user: name } }, signal })),
    refetchInterval: CALM_MS
  });
}

/** Workspaces that are not personal ones, newest first. */
export function useEveryWorkspace(q: string) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['admin', 'workspaces', q],
    queryFn: ({ signal, pageParam }) => {
      const query = { all: true, q: q || undefined, limit: PAGE, cursor: pageParam };
      return answer(api.GET('/accounts/workspaces', { params: { query }, signal }));
    },
    initialPageParam: FIRST,
    getNextPageParam: following,
    placeholderData: keepPreviousData,
    refetchInterval: CALM_MS
  });
}

/** What some workspaces have, by name. */
export function useBalancesOf(names: string[]) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['admin', 'balances', names],
    queryFn: async ({ signal }) => {
      const pages: Schemas['Balance'][] = [];
      for (let at = 0; at < names.length; at += PAGE) {
        const query = { workspace: names.slice(at, at + PAGE) };
        pages.push(...(await answer(api.GET('/billing/balances', { params: { query }, signal }))).items);
      }
      return new Map(pages.map(balance => [balance.workspace, balance]));
    },
    enabled: names.length > 0,
    placeholderData: keepPreviousData,
    refetchInterval: CALM_MS * 2
  });
}

/** What some workspaces keep in the store, by name. */
export function useStoredOf(names: string[]) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['admin', 'stored', names],
    queryFn: async ({ signal }) => {
      const found: Schemas['Stored'][] = [];
      for (let at = 0; at < names.length; at += PAGE) {
        const query = { workspace: names.slice(at, at + PAGE), limit: PAGE };
        found.push(...(await answer(api.GET('/billing/storage', { params: { query }, signal }))).items);
      }
      return new Map(found.map(stored => [stored.workspace, stored]));
    },
    enabled: names.length > 0,
    placeholderData: keepPreviousData,
    refetchInterval: CALM_MS * 2
  });
}

/** The limit set for one subject, and that of everybody (`*`); null where none is set. */
export function useLimit(kind: Subject, subject: string) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['admin', 'limits', kind, subject],
    queryFn: async ({ signal }) => {
      const found = async (name: string): Promise<Limit | null> => {
        const query = { kind, q: name, limit: 500 };
        const { items } = await answer(api.GET('/resources/limits', { params: { query }, signal }));
        return items.find(item => item.subject === name) ?? null;
      };
      const [own, everybody] = await Promise.all([found(subject), found('*')]);
      return { own, everybody };
    }
  });
}

/** The sign before amounts. */
export function useCurrency(): string {
  const { data: me } = useMe();
  return useBalance(me?.name).data?.currency ?? '';
}

export interface LedgerFilter extends Period {
  workspace?: string;
  kind?: LedgerKind;
  q?: string;
}

/** Lines of everybody's ledger, newest first. */
export function useLedgerLines(filter: LedgerFilter) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['admin', 'ledger', filter],
    queryFn: ({ signal, pageParam }) =>
      answer(api.GET('/billing/ledger', { params: { query: { ...filter, limit: PAGE, cursor: pageParam } }, signal })),
    initialPageParam: FIRST,
    getNextPageParam: following,
    placeholderData: keepPreviousData
  });
}

/** What each workspace spent in a period. */
export function useTotals(period: Period) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['admin', 'totals', period],
    queryFn: ({ signal }) => answer(api.GET('/billing/totals', { params: { query: period }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: CALM_MS * 4
  });
}

/** A workspace's account of a period. */
export function useStatement(workspace: string, period: Period) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['admin', 'statement', workspace, period],
    queryFn: ({ signal }) =>
      answer(api.GET('/billing/statement', { params: { query: { workspace, ...period } }, signal })),
    placeholderData: keepPreviousData
  });
}

export interface AuditFilter extends Period {
  q?: string;
  changes?: true;
  actor?: string;
  action?: string;
  object?: string;
}

/** The audit log, newest first; looked at again and again while `live`. */
export function useAudit(filter: AuditFilter, live: boolean) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['admin', 'audit', filter],
    queryFn: ({ signal, pageParam }) =>
      answer(api.GET('/accounts/audit', { params: { query: { ...filter, limit: PAGE, cursor: pageParam } }, signal })),
    initialPageParam: FIRST,
    getNextPageParam: following,
    placeholderData: keepPreviousData,
    refetchInterval: live ? LIVE_MS : false
  });
}
