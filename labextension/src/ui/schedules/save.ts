/** Making and changing a schedule. */
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { answer, type Schemas } from '../../api/client';
import { useIntent } from '../job/actions';
import { useShell } from '../shell';
import { type Schedule, schedulesChanged, UNCHANGED } from './queries';

type JobRequest = Schemas['JobRequest'];

/** What the form stands for. */
export interface Draft {
  name: string;
  cron: string;
  timezone: string;
  overlap: Schedule['overlap'];
  request: JobRequest;
}

/** A request without the document of its notebook, which nobody wants to read as JSON. */
export function withoutDocument(request: JobRequest): JobRequest {
  return request.notebook ? { ...request, notebook: { ...request.notebook, content: null } } : request;
}

/** The same with the document `whole` has; the platform keeps the one it has when neither has any. */
export function withDocument(request: JobRequest, whole: JobRequest): JobRequest {
  return request.notebook && whole.notebook && request.notebook.content == null
    ? { ...request, notebook: { ...request.notebook, content: whole.notebook.content } }
    : request;
}

/** Returns only what differs from what is kept: who changes what or when it runs is who it runs as from then on. */
export function changesOf(old: Draft, draft: Draft): Partial<Draft> {
  const entries = Object.entries(draft) as [keyof Draft, unknown][];
  return Object.fromEntries(entries.filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(old[key])));
}

/** Saves a schedule: a new one, or the changes of `schedule`. */
export function useSave(schedule: Schedule | undefined) {
  const { api } = useShell();
  const cache = useQueryClient();
  const intent = useIntent();
  return useMutation<Schedule, Error, Draft>({
    mutationFn: async draft => {
      if (schedule === undefined) {
        // The same key for the same schedule: one whose answer got lost is not made twice.
        const headers = intent.header(JSON.stringify(draft));
        const made = await answer(api.POST('/schedules', { body: { ...draft, enabled: true }, headers }));
        intent.done();
        return made;
      }
      return answer(
        api.PATCH('/schedules/{schedule}', {
          params: { path: { schedule: schedule.id } },
          body: { ...UNCHANGED, ...changesOf(schedule, draft) },
          headers: { 'If-Match': `"${schedule.revision}"` }
        })
      );
    },
    onSuccess: () => schedulesChanged(cache)
  });
}
