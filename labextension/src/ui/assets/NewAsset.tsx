/** Makes a dataset, algorithm or model: a name first, its files next. */
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

import { type Kind, useShell, type Words } from '../shell';
import { Refusal, useAct } from './bits';
import { MarkdownField } from './MarkdownField';
import { NameField } from './NameField';
import { createAsset } from './queries';
import { WorkspaceField } from './WorkspaceField';
import { newKey } from '../../api/key';

/** The form of a new asset; opens it when it is made. */
export function NewAsset({ kind, onClose }: { kind: Kind; onClose: () => void }) {
  const { api, words, open } = useShell();
  const cache = useQueryClient();
  const [name, setName] = useState('');
  const [workspace, setWorkspace] = useState('');
  const [description, setDescription] = useState('');
  const { busy, error, act } = useAct();
  // One key for one intent: sending the form again after a break makes nothing twice.
  const key = useRef(newKey());
  const make = async (): Promise<void> => {
    const wanted = { name: name.trim(), workspace: workspace || null, description };
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
        <NameField
          value={name}
          error={error}
          onChange={typed => {
            setName(typed);
            key.current = newKey();
          }}
        />
        <WorkspaceField value={workspace} error={error} onChange={setWorkspace} />
      </div>
      <MarkdownField
        label={words.__('Description (Markdown, may be empty)')}
        error={error}
        rows={3}
        value={description}
        onChange={setDescription}
      />
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
