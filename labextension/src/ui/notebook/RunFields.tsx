/** The fields of running a notebook as a job. */
import type { Schemas } from '../../api/client';
import { useShell } from '../shell';
import type { Wrong } from '../submit/draft';
import { Field, Group, Refusals } from '../field';
import { AlgorithmPicker, DatasetsPicker, EnvironmentPicker, ModelsPicker, WorkspaceChoice } from '../submit/Inputs';
import { SpecCards } from '../submit/SpecCards';
import { waitOf } from '../submit/specs';
import { type Parameter, valueOf } from './parameters';
import { type Choice, nameOf, type Scope, type Snapshot } from './request';

/** What is typed for parameters, by their names; what is not typed is as in the notebook. */
export type Typed = Record<string, string>;

interface Props {
  path: string;
  choice: Choice;
  onChoice: (part: Partial<Choice>) => void;
  scope: Scope;
  onScope: (scope: Scope) => void;
  cells: Snapshot['cells'];
  parameters: readonly Parameter[];
  typed: Typed;
  onTyped: (typed: Typed) => void;
  specs: Schemas['Spec'][];
  free: ReadonlySet<string> | undefined;
  estimate: Schemas['Estimate'] | undefined;
  wrong: readonly Wrong[];
  currency: string;
}

const SHOWN = ['name', 'spec', 'workspace', 'environment', 'datasets', 'algorithm', 'models'];

export function RunFields(props: Props) {
  const { words } = useShell();
  const { choice, onChoice, wrong, specs, free, estimate, currency } = props;
  const elsewhere = wrong.filter(each => !SHOWN.includes(each.field.split('.')[0] ?? ''));
  return (
    <div className="pk-run-body">
      {elsewhere.length > 0 && (
        <div role="alert">
          <Refusals refused={elsewhere} />
        </div>
      )}
      <Cells {...props} />
      {props.parameters.length > 0 && <Parameters {...props} />}
      <Group name="spec" label={words.__('Spec')} wrong={wrong}>
        <SpecCards
          kind="job"
          specs={specs}
          free={free}
          value={choice.spec}
          onChange={spec => onChoice({ spec })}
          wait={estimate && waitOf(estimate)}
          workspace={choice.workspace}
          currency={currency}
          invalid={wrong.some(each => each.field === 'spec')}
        />
      </Group>
      <EnvironmentPicker value={choice.environment} onChange={environment => onChoice({ environment })} wrong={wrong} />
      <Rest {...props} />
    </div>
  );
}

function Cells({ scope, onScope, cells }: Props) {
  const { words } = useShell();
  const count = (which: Scope): number => cells[which].length;
  const titles: Record<Scope, string> = {
    all: words._n('The whole notebook, %1 cell', 'The whole notebook, %1 cells', count('all'), count('all')),
    from: words._n('From here on, %1 cell', 'From here on, %1 cells', count('from'), count('from')),
    cells: words._n('This cell', 'These %1 cells', count('cells'), count('cells'))
  };
  return (
    <Field
      name="cells"
      label={words.__('What to run')}
      hint={
        scope === 'all' ? undefined : words.__('It has a kernel of its own: what the other cells define is not there.')
      }
      wrong={[]}
    >
      {control => (
        <select
          {...control}
          className="pk-input"
          value={scope}
          onChange={event => onScope(event.target.value as Scope)}
        >
          {(['all', 'from', 'cells'] as const)
            .filter(each => count(each) > 0)
            .map(each => (
              <option key={each} value={each}>
                {titles[each]}
              </option>
            ))}
        </select>
      )}
    </Field>
  );
}

function Parameters({ parameters, typed, onTyped }: Props) {
  const { words } = useShell();
  return (
    <Group
      name="parameters"
      label={words.__('Parameters')}
      hint={words.__('Of the cell tagged “parameters”; what you change is set right behind it.')}
      wrong={[]}
    >
      {parameters.map(each => {
        const text = typed[each.name] ?? each.text;
        const message = words.__('Write a number, True, False, None, a quoted text, or a list of them.');
        const wrong = valueOf(each, text) === undefined ? [{ field: each.name, message }] : [];
        return (
          <Field key={each.name} name={each.name} label={each.name} wrong={wrong}>
            {control => (
              <input
                {...control}
                type="text"
                className="pk-input pk-mono"
                spellCheck={false}
                autoComplete="off"
                value={text}
                onChange={event => onTyped({ ...typed, [each.name]: event.target.value })}
              />
            )}
          </Field>
        );
      })}
    </Group>
  );
}

/** Right as it is most of the time: as this notebook's server has it. */
function Rest({ path, choice, onChoice, wrong }: Props) {
  const { words } = useShell();
  const mounts = choice.datasets.length + choice.models.length + (choice.algorithm ? 1 : 0);
  return (
    <details className="pk-more">
      <summary>
        {words.__('Name, data')}{' '}
        {mounts > 0 && <span className="pk-hint">{words._n('%1 mounted', '%1 mounted', mounts, mounts)}</span>}
      </summary>
      <Field name="name" label={words.__('Name')} wrong={wrong}>
        {control => (
          <input
            {...control}
            type="text"
            className="pk-input"
            maxLength={63}
            spellCheck={false}
            autoComplete="off"
            placeholder={nameOf(path)}
            value={choice.name}
            onChange={event => onChoice({ name: event.target.value })}
          />
        )}
      </Field>
      <WorkspaceChoice value={choice.workspace} onChange={workspace => onChoice({ workspace })} wrong={wrong} />
      <DatasetsPicker value={choice.datasets} onChange={datasets => onChoice({ datasets })} wrong={wrong} />
      <AlgorithmPicker value={choice.algorithm} onChange={algorithm => onChoice({ algorithm })} wrong={wrong} />
      <ModelsPicker value={choice.models} onChange={models => onChoice({ models })} wrong={wrong} />
    </details>
  );
}
