/** What one can do with a schedule. */
import { useMutation, useQueryClient } from '@tanstack/react-query';

import { answer } from '../../api/client';
import { useIntent } from '../job/actions';
import { useShell } from '../shell';
import { schedulesChanged, type ScheduleSummary, UNCHANGED } from './queries';

export interface Actions {
  busy: boolean;
  run: () => void;
  /** Pauses it, or has it go on. */
  turn: () => void;
  remove: () => void;
}

/** Returns a schedule's actions; each says what went wrong, and has every view look again. */
export function useActions(schedule: ScheduleSummary): Actions {
  const { api, words, open, confirm, announce } = useShell();
  const cache = useQueryClient();
  const intent = useIntent();
  const { id, name, enabled } = schedule;
  const params = { path: { schedule: id } };
  const acting = useMutation({
    mutationFn: (act: () => Promise<void>) => act(),
    onError: error => announce(error.message, 'error'),
    onSettled: () => schedulesChanged(cache)
  });
  const run = async (): Promise<void> => {
    const made = await answer(api.POST('/schedules/{schedule}/run', { params, headers: intent.header('run') }));
    intent.done();
    announce(words.__('Submitted: %1', made.workload?.name ?? name), 'success');
  };
  const turn = async (): Promise<void> => {
    await answer(api.PATCH('/schedules/{schedule}', { params, body: { ...UNCHANGED, enabled: !enabled } }));
    announce(enabled ? words.__('%1 is paused.', name) : words.__('%1 is on again.', name), 'info');
  };
  const remove = async (): Promise<void> => {
    const lost = words.__('Its list of runs is lost. The jobs it has made are kept, those that run go on.');
    if (await confirm(words.__('Delete the schedule %1?', name), lost, words.__('Delete'))) {
      await answer(api.DELETE('/schedules/{schedule}', { params }));
      announce(words.__('%1 is deleted.', name), 'info');
      open({ view: 'schedules' });
    }
  };
  return {
    busy: acting.isPending,
    run: () => acting.mutate(run),
    turn: () => acting.mutate(turn),
    remove: () => acting.mutate(remove)
  };
}
