/** On, or paused. */
import { useShell } from '../shell';
import { useActions } from './actions';
import type { ScheduleSummary } from './queries';

export function Switch({ schedule }: { schedule: ScheduleSummary }) {
  const { words } = useShell();
  const { busy, turn } = useActions(schedule);
  return (
    <label className="pk-switch">
      <input
        type="checkbox"
        role="switch"
        aria-label={words.__('%1 is on', schedule.name)}
        checked={schedule.enabled}
        disabled={busy}
        onChange={turn}
      />
      <span aria-hidden="true">{schedule.enabled ? words.__('on') : words.__('paused')}</span>
    </label>
  );
}
