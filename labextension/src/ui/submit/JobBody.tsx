/** What a job runs, on what, with what: the fields of its form. */
import type { Schemas } from '../../api/client';
import { Field, Group } from '../field';
import { useShell } from '../shell';
import { type Draft, suggestedName, type Wrong } from './draft';
import { DatasetsPicker, EnvironmentPicker, ModelsPicker } from './Inputs';
import { More } from './More';
import { ReferencePicker } from './ReferencePicker';
import { Roles } from './Roles';
import { CommandField } from './RunFields';
import { SpecCards } from './SpecCards';
import { waitOf } from './specs';

interface Props {
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
  wrong: readonly Wrong[];
  me: Schemas['Me'];
  specs: Schemas['Spec'][];
  free: ReadonlySet<string> | undefined;
  currency: string;
  estimate: Schemas['Estimate'] | undefined;
  /** The spec of the job it begins with, shown also where it is not permitted any more. */
  need?: string;
  more: boolean;
  onMore: (open: boolean) => void;
}

export function JobBody({ draft, onChange, wrong, me, specs, free, currency, estimate, need, more, onMore }: Props) {
  const { words } = useShell();
  const changeRun = (part: Partial<Draft['run']>): void => onChange({ run: { ...draft.run, ...part } });
  return (
    <>
      <h2>{words.__('What to run')}</h2>
      <Field
        name="name"
        label={words.__('Name')}
        hint={draft.name ? undefined : words.__('Called %1 unless you name it.', suggestedName(draft))}
        wrong={wrong}
      >
        {control => (
          <input
            {...control}
            type="text"
            className="pk-input"
            maxLength={63}
            autoComplete="off"
            spellCheck={false}
            value={draft.name}
            onChange={event => onChange({ name: event.target.value })}
          />
        )}
      </Field>
      <ReferencePicker
        kind="algorithm"
        name="algorithm"
        label={words.__('Algorithm')}
        placeholder={words.__('None: the command alone')}
        single
        value={draft.algorithm ? [draft.algorithm] : []}
        onChange={([algorithm = ''], picked) =>
          onChange({
            algorithm,
            run: { ...draft.run, command: draft.run.command || (picked?.entrypoint ?? '') }
          })
        }
        wrong={wrong}
      />
      {draft.distributed ? (
        <>
          <h2>{words.__('Roles')}</h2>
          <Roles roles={draft.roles} onChange={roles => onChange({ roles })} {...{ wrong, specs, free, currency }} />
        </>
      ) : (
        <>
          <CommandField run={draft.run} path="" onChange={changeRun} wrong={wrong} />
          <h2>{words.__('What to run on')}</h2>
          <Group name="spec" label={words.__('Spec')} wrong={wrong}>
            <SpecCards
              kind="job"
              specs={specs}
              free={free}
              value={draft.run.spec}
              onChange={spec => changeRun({ spec })}
              wait={estimate && waitOf(estimate)}
              workspace={draft.workspace}
              need={need}
              currency={currency}
              invalid={wrong.some(each => each.field === 'spec')}
            />
          </Group>
        </>
      )}
      <h2>{words.__('What it uses')}</h2>
      <Inputs draft={draft} onChange={onChange} wrong={wrong} />
      <h2>{words.__('What it leaves')}</h2>
      <Field
        name="output"
        label={words.__('Output model')}
        hint={words.__(
          'The folder $PUMPKIN_OUTPUT becomes its next version when the job succeeds; not kept unless named.'
        )}
        wrong={wrong}
      >
        {control => (
          <input
            {...control}
            type="text"
            className="pk-input"
            maxLength={63}
            spellCheck={false}
            value={draft.output}
            onChange={event => onChange({ output: event.target.value })}
          />
        )}
      </Field>
      <More {...{ draft, wrong, me, currency }} onChange={onChange} open={more} onToggle={onMore} />
    </>
  );
}

function Inputs({
  draft,
  onChange,
  wrong
}: {
  draft: Draft;
  onChange: (change: Partial<Draft>) => void;
  wrong: readonly Wrong[];
}) {
  return (
    <>
      <DatasetsPicker value={draft.datasets} onChange={datasets => onChange({ datasets })} wrong={wrong} />
      <ModelsPicker value={draft.models} onChange={models => onChange({ models })} wrong={wrong} />
      <EnvironmentPicker value={draft.environment} onChange={environment => onChange({ environment })} wrong={wrong} />
    </>
  );
}
