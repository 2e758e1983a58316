/** Submitting a job once, however often it is asked for. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { answer, Problem, type Schemas } from '../../api/client';
import { type Workload, workloadsChanged } from '../../api/queries';
import { useShell } from '../shell';
import type { Draft, Wrong } from './draft';
import { isPassing, type Refusal, wrongOf } from './refusals';
import { dropDraft, intentDone, intentKey, keepLast } from './store';

const TRIES = 3;

type Call = { job: Schemas['JobRequest'] } | { yaml: string };

/** Sends a job under the key of its intent, a few times when the platform does not answer; opens it when it is made. */
export function useSend() {
  const { api, words, announce, open } = useShell();
  const cache = useQueryClient();
  return useMutation<Workload, Error, Call>({
    mutationFn: call => {
      const headers = { 'Idempotency-Key': intentKey(JSON.stringify(call)) };
      return 'job' in call
        ? answer(api.POST('/workloads/jobs', { body: call.job, headers }))
        : answer(api.POST('/workloads/jobs/yaml', { body: call, headers }));
    },
    // The same key each time: one whose answer got lost is not made twice.
    retry: (count, error) => count < TRIES - 1 && isPassing(error),
    onSuccess: made => {
      intentDone();
      announce(words.__('Submitted: %1', made.name), 'success');
      open({ view: 'job', id: made.id, name: made.name });
      void workloadsChanged(cache, made.id);
    }
  });
}

export interface Submit {
  pending: boolean;
  refusal: Refusal | null;
  /** Whether nobody knows if it was submitted: no answer came. */
  lost: boolean;
  /** The job that was made last. */
  made: Workload | null;
  send: (request: Schemas['JobRequest'], draft: Draft) => Promise<Wrong[] | null>;
}

/** Submits the form's request; resolves with what was refused, or null. */
export function useSubmit(draftKey: string): Submit {
  const sending = useSend();
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [made, setMade] = useState<Workload | null>(null);
  // A second click arrives before the button is drawn as disabled.
  const busy = useRef(false);
  const send = async (request: Schemas['JobRequest'], draft: Draft): Promise<Wrong[] | null> => {
    if (busy.current) {
      return null;
    }
    busy.current = true;
    setRefusal(null);
    setMade(null);
    try {
      setMade(await sending.mutateAsync({ job: request }));
      dropDraft(draftKey);
      keepLast(draft);
      return null;
    } catch (error) {
      const problem = error instanceof Error ? error : new Problem(String(error), 0, '', '');
      setRefusal({ body: JSON.stringify(request), problem });
      return isPassing(problem) ? null : wrongOf(problem);
    } finally {
      busy.current = false;
    }
  };
  const lost = refusal !== null && isPassing(refusal.problem);
  return { pending: sending.isPending, refusal, lost, made, send };
}
