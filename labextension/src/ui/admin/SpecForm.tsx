/** A spec, new or changed. */
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';

import { answer } from '../../api/client';
import { Field, Refusal, useAct } from '../assets/bits';
import { useShell } from '../shell';
import { bytesOf, coresText, gibText, microOf, milliOf, priceText } from './amounts';
import { onlyAt, type Spec, SPEC_AS_IS, useCurrency, useNodes } from './queries';

const NAMES = [
  'name',
  'description',
  'cpu_milli',
  'memory',
  'accelerators',
  'accelerator_type',
  'price_micro'
] as const;
type Name = (typeof NAMES)[number];
type Draft = Record<Name, string>;

const NEW: Draft = {
  name: '',
  description: '',
  cpu_milli: '1',
  memory: '2',
  accelerators: '0',
  accelerator_type: '',
  price_micro: '0'
};

function draftOf(spec: Spec): Draft {
  return {
    name: spec.name,
    description: spec.description,
    cpu_milli: coresText(spec.cpu_milli),
    memory: gibText(spec.memory),
    accelerators: String(spec.accelerators),
    accelerator_type: spec.accelerator_type,
    price_micro: priceText(spec.price_micro)
  };
}

/** Without `spec` a new one is made. */
export function SpecForm({ spec, onClose }: { spec?: Spec; onClose: () => void }) {
  const { api, words, announce } = useShell();
  const cache = useQueryClient();
  const change = useAct();
  const id = useId();
  const currency = useCurrency();
  const [start] = useState(() => (spec ? draftOf(spec) : NEW));
  const [draft, setDraft] = useState(start);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const save = async (): Promise<void> => {
    // What was not touched is sent as it was: GiB are rounded.
    const same = (name: Name): boolean => spec !== undefined && draft[name] === start[name];
    const body = {
      description: draft.description.trim(),
      cpu_milli: same('cpu_milli') && spec ? spec.cpu_milli : (milliOf(draft.cpu_milli) ?? 0),
      memory: same('memory') && spec ? spec.memory : (bytesOf(draft.memory) ?? 0),
      accelerators: Number(draft.accelerators),
      accelerator_type: draft.accelerator_type.trim(),
      price_micro: microOf(draft.price_micro) ?? -1
    };
    if (spec) {
      const params = { path: { spec: spec.name } };
      const headers = onlyAt(spec.revision);
      await answer(api.PATCH('/resources/specs/{spec}', { params, headers, body: { ...SPEC_AS_IS, ...body } }));
    } else {
      await answer(api.POST('/resources/specs', { body: { ...body, name: draft.name.trim(), enabled: true } }));
    }
    announce(words.__('The spec %1 is saved.', draft.name.trim()), 'success');
    onClose();
    await cache.invalidateQueries({ queryKey: ['specs'] });
  };
  const field = (name: Name, label: string, hint?: string, rest: object = {}) => (
    <Field label={label} name={name} error={change.error} hint={hint}>
      {tie => (
        <input
          {...tie}
          className="pk-asset-input"
          value={draft[name]}
          onChange={event => setDraft({ ...draft, [name]: event.target.value })}
          {...rest}
        />
      )}
    </Field>
  );
  const amount = { type: 'number', step: 'any', required: true };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.act(save);
  };
  return (
    <form ref={form} className="pk-asset-form" aria-labelledby={id} onSubmit={submit}>
      <h2 id={id}>{spec ? words.__('Change %1', spec.name) : words.__('New spec')}</h2>
      {spec && (
        <p className="pk-quiet">{words.__('What was submitted before keeps the shape and the price it had.')}</p>
      )}
      <div className="pk-asset-form-row">
        {!spec && field('name', words.__('Name'), words.__('Small letters, digits and dashes'), { required: true })}
        {field('description', words.__('Description'))}
        {field('price_micro', words.__('Price per hour in %1', currency), words.__('0 asks for no balance'), {
          ...amount,
          min: 0
        })}
      </div>
      <div className="pk-asset-form-row">
        {field('cpu_milli', words.__('Cores'), undefined, { ...amount, min: 0.001 })}
        {field('memory', words.__('Memory in GiB'), undefined, { ...amount, min: 0.001 })}
        {field('accelerators', words.__('Accelerators'), undefined, { ...amount, min: 0, step: 1 })}
        {field('accelerator_type', words.__('Type of accelerator'), words.__('As the nodes name it; empty: any'), {
          list: `${id}-types`
        })}
        <Types id={`${id}-types`} />
      </div>
      <Refusal error={change.error} fields={[...NAMES]} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button pk-primary" disabled={change.busy}>
          {words.__('Save')}
        </button>
      </div>
    </form>
  );
}

/** The types of accelerators there are. */
function Types({ id }: { id: string }) {
  const { data } = useNodes();
  const types = new Set(data?.items.flatMap(node => node.accelerators.map(({ type }) => type)));
  return (
    <datalist id={id}>
      {[...types].map(type => (
        <option key={type} value={type} />
      ))}
    </datalist>
  );
}
