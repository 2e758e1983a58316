/** Stopping a workload, wherever it is shown. */
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { answer } from '../api/client';
import { type WorkloadSummary, workloadsChanged } from '../api/queries';
import { useShell, type Words } from './shell';

/** What is lost when it is stopped. */
export function lossOf({ phase, kind }: Pick<WorkloadSummary, 'phase' | 'kind'>, words: Words): string {
  if (phase === 'queued') {
    return words.__('Its place in the queue is lost.');
  }
  return kind === 'notebook'
    ? words.__('What its kernels hold in memory is lost. Files in the home folder are kept.')
    : words.__('What it has computed and not saved is lost. Its log and metrics are kept.');
}

/** Returns how to stop it at once, and how to ask first, by `title`; a refusal is said, and every view looks again. */
export function useStop(workload: Pick<WorkloadSummary, 'id' | 'phase' | 'kind'>): {
  busy: boolean;
  stop: () => void;
  ask: (title: string) => void;
} {
  const { api, words, confirm, announce } = useShell();
  const cache = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: () => answer(api.POST('/workloads/{workload}/stop', { params: { path: { workload: workload.id } } })),
    onError: error => announce(error.message, 'error'),
    onSettled: () => workloadsChanged(cache, workload.id)
  });
  const ask = async (title: string): Promise<void> => {
    if (await confirm(title, lossOf(workload, words), words.__('Stop'))) {
      mutate();
    }
  };
  return { busy: isPending, stop: () => mutate(), ask: title => void ask(title) };
}
