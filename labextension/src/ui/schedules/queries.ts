/** What the views of schedules read, and having them look again. */
import { keepPreviousData, type QueryClient, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { answer, Problem, type Schemas } from '../../api/client';
import { isOpen, workloadsChanged } from '../../api/queries';
import { useShell } from '../shell';

export type Schedule = Schemas['Schedule'];
export type ScheduleSummary = Schemas['ScheduleSummary'];
export type Run = Schemas['ScheduleRun'];

/** A change of nothing: null leaves a field as it is. */
export const UNCHANGED: Schemas['SchedulePatch'] = {
  name: null,
  cron: null,
  timezone: null,
  request: null,
  overlap: null,
  enabled: null
};

const [LIVE_MS, CALM_MS] = [3000, 10_000];
const SETTLED_MS = 300;
const PAGE = 50;

function isLive(run: Run | null | undefined): boolean {
  return run?.workload != null && isOpen(run.workload.phase);
}

/** Schedules of the user's workspaces, page by page, newest first. */
export function useSchedules(q: string) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['schedules', q],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/schedules', {
          params: { query: { q: q.trim() || undefined, cursor: pageParam, limit: PAGE } },
          signal
        })
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state: { data } }) =>
      data?.pages.some(page => page.items.some(({ last }) => isLive(last))) ? LIVE_MS : CALM_MS
  });
}

/** One schedule. */
export function useSchedule(id: string) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['schedule', id],
    queryFn: ({ signal }) => answer(api.GET('/schedules/{schedule}', { params: { path: { schedule: id } }, signal })),
    refetchInterval: ({ state: { error } }) => (error instanceof Problem && error.status === 404 ? false : LIVE_MS)
  });
}

/** What its times came to, page by page, newest first. */
export function useRuns(id: string) {
  const { api } = useShell();
  return useInfiniteQuery({
    queryKey: ['schedule', id, 'runs'],
    queryFn: ({ pageParam, signal }) =>
      answer(
        api.GET('/schedules/{schedule}/runs', {
          params: { path: { schedule: id }, query: { cursor: pageParam, limit: PAGE } },
          signal
        })
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: page => page.next ?? undefined,
    refetchInterval: LIVE_MS
  });
}

/** The next times of what is being typed, once it has been left alone for a moment. */
export function usePreview(cron: string, timezone: string) {
  const { api } = useShell();
  const [asked, setAsked] = useState({ cron, timezone });
  useEffect(() => {
    const timer = setTimeout(() => setAsked({ cron, timezone }), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [cron, timezone]);
  const query = useQuery({
    queryKey: ['schedule-times', asked.cron, asked.timezone],
    queryFn: ({ signal }) => answer(api.POST('/schedules/preview', { body: asked, signal })),
    enabled: asked.cron !== '' && asked.timezone !== '',
    refetchInterval: 30_000
  });
  return { ...query, settled: asked.cron === cron && asked.timezone === timezone };
}

/** A job's request, to start a schedule from. */
export function useRequest(job: string | undefined) {
  const { api } = useShell();
  return useQuery({
    queryKey: ['request', job],
    queryFn: ({ signal }) =>
      answer(api.GET('/workloads/jobs/{workload}/request', { params: { path: { workload: job ?? '' } }, signal })),
    enabled: job !== undefined
  });
}

/** Has everything that shows schedules look again: call it after a change. */
export async function schedulesChanged(cache: QueryClient): Promise<void> {
  await Promise.all([
    cache.invalidateQueries({ queryKey: ['schedules'] }),
    cache.invalidateQueries({ queryKey: ['schedule'] }),
    workloadsChanged(cache)
  ]);
}
