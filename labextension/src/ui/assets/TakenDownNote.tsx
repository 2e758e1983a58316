/** What the owners of something that was taken down are told. */
import type { Schemas } from '../../api/client';
import { Ago } from '../parts';
import { useShell } from '../shell';

export function TakenDownNote({ taken }: { taken: Schemas['TakenDown'] | null }) {
  const { words } = useShell();
  if (!taken) {
    return null;
  }
  return (
    <p className="pk-taken-down" role="note">
      {words.__('Taken down by %1', taken.by)} <Ago time={taken.time} />: {taken.reason}
      <br />
      <span className="pk-quiet">
        {words.__('Only the people of its own workspace and admins see it. Ask %1 to restore it.', taken.by)}
      </span>
    </p>
  );
}
