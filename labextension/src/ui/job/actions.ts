/** What one can do with a job. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';

import { answer } from '../../api/client';
import { type Workload, workloadsChanged } from '../../api/queries';
import { useShell } from '../shell';
import { newKey } from '../../api/key';
import { useStop } from '../stopping';

/** Returns a POST's key: the same while one tries the same thing again, another one after it worked. */
export function useIntent(): { header: (what: string) => { 'Idempotency-Key': string }; done: () => void } {
  const held = useRef({ what: '', key: '' });
  return {
    header: what => {
      if (held.current.what !== what) {
        held.current = { what, key: newKey() };
      }
      return { 'Idempotency-Key': held.current.key };
    },
    done: () => {
      held.current = { what: '', key: '' };
    }
  };
}

export interface Actions {
  busy: boolean;
  stop: () => void;
  rerun: () => void;
  remove: () => void;
  yaml: () => void;
}

/** Returns a job's actions; each says what went wrong, and has every view look again. */
export function useActions(job: Workload): Actions {
  const { api, words, open, confirm, announce } = useShell();
  const cache = useQueryClient();
  const intent = useIntent();
  const path = { params: { path: { workload: job.id } } };
  const run = useMutation({
    mutationFn: (act: () => Promise<unknown>) => act(),
    onError: error => announce(error.message, 'error'),
    onSettled: () => workloadsChanged(cache, job.id)
  });
  const stopping = useStop(job);
  const rerun = async (): Promise<void> => {
    const made = await answer(
      api.POST('/workloads/{workload}/rerun', {
        params: path.params,
        headers: intent.header('rerun')
      })
    );
    intent.done();
    open({ view: 'job', id: made.id, name: made.name });
  };
  const remove = async (): Promise<void> => {
    const lost = words.__('Its log, metrics and events are lost. A model it made is kept.');
    if (await confirm(words.__('Delete %1?', job.name), lost, words.__('Delete'))) {
      await answer(api.DELETE('/workloads/{workload}', path));
      announce(words.__('%1 is being deleted.', job.name), 'info');
    }
  };
  const yaml = async (): Promise<void> => {
    const document = await answer(api.GET('/workloads/jobs/{workload}/yaml', path));
    save(`${job.name}.yaml`, document.yaml);
  };
  return {
    busy: run.isPending || stopping.busy,
    stop: () => stopping.ask(words.__('Stop %1?', job.name)),
    rerun: () => run.mutate(rerun),
    remove: () => run.mutate(remove),
    yaml: () => run.mutate(yaml)
  };
}

function save(name: string, text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/yaml' }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
