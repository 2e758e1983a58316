/** Makes a dataset, algorithm or model: a name first, its files next. */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';

import { useMe } from '../../api/queries';
import { type Kind, useShell, type Words } from '../shell';
import { Field, Refusal, useAct } from './bits';
import { createAsset } from './queries';
import { newKey } from '../../api/key';

/** The form of a new asset; opens it when it is made. */
export function NewAsset({ kind, onClose }: { kind: Kind; onClose: () => void }) {
  const { api, words, open } = useShell();
  const cache = useQueryClient();
  const { data: me } = useMe();
  const [name, setName] = useState('');
  const [workspace, setWorkspace] = useState('');
  const [description, setDescription] = useState('');
  const { busy, error, act } = useAct();
  // One key for one intent: sending the form again after a break makes nothing twice.
  const key = useRef(newKey());
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  const writable = me?.workspaces.filter(({ role }) => role !== 'viewer') ?? [];
  const chosen = workspace || (me?.name ?? '');
  const make = async (): Promise<void> => {
    const wanted = { name: name.trim(), workspace: chosen || null, description };
    const asset = await createAsset(api, kind, wanted, key.current);
    key.current = newKey();
    await cache.invalidateQueries({ queryKey: ['assets', kind] });
    onClose();
    open({ view: 'asset', kind, workspace: asset.workspace, name: asset.name });
  };
  return (
    <form
      className="pk-asset-form"
      aria-label={title(kind, words)}
      onSubmit={event => {
        event.preventDefault();
        act(make);
      }}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      <div className="pk-asset-form-row">
        <Field
          label={words.__('Name')}
          name="name"
          error={error}
          hint={words.__('Lower-case letters, digits, “.”, “_” and “-”.')}
        >
          {tie => (
            <input
              {...tie}
              ref={first}
              className="pk-asset-input"
              required
              maxLength={63}
              autoComplete="off"
              spellCheck={false}
              value={name}
              onChange={event => {
                setName(event.target.value);
                key.current = newKey();
              }}
            />
          )}
        </Field>
        {writable.length > 1 && (
          <Field label={words.__('Workspace')} name="workspace" error={error}>
            {tie => (
              <select
                {...tie}
                className="pk-asset-input"
                value={chosen}
                onChange={event => setWorkspace(event.target.value)}
              >
                {writable.map(one => (
                  <option key={one.workspace} value={one.workspace}>
                    {one.personal ? words.__('%1 (your own)', one.workspace) : one.workspace}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
      </div>
      <Field label={words.__('Description (Markdown, may be empty)')} name="description" error={error}>
        {tie => (
          <textarea
            {...tie}
            className="pk-asset-input"
            rows={3}
            value={description}
            onChange={event => setDescription(event.target.value)}
          />
        )}
      </Field>
      <Refusal error={error} fields={['name', 'workspace', 'description']} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button pk-primary" disabled={busy || name.trim() === ''}>
          {words.__('Make it')}
        </button>
      </div>
    </form>
  );
}

function title(kind: Kind, words: Words): string {
  return { dataset: words.__('New dataset'), algorithm: words.__('New algorithm'), model: words.__('New model') }[kind];
}
