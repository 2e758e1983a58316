/** A command: a line for the shell, or words as they are. */
import { useShell } from '../shell';
import type { Run, Wrong } from './draft';
import { Field, NumberInput } from '../field';

interface Props {
  run: Run;
  /** Of its fields' names: "" or `roles.0.`. */
  path: string;
  onChange: (change: Partial<Run>) => void;
  wrong: readonly Wrong[];
}

/** The command and whether a shell runs it. */
export function CommandField({ run, path, onChange, wrong }: Props) {
  const { words } = useShell();
  return (
    <Field
      name={`${path}command`}
      label={words.__('Command')}
      hint={
        run.shell
          ? words.__('$PUMPKIN_CODE is the algorithm’s folder, $PUMPKIN_OUTPUT where results go.')
          : words.__('Runs without a shell: quotes group words, $ and | mean nothing.')
      }
      wrong={wrong}
    >
      {control => (
        <>
          <textarea
            {...control}
            className="pk-input pk-mono"
            rows={2}
            spellCheck={false}
            placeholder="python $PUMPKIN_CODE/train.py"
            required
            value={run.command}
            onChange={event => onChange({ command: event.target.value })}
          />
          <label className="pk-check">
            <input type="checkbox" checked={run.shell} onChange={event => onChange({ shell: event.target.checked })} />
            {words.__('Run by a shell')}
          </label>
        </>
      )}
    </Field>
  );
}

/** What follows the command, one word each. */
export function ArgsField({ run, path, onChange, wrong }: Props) {
  const { words } = useShell();
  return (
    <Field
      name={`${path}args`}
      label={words.__('Arguments')}
      hint={words.__('Added to the command as they are; quotes group words.')}
      wrong={wrong}
    >
      {control => (
        // Not an input: that would lose the line breaks of a word that has some.
        <textarea
          {...control}
          className="pk-input pk-mono"
          rows={1}
          spellCheck={false}
          placeholder="--lr 0.1"
          value={run.args}
          onChange={event => onChange({ args: event.target.value })}
        />
      )}
    </Field>
  );
}

/** How many alike run at once. */
export function ReplicasField({ run, path, onChange, wrong }: Props) {
  const { words } = useShell();
  return (
    <Field name={`${path}replicas`} label={words.__('Replicas')} wrong={wrong}>
      {control => <NumberInput {...control} value={run.replicas} onText={replicas => onChange({ replicas })} />}
    </Field>
  );
}
