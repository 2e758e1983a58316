/** Whose something new is; nothing to choose for those who may write to one workspace only. */
import { useMe } from '../../api/queries';
import { useShell } from '../shell';
import { Field } from './bits';

/** A choice among the workspaces one may write to; empty is one's own. */
export function WorkspaceField({
  value,
  error,
  onChange
}: {
  value: string;
  error: Error | null;
  onChange: (workspace: string) => void;
}) {
  const { words } = useShell();
  const { data: me } = useMe();
  const writable = me?.workspaces.filter(({ role }) => role !== 'viewer') ?? [];
  if (writable.length < 2) {
    return null;
  }
  return (
    <Field label={words.__('Workspace')} name="workspace" error={error}>
      {tie => (
        <select
          {...tie}
          className="pk-asset-input"
          value={value || (me?.name ?? '')}
          onChange={event => onChange(event.target.value)}
        >
          {writable.map(one => (
            <option key={one.workspace} value={one.workspace}>
              {one.personal ? words.__('%1 (your own)', one.workspace) : one.workspace}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
