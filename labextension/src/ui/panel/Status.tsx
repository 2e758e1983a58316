/** What runs and what waits, in the status bar. */
import { isOpen, useWorkloads } from '../../api/queries';
import { useShell } from '../shell';

export function Status({ onOpen }: { onOpen: () => void }) {
  const { words } = useShell();
  const { data, error } = useWorkloads({ phase: ['queued', 'preparing', 'running', 'stopping'], limit: 100 });
  const open = data?.items.filter(item => item.kind === 'job') ?? [];
  const queued = open.filter(item => item.phase === 'queued').length;
  const running = open.filter(item => isOpen(item.phase)).length - queued;
  return (
    <button type="button" className="pk-status" onClick={onOpen} title={error?.message ?? words.__('Pumpkin jobs')}>
      {error ? words.__('Pumpkin: offline') : words.__('%1 running · %2 queued', running, queued)}
    </button>
  );
}
