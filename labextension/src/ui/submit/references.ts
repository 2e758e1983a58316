/** What a reference can be to, found as one types, and the versions of it. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';

import { answer } from '../../api/client';
import { KINDS } from '../../api/queries';
import { bytes } from '../format';
import { type Kind, useShell } from '../shell';
import { parseReference } from './values';

export type Referable = Kind | 'environment';

export interface Found {
  /** `workspace/name`. */
  reference: string;
  name: string;
  workspace: string;
  fact: string;
  description: string;
  /** What an algorithm is started with. */
  entrypoint?: string;
}

const LIMIT = 20;

/** Things with `q` in their names that have a version to use, newest first. */
export function useFound(kind: Referable, q: string, enabled: boolean) {
  const { api, words } = useShell();
  const query = { q: q || undefined, limit: LIMIT };
  const seek = async (signal: AbortSignal): Promise<Found[]> => {
    if (kind === 'environment') {
      const { items } = await answer(api.GET('/images', { params: { query }, signal }));
      return items.map(({ name, workspace, description, latest }) => ({
        reference: `${workspace}/${name}`,
        name,
        workspace,
        description,
        fact: latest ? words.__('v%1, Python %2', latest.number, latest.python_version) : words.__('not built')
      }));
    }
    const { items } = await answer(api.GET(`/${KINDS[kind]}`, { params: { query }, signal }));
    return items
      .filter(item => item.latest !== null)
      .map(item => ({
        reference: `${item.workspace}/${item.name}`,
        name: item.name,
        workspace: item.workspace,
        description: item.description,
        fact: words.__('v%1, %2', item.latest ?? 0, bytes(item.bytes)),
        entrypoint: 'entrypoint' in item ? item.entrypoint : undefined
      }));
  };
  return useQuery({
    queryKey: ['found', kind, q],
    queryFn: ({ signal }) => seek(signal),
    placeholderData: keepPreviousData,
    enabled,
    staleTime: 10_000
  });
}

/** Numbers of the versions a reference can be pinned to, newest first. */
export function useVersions(kind: Referable, reference: string) {
  const { api } = useShell();
  const { base, workspace, name } = parseReference(reference);
  const seek = async (signal: AbortSignal): Promise<number[]> => {
    if (kind === 'environment') {
      const found = await answer(api.GET('/images/resolve', { params: { query: { reference: base } }, signal }));
      const path = { image: found.environment };
      const { items } = await answer(
        api.GET('/images/{image}/versions', { params: { path, query: { limit: 200 } }, signal })
      );
      return items.filter(item => item.state === 'ready').map(item => item.number);
    }
    const module = KINDS[kind];
    const owner =
      workspace ||
      (await answer(api.GET(`/${module}/resolve`, { params: { query: { reference: base } }, signal }))).workspace;
    const path = { workspace: owner, name };
    const { items } = await answer(
      api.GET(`/${module}/{workspace}/{name}/versions`, { params: { path, query: { limit: 200 } }, signal })
    );
    return items.map(item => item.number).filter(number => number !== null);
  };
  return useQuery({ queryKey: ['numbers', kind, base], queryFn: ({ signal }) => seek(signal), staleTime: 30_000 });
}
