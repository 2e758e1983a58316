/** What a workload runs in, is given to read, and who pays: the same fields for jobs and for notebooks. */
import { useMe } from '../../api/queries';
import { Field, type Wrong } from '../field';
import { useShell } from '../shell';
import { ReferencePicker } from './ReferencePicker';

interface Props<T> {
  value: T;
  onChange: (value: T) => void;
  wrong: readonly Wrong[];
}

/** A workspace one may submit to, '' for one's own; nothing where there is no other. */
export function WorkspaceChoice({ value, onChange, wrong }: Props<string>) {
  const { words } = useShell();
  const { data: me } = useMe();
  const shared = me?.workspaces.filter(each => !each.personal && each.role !== 'viewer') ?? [];
  if (shared.length === 0) {
    return null;
  }
  return (
    <Field name="workspace" label={words.__('Workspace')} wrong={wrong}>
      {control => (
        <select {...control} className="pk-input" value={value} onChange={event => onChange(event.target.value)}>
          <option value="">{words.__('my own')}</option>
          {shared.map(({ workspace }) => (
            <option key={workspace}>{workspace}</option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** An environment, '' for the platform's default. */
export function EnvironmentPicker({ value, onChange, wrong }: Props<string>) {
  const { words } = useShell();
  return (
    <ReferencePicker
      kind="environment"
      name="environment"
      label={words.__('Environment')}
      placeholder={words.__('The platform’s default')}
      single
      value={value ? [value] : []}
      onChange={([environment = '']) => onChange(environment)}
      wrong={wrong}
    />
  );
}

export function DatasetsPicker({ value, onChange, wrong }: Props<string[]>) {
  const { words } = useShell();
  return (
    <ReferencePicker
      kind="dataset"
      name="datasets"
      label={words.__('Datasets')}
      value={value}
      onChange={datasets => onChange(datasets)}
      wrong={wrong}
    />
  );
}

export function AlgorithmPicker({ value, onChange, wrong }: Props<string>) {
  const { words } = useShell();
  return (
    <ReferencePicker
      kind="algorithm"
      name="algorithm"
      label={words.__('Algorithm')}
      single
      value={value ? [value] : []}
      onChange={([algorithm = '']) => onChange(algorithm)}
      wrong={wrong}
    />
  );
}

export function ModelsPicker({ value, onChange, wrong }: Props<string[]>) {
  const { words } = useShell();
  return (
    <ReferencePicker
      kind="model"
      name="models"
      label={words.__('Models')}
      value={value}
      onChange={models => onChange(models)}
      wrong={wrong}
    />
  );
}
