/** A pool, new or changed. */
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';

import { answer } from '../../api/client';
import { Field, Refusal, useAct } from '../assets/bits';
import { useShell } from '../shell';
import { namesOf } from './amounts';
import { onlyAt, type Pool, POOL_AS_IS, useAllSpecs, useNodes, usePools } from './queries';

type Whole = 'priority' | 'guarantee_percent' | 'deserved_percent';
type Same = 'name' | 'description' | 'nodes' | 'specs' | 'kinds' | 'everyone' | 'reclaimable' | 'parent';
type Draft = Pick<Pool, Same | Whole> & {
  workspaces: string;
  users: string;
  hub_roles: string;
};

const FIELDS = [
  'name',
  'description',
  'workspaces',
  'users',
  'hub_roles',
  'priority',
  'guarantee_percent',
  'deserved_percent',
  'parent'
];

const NEW: Draft = {
  name: '',
  description: '',
  nodes: [],
  specs: [],
  kinds: ['job', 'notebook'],
  everyone: false,
  priority: 0,
  guarantee_percent: 0,
  deserved_percent: 0,
  reclaimable: false,
  parent: '',
  workspaces: '',
  users: '',
  hub_roles: ''
};

/** Whether anything is said of what a pool gets beside others. */
export function hasShare(pool: Pick<Pool, 'parent' | 'reclaimable' | Whole>): boolean {
  return pool.guarantee_percent + pool.deserved_percent > 0 || pool.reclaimable || pool.parent !== '';
}

function draftOf(pool: Pool): Draft {
  const text = (names: string[]): string => names.join(', ');
  return { ...pool, workspaces: text(pool.workspaces), users: text(pool.users), hub_roles: text(pool.hub_roles) };
}

/** Without `pool` a new one is made. */
export function PoolForm({ pool, onClose }: { pool?: Pool; onClose: () => void }) {
  const { api, words, announce } = useShell();
  const cache = useQueryClient();
  const change = useAct();
  const id = useId();
  const nodes = useNodes().data?.items.map(({ name }) => name);
  const specs = useAllSpecs().data?.items.map(({ name }) => name);
  const others = usePools().data?.items.filter(({ name }) => name !== pool?.name) ?? [];
  const [draft, setDraft] = useState(() => (pool ? draftOf(pool) : NEW));
  const put = (part: Partial<Draft>): void => setDraft({ ...draft, ...part });
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector('input')?.focus(), []);
  const save = async (): Promise<void> => {
    const body = {
      description: draft.description.trim(),
      nodes: draft.nodes,
      specs: draft.specs,
      kinds: draft.kinds,
      everyone: draft.everyone,
      workspaces: namesOf(draft.workspaces),
      users: namesOf(draft.users),
      hub_roles: namesOf(draft.hub_roles),
      priority: draft.priority,
      guarantee_percent: draft.guarantee_percent,
      deserved_percent: draft.deserved_percent,
      reclaimable: draft.reclaimable,
      parent: draft.parent
    };
    if (pool) {
      const params = { path: { pool: pool.name } };
      const headers = onlyAt(pool.revision);
      await answer(api.PATCH('/resources/pools/{pool}', { params, headers, body: { ...POOL_AS_IS, ...body } }));
    } else {
      await answer(api.POST('/resources/pools', { body: { ...body, name: draft.name.trim(), enabled: true } }));
    }
    announce(words.__('The pool %1 is saved.', draft.name.trim()), 'success');
    onClose();
    await Promise.all([
      cache.invalidateQueries({ queryKey: ['pools'] }),
      cache.invalidateQueries({ queryKey: ['specs'] })
    ]);
  };
  const text = (name: 'name' | 'description' | 'workspaces' | 'users' | 'hub_roles', label: string, hint?: string) => (
    <Field label={label} name={name} error={change.error} hint={hint}>
      {tie => (
        <input
          {...tie}
          className="pk-asset-input"
          value={draft[name]}
          onChange={event => put({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  const whole = (name: Whole, label: string, hint: string, min: number, max: number) => (
    <Field label={label} name={name} error={change.error} hint={hint}>
      {tie => (
        <input
          {...tie}
          className="pk-asset-input"
          type="number"
          min={min}
          max={max}
          required
          value={draft[name]}
          onChange={event => put({ [name]: event.target.valueAsNumber || 0 })}
        />
      )}
    </Field>
  );
  const several = words.__('Several with commas between them');
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.act(save);
  };
  return (
    <form ref={form} className="pk-asset-form" aria-labelledby={id} onSubmit={submit}>
      <h2 id={id}>{pool ? words.__('Change %1', pool.name) : words.__('New pool')}</h2>
      <div className="pk-asset-form-row">
        {!pool && text('name', words.__('Name'), words.__('Small letters, digits and dashes'))}
        {text('description', words.__('Description'))}
        {whole('priority', words.__('Rank'), words.__('Of several pools that fit, the highest is used'), -1000, 1000)}
      </div>
      <Choices
        legend={
          draft.parent
            ? words.__('Nodes; none chosen means all of %1', draft.parent)
            : words.__('Nodes; none chosen means all')
        }
        names={nodes ?? []}
        chosen={draft.nodes}
        onChange={chosen => put({ nodes: chosen })}
      />
      <Choices
        legend={words.__('Specs; none chosen means all')}
        names={specs ?? []}
        chosen={draft.specs}
        onChange={chosen => put({ specs: chosen })}
      />
      <Choices
        legend={words.__('For')}
        names={['job', 'notebook']}
        titles={{ job: words.__('jobs'), notebook: words.__('notebooks') }}
        chosen={draft.kinds}
        onChange={chosen => put({ kinds: chosen as Pool['kinds'] })}
      />
      <label className="pk-asset-check">
        <input type="checkbox" checked={draft.everyone} onChange={event => put({ everyone: event.target.checked })} />
        {words.__('Everyone may use it')}
      </label>
      {!draft.everyone && (
        <div className="pk-asset-form-row">
          {text('workspaces', words.__('Workspaces that may use it'), several)}
          {text('users', words.__('Users who may use it'), several)}
          {text('hub_roles', words.__('Hub roles that may use it'), several)}
        </div>
      )}
      <details open={hasShare(draft) || undefined}>
        <summary>{words.__('Shares of nodes that other pools have, too (on a cluster)')}</summary>
        <div className="pk-asset-form-row">
          <Field
            label={words.__('Part of')}
            name="parent"
            error={change.error}
            hint={words.__('Its parts share what a pool has')}
          >
            {tie => (
              <select
                {...tie}
                className="pk-asset-input"
                value={draft.parent}
                onChange={event => put({ parent: event.target.value })}
              >
                <option value="">{words.__('no other pool')}</option>
                {others.map(({ name }) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            )}
          </Field>
          {whole(
            'guarantee_percent',
            words.__('Guaranteed, in %'),
            words.__('Kept free for it, even while idle'),
            0,
            100
          )}
          {whole(
            'deserved_percent',
            words.__('Deserved, in %'),
            words.__('Who is furthest below theirs is next'),
            0,
            100
          )}
        </div>
        <label className="pk-asset-check">
          <input
            type="checkbox"
            checked={draft.reclaimable}
            onChange={event => put({ reclaimable: event.target.checked })}
          />
          {words.__('Jobs beyond what it deserves may be ended for a pool that has less; they wait at the head again')}
        </label>
      </details>
      <Refusal error={change.error} fields={FIELDS} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button pk-primary" disabled={change.busy || draft.kinds.length === 0}>
          {words.__('Save')}
        </button>
      </div>
    </form>
  );
}

interface ChoicesProps {
  legend: string;
  names: string[];
  titles?: Record<string, string>;
  chosen: string[];
  onChange: (chosen: string[]) => void;
}

function Choices({ legend, names, titles = {}, chosen, onChange }: ChoicesProps) {
  return (
    <fieldset className="pk-choices">
      <legend>{legend}</legend>
      {names.map(name => (
        <label key={name} className="pk-asset-check">
          <input
            type="checkbox"
            checked={chosen.includes(name)}
            onChange={() => onChange(chosen.includes(name) ? chosen.filter(one => one !== name) : [...chosen, name])}
          />
          {titles[name] ?? name}
        </label>
      ))}
    </fieldset>
  );
}
