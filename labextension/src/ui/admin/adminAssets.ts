/** Datasets, algorithms, models and environments as one kind of row, and what an admin does with them. */
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';

import { type Api, answer, type Schemas } from '../../api/client';
import { KINDS } from '../../api/queries';
import { type Asset, changeAsset } from '../assets/queries';
import { type Kind, useShell, type Target } from '../shell';

export type AnyKind = Kind | 'environment';
export type TakenDown = Schemas['TakenDown'];

export interface AdminAsset {
  kind: AnyKind;
  id: string;
  workspace: string;
  name: string;
  creator: string;
  description: string;
  visibility: 'private' | 'everyone';
  preset: boolean;
  shared_with: string[];
  taken_down: TakenDown | null;
  latest: number | null;
  bytes: number;
  updated: string;
}

export interface AssetFilter {
  kind: AnyKind;
  q: string;
  workspace: string;
  view: '' | 'preset' | 'taken_down';
}

interface Page {
  items: AdminAsset[];
  next: string | null;
}

/** Everybody's, page by page, newest first. */
export function useEverybodysAssets(filter: AssetFilter) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['admin', 'assets', filter],
    queryFn: ({ signal, pageParam }): Promise<Page> => page(api, filter, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: found => found.next ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: 15_000
  });
}

async function page(api: Api, filter: AssetFilter, cursor: string | undefined, signal: AbortSignal): Promise<Page> {
  const { kind, q, workspace, view } = filter;
  const common = { q: q || undefined, workspace: workspace || undefined, limit: 50, cursor };
  if (kind === 'environment') {
    const query = { ...common, view: view || ('everything' as const) };
    const { items, next } = await answer(api.GET('/images', { params: { query }, signal }));
    return { items: items.map(ofEnvironment), next };
  }
  const query = { ...common, view: view || ('all' as const) };
  const { items, next } = await answer(api.GET(`/${KINDS[kind]}`, { params: { query }, signal }));
  return { items: items.map((item: Asset) => ({ ...item, kind })), next };
}

function ofEnvironment(item: Schemas['Environment']): AdminAsset {
  return { ...item, kind: 'environment', latest: item.latest?.number ?? null, bytes: item.latest?.bytes ?? 0 };
}

/** Offers it to everybody, or no longer. */
export async function setPreset(api: Api, asset: AdminAsset, preset: boolean): Promise<void> {
  if (asset.kind === 'environment') {
    const params = { path: { image: asset.id } };
    await answer(api.PATCH('/images/{image}', { params, body: { preset, description: null, visibility: null } }));
  } else {
    await changeAsset(api, { ...asset, kind: asset.kind }, { preset });
  }
}

/** Hides it from everybody but its workspace, which is shown the reason. */
export async function takeDown(api: Api, asset: AdminAsset, reason: string): Promise<void> {
  const body = { reason };
  if (asset.kind === 'environment') {
    await answer(api.POST('/images/{image}/takedown', { params: { path: { image: asset.id } }, body }));
  } else {
    await answer(api.POST(`/${KINDS[asset.kind]}/{workspace}/{name}/takedown`, { params: { path: asset }, body }));
  }
}

/** Shows it again to those it was shown to. */
export async function restore(api: Api, asset: AdminAsset): Promise<void> {
  if (asset.kind === 'environment') {
    await answer(api.POST('/images/{image}/restore', { params: { path: { image: asset.id } } }));
  } else {
    await answer(api.POST(`/${KINDS[asset.kind]}/{workspace}/{name}/restore`, { params: { path: asset } }));
  }
}

export async function remove(api: Api, asset: AdminAsset): Promise<void> {
  if (asset.kind === 'environment') {
    await answer(api.DELETE('/images/{image}', { params: { path: { image: asset.id } } }));
  } else {
    await answer(api.DELETE(`/${KINDS[asset.kind]}/{workspace}/{name}`, { params: { path: asset } }));
  }
}

/** Its own view. */
export function targetOf(asset: AdminAsset): Target {
  const { kind, id, workspace, name } = asset;
  return kind === 'environment' ? { view: 'environment', id, name } : { view: 'asset', kind, workspace, name };
}
