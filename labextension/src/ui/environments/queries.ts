/** What the views of environments read and change. */
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';

import { answer, Problem, type Schemas } from '../../api/client';
import { useShell } from '../shell';

export type Environment = Schemas['Environment'];
export type Summary = Schemas['VersionSummary'];
export type Version = Schemas['EnvironmentVersion'];
export type View = 'all' | 'mine' | 'shared' | 'preset';

const LIVE_MS = 2000;
const CALM_MS = 15_000;
const PAGE = 100;

/** Whether a version is still to become ready, or to fail. */
export function isBuilding(version: { state: Summary['state'] } | null | undefined): boolean {
  return version?.state === 'queued' || version?.state === 'building';
}

/** Environments, page by page, newest first; looked at often while one of them is built. */
export function useEnvironmentPages(q: string, view: View) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['environments', 'pages', q, view],
    queryFn: ({ signal, pageParam }) =>
      answer(
        api.GET('/images', { params: { query: { q: q || undefined, view, limit: PAGE, cursor: pageParam } }, signal })
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some(page => page.items.some(item => isBuilding(item.latest))) ? LIVE_MS : CALM_MS
  });
}

/** One environment. */
export function useEnvironment(id: string) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['environment', id],
    queryFn: ({ signal }) => answer(api.GET('/images/{image}', { params: { path: { image: id } }, signal })),
    refetchInterval: ({ state: { data, error } }) =>
      error instanceof Problem && error.status === 404 ? false : isBuilding(data?.latest) ? LIVE_MS : CALM_MS
  });
}

/** Its versions, page by page, newest first, deleted ones among them. */
export function useEnvironmentVersions(id: string) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['environment', id, 'versions'],
    queryFn: ({ signal, pageParam }) =>
      answer(
        api.GET('/images/{image}/versions', {
          params: { path: { image: id }, query: { limit: PAGE, cursor: pageParam } },
          signal
        })
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some(page => page.items.some(isBuilding)) ? LIVE_MS : CALM_MS
  });
}

/** One version with its lock and its packages; `number` null asks for nothing. */
export function useEnvironmentVersion(id: string, number: number | null) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['environment', id, 'version', number],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/images/{image}/versions/{number}', {
          params: { path: { image: id, number: String(number) } },
          signal
        })
      ),
    enabled: number !== null,
    refetchInterval: ({ state: { data } }) => (isBuilding(data) ? LIVE_MS : false)
  });
}

/** Has everything that shows environments look again: call it after a change. */
export function useEnvironmentChanged(id?: string): () => Promise<void> {
  const cache = useQueryClient();
  return async () => {
    await Promise.all([
      cache.invalidateQueries({ queryKey: ['environments'] }),
      ...(id === undefined ? [] : [cache.invalidateQueries({ queryKey: ['environment', id] })])
    ]);
  };
}
