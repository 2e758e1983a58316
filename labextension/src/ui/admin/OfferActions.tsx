/** What can be done with a spec or a pool in its row. */
import { Refusal, useAct } from '../assets/bits';
import { useShell } from '../shell';

export function OfferActions({
  offer: { name, enabled },
  onEdit,
  turn,
  remove
}: {
  offer: { name: string; enabled: boolean };
  onEdit: () => void;
  /** Puts it on offer, or takes it off. */
  turn: () => Promise<void>;
  remove: () => Promise<void>;
}) {
  const { words } = useShell();
  const change = useAct();
  return (
    <td className="pk-amount">
      <button type="button" className="pk-button" aria-label={words.__('Edit %1', name)} onClick={onEdit}>
        {words.__('Edit…')}
      </button>{' '}
      <button
        type="button"
        className="pk-button"
        aria-label={enabled ? words.__('Disable %1', name) : words.__('Enable %1', name)}
        disabled={change.busy}
        onClick={() => change.act(turn)}
      >
        {enabled ? words.__('Disable') : words.__('Enable')}
      </button>{' '}
      <button
        type="button"
        className="pk-button"
        aria-label={words.__('Delete %1', name)}
        disabled={change.busy}
        onClick={() => change.act(remove)}
      >
        {words.__('Delete…')}
      </button>
      <Refusal error={change.error} />
    </td>
  );
}
