/** The parts of a distributed job. */
import { useId } from 'react';

import { price, shape } from '../format';
import { useShell } from '../shell';
import { blankRole, type RoleDraft, type Wrong } from './draft';
import { EnvRows } from './EnvRows';
import { Field, Group, NumberInput, Refusals } from '../field';
import { ArgsField, CommandField, ReplicasField } from './RunFields';
import { inOrder, type Spec } from './specs';

interface Props {
  roles: readonly RoleDraft[];
  onChange: (roles: RoleDraft[]) => void;
  wrong: readonly Wrong[];
  specs: readonly Spec[];
  free: ReadonlySet<string> | undefined;
  currency: string;
}

const MAX_ROLES = 16;

/** A list of roles; the main one's end is the job's end. */
export function Roles({ roles, onChange, wrong, specs, free, currency }: Props) {
  const { words } = useShell();
  const group = useId();
  const set = (at: number, change: Partial<RoleDraft>): void =>
    onChange(roles.map((role, place) => (place === at ? { ...role, ...change } : role)));
  return (
    <div data-field="roles" className="pk-roles">
      <Refusals refused={wrong.filter(each => each.field === 'roles')} />
      {roles.map((role, at) => (
        <fieldset key={at} className="pk-role" data-field={`roles.${at}`}>
          <legend>{role.name || words.__('Role %1', at + 1)}</legend>
          <div className="pk-role-head">
            <label className="pk-check">
              <input
                type="radio"
                name={group}
                checked={role.main}
                onChange={() => onChange(roles.map((each, place) => ({ ...each, main: place === at })))}
              />
              {words.__('Main role: its end is the job’s end')}
            </label>
            <button
              type="button"
              className="pk-button"
              aria-label={words.__('Leave out role %1', role.name || at + 1)}
              disabled={roles.length === 1}
              onClick={() => onChange(roles.filter((_, place) => place !== at))}
            >
              ×
            </button>
          </div>
          <Refusals refused={wrong.filter(each => each.field === `roles.${at}`)} />
          <RoleFields
            {...{ role, specs, free, currency, wrong }}
            path={`roles.${at}.`}
            onChange={change => set(at, change)}
          />
        </fieldset>
      ))}
      <button
        type="button"
        className="pk-button"
        disabled={roles.length >= MAX_ROLES}
        onClick={() => onChange([...roles, blankRole(roles, roles.at(-1)?.spec)])}
      >
        {words.__('Add a role')}
      </button>
    </div>
  );
}

function RoleFields({
  role,
  path,
  onChange,
  wrong,
  specs,
  free,
  currency
}: Omit<Props, 'roles' | 'onChange'> & {
  role: RoleDraft;
  path: string;
  onChange: (change: Partial<RoleDraft>) => void;
}) {
  const { words } = useShell();
  const known = specs.some(spec => spec.name === role.spec);
  return (
    <>
      <Field name={`${path}name`} label={words.__('Role’s name')} wrong={wrong}>
        {control => (
          <input
            {...control}
            type="text"
            className="pk-input"
            maxLength={63}
            value={role.name}
            onChange={event => onChange({ name: event.target.value })}
          />
        )}
      </Field>
      <CommandField run={role} path={path} onChange={onChange} wrong={wrong} />
      <ArgsField run={role} path={path} onChange={onChange} wrong={wrong} />
      <Field name={`${path}spec`} label={words.__('Spec')} wrong={wrong}>
        {control => (
          <select
            {...control}
            className="pk-input"
            value={role.spec}
            onChange={event => onChange({ spec: event.target.value })}
          >
            {!known && <option value={role.spec}>{role.spec || words.__('Choose a spec')}</option>}
            {inOrder(specs).map(spec => (
              <option key={spec.name} value={spec.name}>
                {[
                  spec.name,
                  shape(spec, words),
                  price(spec.price_micro, currency, words),
                  free && (free.has(spec.name) ? words.__('free now') : words.__('taken: it would wait'))
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </option>
            ))}
          </select>
        )}
      </Field>
      <ReplicasField run={role} path={path} onChange={onChange} wrong={wrong} />
      <Field
        name={`${path}min_available`}
        label={words.__('At least')}
        hint={words.__('How many must be placed and stay alive; all unless given.')}
        wrong={wrong}
      >
        {control => (
          <NumberInput {...control} value={role.minAvailable} onText={minAvailable => onChange({ minAvailable })} />
        )}
      </Field>
      <Group name={`${path}env`} label={words.__('Its own variables')} wrong={wrong}>
        <EnvRows rows={role.env} onChange={env => onChange({ env })} />
      </Group>
    </>
  );
}
