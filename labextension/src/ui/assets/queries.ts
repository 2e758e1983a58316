/** What the views of assets read and change. */
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';

import { type Api, answer, Problem, type Schemas } from '../../api/client';
import { KINDS } from '../../api/queries';
import { type Kind, useShell } from '../shell';
import { encodePath } from './files';

export type Asset = Schemas['Dataset'] | Schemas['Algorithm'] | Schemas['Model'];
export type Version = Schemas['Version'];
export type Entry = Schemas['TreeEntry'];

const CALM_MS = 15_000;
const BUSY_MS = 1_500;
const PAGE = 100;

/** Which asset. */
export interface Place {
  kind: Kind;
  workspace: string;
  name: string;
}

/** What the list of assets is narrowed to; empty is everything. */
export interface AssetFilter {
  q: string;
  view: 'all' | 'mine' | 'shared' | 'preset';
  label: string;
  facet: string;
}

/** Free text that tells assets of a kind apart: a dataset's type, else the framework. */
export function facetOf(asset: Asset): string {
  return 'type' in asset ? asset.type : asset.framework;
}

/** Assets, page by page, newest first. */
export function useAssetPages(kind: Kind, { q, view, label, facet }: AssetFilter) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['assets', kind, 'pages', q, view, label, facet],
    queryFn: async ({ signal, pageParam }): Promise<{ items: Asset[]; next: string | null }> => {
      const common = { q: q || undefined, view, label: label || undefined, limit: PAGE, cursor: pageParam };
      return kind === 'dataset'
        ? answer(api.GET('/datasets', { params: { query: { ...common, type: facet || undefined } }, signal }))
        : answer(
            api.GET(`/${KINDS[kind]}`, { params: { query: { ...common, framework: facet || undefined } }, signal })
          );
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: CALM_MS
  });
}

function isGone(error: Error | null): boolean {
  return error instanceof Problem && error.status === 404;
}

/** One asset. */
export function useAsset({ kind, workspace, name }: Place) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['asset', kind, workspace, name],
    queryFn: ({ signal }) =>
      answer(api.GET(`/${KINDS[kind]}/{workspace}/{name}`, { params: { path: { workspace, name } }, signal })),
    refetchInterval: query => (isGone(query.state.error) ? false : CALM_MS)
  });
}

/** Its versions, page by page, newest first. */
export function useVersions({ kind, workspace, name }: Place) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['asset', kind, workspace, name, 'versions'],
    queryFn: ({ signal, pageParam }) =>
      answer(
        api.GET(`/${KINDS[kind]}/{workspace}/{name}/versions`, {
          params: { path: { workspace, name }, query: { limit: PAGE, cursor: pageParam } },
          signal
        })
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    refetchInterval: CALM_MS
  });
}

/** Uploads that are not versions yet; for those who may write. */
export function useUnfinished({ kind, workspace, name }: Place, enabled: boolean) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['asset', kind, workspace, name, 'uploads'],
    queryFn: ({ signal }) =>
      answer(
        api.GET(`/${KINDS[kind]}/{workspace}/{name}/uploads`, {
          params: { path: { workspace, name }, query: { limit: 20 } },
          signal
        })
      ),
    enabled,
    refetchInterval: CALM_MS
  });
}

/** Whether an import has not come to its end. */
export function isGoing({ state }: Pick<Schemas['Import'], 'state'>): boolean {
  return state === 'waiting' || state === 'fetching' || state === 'unpacking';
}

/** Imports from other servers, newest first; for those who may write. */
export function useImports({ kind, workspace, name }: Place) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['asset', kind, workspace, name, 'imports'],
    queryFn: ({ signal }) =>
      answer(
        api.GET(`/${KINDS[kind]}/{workspace}/{name}/imports`, {
          params: { path: { workspace, name }, query: { limit: 20 } },
          signal
        })
      ),
    refetchInterval: query => (query.state.data?.items.some(isGoing) ? BUSY_MS : CALM_MS)
  });
}

/** A folder of a version, page by page. A version never changes, so it is read once. */
export function useTree({ kind, workspace, name }: Place, number: number, folder: string) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['tree', kind, workspace, name, number, folder],
    queryFn: ({ signal, pageParam }) =>
      answer(
        api.GET(`/${KINDS[kind]}/{workspace}/{name}/versions/{version}/tree`, {
          params: {
            path: { workspace, name, version: String(number) },
            query: { folder, limit: PAGE, cursor: pageParam }
          },
          signal
        })
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    placeholderData: keepPreviousData,
    staleTime: Infinity
  });
}

/** What differs between two versions, page by page. */
export function useDiff({ kind, workspace, name }: Place, old: number, newer: number) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['diff', kind, workspace, name, old, newer],
    queryFn: ({ signal, pageParam }) =>
      answer(
        api.GET(`/${KINDS[kind]}/{workspace}/{name}/diff`, {
          params: { path: { workspace, name }, query: { old, new: newer, limit: PAGE, cursor: pageParam } },
          signal
        })
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    staleTime: Infinity
  });
}

/** Where a model's version comes from. */
export function useLineage({ workspace, name }: Place, number: number) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['lineage', workspace, name, number],
    queryFn: ({ signal }) =>
      answer(
        api.GET('/models/{workspace}/{name}/versions/{version}/lineage', {
          params: { path: { workspace, name, version: String(number) } },
          signal
        })
      ),
    staleTime: Infinity
  });
}

/** Has everything that shows an asset look again: call it after a change. */
export function useAssetChanged({ kind, workspace, name }: Place): () => Promise<void> {
  const cache = useQueryClient();
  return async () => {
    await Promise.all([
      cache.invalidateQueries({ queryKey: ['assets', kind] }),
      cache.invalidateQueries({ queryKey: ['asset', kind, workspace, name] })
    ]);
  };
}

/** The address of an asset in the API, for links and ranges. */
export function useAddress({ kind, workspace, name }: Place): string {
  const { base } = useShell();
  return `${base}/${KINDS[kind]}/${encodeURIComponent(workspace)}/${encodeURIComponent(name)}`;
}

/** The address of a file of a version. */
export function fileAddress(asset: string, number: number, path: string): string {
  return `${asset}/versions/${number}/files/${encodePath(path)}`;
}

/** What of an asset can be changed; what is not given stays. */
export interface Change {
  description?: string;
  labels?: string[];
  visibility?: 'private' | 'everyone';
  preset?: boolean;
  facet?: string;
}

/** Changes an asset; with `revision`, only if nobody has meanwhile. */
export async function changeAsset(api: Api, { kind, workspace, name }: Place, change: Change, revision?: number) {
  const { facet = null, ...rest } = change;
  const common = { description: null, labels: null, visibility: null, preset: null, ...rest };
  const headers = revision === undefined ? undefined : { 'If-Match': `"${revision}"` };
  const params = { path: { workspace, name } };
  switch (kind) {
    case 'dataset':
      return api.PATCH('/datasets/{workspace}/{name}', { params, headers, body: { ...common, type: facet } });
    case 'algorithm': {
      const body = { ...common, framework: facet, entrypoint: null };
      return api.PATCH('/algorithms/{workspace}/{name}', { params, headers, body });
    }
    case 'model':
      return api.PATCH('/models/{workspace}/{name}', { params, headers, body: { ...common, framework: facet } });
  }
}

/** Makes an asset with no version yet; `key` makes asking twice the same as once. */
export async function createAsset(
  api: Api,
  kind: Kind,
  asset: { workspace: string | null; name: string; description: string },
  key: string
): Promise<Asset> {
  const common = { ...asset, labels: [], visibility: 'private' as const };
  const headers = { 'Idempotency-Key': key };
  switch (kind) {
    case 'dataset':
      return answer(api.POST('/datasets', { headers, body: { ...common, type: '' } }));
    case 'algorithm':
      return answer(api.POST('/algorithms', { headers, body: { ...common, framework: '', entrypoint: '' } }));
    case 'model':
      return answer(api.POST('/models', { headers, body: { ...common, framework: '' } }));
  }
}
