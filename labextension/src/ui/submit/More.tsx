/** What most jobs leave as it is, folded away. */
import type { Schemas } from '../../api/client';
import { useShell } from '../shell';
import { type Draft, firstRole, foldedSummary, type Wrong } from './draft';
import { EnvRows } from './EnvRows';
import { Field, Group, NumberInput } from '../field';
import { ArgsField, ReplicasField } from './RunFields';
import type { Unit } from './values';

interface Props {
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
  wrong: readonly Wrong[];
  me: Schemas['Me'];
  currency: string;
  open: boolean;
  onToggle: (open: boolean) => void;
}

/** Variables, limits, retries, labels and the rest. */
export function More(props: Props) {
  const { draft, onChange, wrong, open, onToggle } = props;
  const { words } = useShell();
  const summary = foldedSummary(draft, words);
  return (
    <details className="pk-fold" open={open} onToggle={event => onToggle(event.currentTarget.open)}>
      <summary>
        <h2>{words.__('More')}</h2>
        {!open && (
          <span className="pk-hint">{summary || words.__('variables, retries, limits, priority, labels, notes')}</span>
        )}
      </summary>
      <WorkspaceField {...props} />
      <Group
        name="env"
        label={words.__('Variables')}
        hint={words.__('Paste NAME=value lines to add many at once.')}
        wrong={wrong}
      >
        <EnvRows rows={draft.env} onChange={env => onChange({ env })} />
      </Group>
      {!draft.distributed && (
        <>
          <ArgsField
            run={draft.run}
            path=""
            onChange={change => onChange({ run: { ...draft.run, ...change } })}
            wrong={wrong}
          />
          <ReplicasField
            run={draft.run}
            path=""
            onChange={change => onChange({ run: { ...draft.run, ...change } })}
            wrong={wrong}
          />
        </>
      )}
      <Distribution {...props} />
      <Limits {...props} />
      <Marks {...props} />
    </details>
  );
}

function WorkspaceField({ draft, onChange, wrong, me }: Props) {
  const { words } = useShell();
  const writable = me.workspaces.filter(each => each.role !== 'viewer' && each.workspace !== me.name);
  // The caller's own has no name in a request; one that a request names is the same.
  const value = draft.workspace === me.name ? '' : draft.workspace;
  const known = value === '' || writable.some(each => each.workspace === value);
  return (
    <Field
      name="workspace"
      label={words.__('Workspace')}
      hint={words.__('Pays for the job and sees it.')}
      wrong={wrong}
    >
      {control => (
        <select
          {...control}
          className="pk-input"
          value={value}
          onChange={event => onChange({ workspace: event.target.value })}
        >
          <option value="">{words.__('%1 (your own)', me.name)}</option>
          {!known && <option value={value}>{words.__('%1 (you may not write there)', value)}</option>}
          {writable.map(each => (
            <option key={each.workspace} value={each.workspace}>
              {each.workspace}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Distribution({ draft, onChange }: Props) {
  const { words } = useShell();
  return (
    <div className="pk-field">
      <span className="pk-label" />
      <div className="pk-control">
        <label className="pk-check">
          <input
            type="checkbox"
            checked={draft.distributed}
            onChange={event =>
              onChange({
                distributed: event.target.checked,
                roles: draft.roles.length > 0 ? draft.roles : [firstRole(draft.run)]
              })
            }
          />
          {words.__('Several roles, each with its own command and spec')}
        </label>
      </div>
    </div>
  );
}

function Limits({ draft, onChange, wrong, currency }: Props) {
  const { words } = useShell();
  const units: Record<Unit, string> = {
    s: words.__('seconds'),
    min: words.__('minutes'),
    h: words.__('hours'),
    d: words.__('days')
  };
  return (
    <>
      <Field
        name="retries"
        label={words.__('Retries')}
        hint={words.__('How often a job that fails is tried again.')}
        wrong={wrong}
      >
        {control => <NumberInput {...control} value={draft.retries} onText={retries => onChange({ retries })} />}
      </Field>
      <Field
        name="backoff_seconds"
        label={words.__('Back-off')}
        hint={words.__('Before the first retry; doubles each time.')}
        wrong={wrong}
      >
        {control => (
          <span className="pk-with-unit">
            <NumberInput {...control} value={draft.backoff} onText={backoff => onChange({ backoff })} />
            {words.__('seconds')}
          </span>
        )}
      </Field>
      <Field
        name="deadline_seconds"
        label={words.__('Deadline')}
        hint={words.__('How long one try may run before it is stopped; none unless given.')}
        wrong={wrong}
      >
        {control => (
          <span className="pk-with-unit">
            <NumberInput
              {...control}
              value={draft.deadline.amount}
              onText={amount => onChange({ deadline: { ...draft.deadline, amount } })}
            />
            <select
              className="pk-input"
              aria-label={words.__('Unit of the deadline')}
              value={draft.deadline.unit}
              onChange={event => onChange({ deadline: { ...draft.deadline, unit: event.target.value as Unit } })}
            >
              {Object.entries(units).map(([unit, name]) => (
                <option key={unit} value={unit}>
                  {name}
                </option>
              ))}
            </select>
          </span>
        )}
      </Field>
      <Field
        name="budget_micro"
        label={words.__('Budget')}
        hint={words.__('The most it may cost, retries included; no limit unless given.')}
        wrong={wrong}
      >
        {control => (
          <span className="pk-with-unit">
            {currency}
            <NumberInput {...control} value={draft.budget} onText={budget => onChange({ budget })} />
          </span>
        )}
      </Field>
      <Field
        name="priority"
        label={words.__('Priority')}
        hint={words.__('−100 to 100. A point counts as a minute of waiting, among the jobs of the workspace.')}
        wrong={wrong}
      >
        {control => <NumberInput {...control} value={draft.priority} onText={priority => onChange({ priority })} />}
      </Field>
    </>
  );
}

function Marks({ draft, onChange, wrong }: Props) {
  const { words } = useShell();
  return (
    <>
      <Field name="labels" label={words.__('Labels')} hint={words.__('With commas between them.')} wrong={wrong}>
        {control => (
          <input
            {...control}
            type="text"
            className="pk-input"
            value={draft.labels}
            onChange={event => onChange({ labels: event.target.value })}
          />
        )}
      </Field>
      <Field name="notes" label={words.__('Notes')} wrong={wrong}>
        {control => (
          <textarea
            {...control}
            className="pk-input"
            rows={2}
            value={draft.notes}
            onChange={event => onChange({ notes: event.target.value })}
          />
        )}
      </Field>
    </>
  );
}
