/** Asks what a file or folder of the notebook server becomes a version of. */
import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import { QueryClientProvider } from '@tanstack/react-query';
import { type ReactElement, useId, useState } from 'react';

import { useAssets, useMe } from '../api/queries';
import { Field } from '../ui/assets/bits';
import { WorkspaceField } from '../ui/assets/WorkspaceField';
import { type Kind, ShellProvider, useShell } from '../ui/shell';
import { type ServerUploads, suggestedName, type Wanted } from './serverUploads';
import type { IPumpkin } from './tokens';

/** Asks, and has the server begin; asks again, saying why, when it does not. Tells whether it has begun. */
export async function askUpload(pumpkin: IPumpkin, uploads: ServerUploads, path: string, kind: Kind): Promise<boolean> {
  const { words } = pumpkin.shell;
  let wanted: Wanted = { path, kind, workspace: '', name: suggestedName(path) };
  let error: Error | null = null;
  for (;;) {
    const { button, value } = await showDialog({
      title: words.__('Upload %1 to Pumpkin', path.split('/').pop() ?? path),
      body: new Body(pumpkin, wanted, error),
      focusNodeSelector: 'input',
      buttons: [Dialog.cancelButton({ label: words.__('Cancel') }), Dialog.okButton({ label: words.__('Upload') })]
    });
    if (!button.accept || !value) {
      return false;
    }
    wanted = value;
    try {
      await uploads.begin(wanted);
      return true;
    } catch (refused) {
      error = refused instanceof Error ? refused : new Error(String(refused));
    }
  }
}

class Body extends ReactWidget implements Dialog.IBodyWidget<Wanted> {
  constructor(
    private readonly pumpkin: IPumpkin,
    private wanted: Wanted,
    private readonly error: Error | null
  ) {
    super();
    this.addClass('pk-view');
  }

  getValue(): Wanted {
    return this.wanted;
  }

  protected override render(): ReactElement {
    return (
      <ShellProvider value={this.pumpkin.shell}>
        <QueryClientProvider client={this.pumpkin.cache}>
          <Fields start={this.wanted} error={this.error} onChange={wanted => (this.wanted = wanted)} />
        </QueryClientProvider>
      </ShellProvider>
    );
  }
}

function Fields({
  start,
  error,
  onChange
}: {
  start: Wanted;
  error: Error | null;
  onChange: (wanted: Wanted) => void;
}) {
  const { words } = useShell();
  const [wanted, setWanted] = useState(start);
  const { data: me } = useMe();
  const known = useId();
  const own = wanted.workspace || (me?.name ?? '');
  const names = useAssets(wanted.kind, { q: wanted.name, workspace: own }).data?.items ?? [];
  const exists = names.some(item => item.name === wanted.name);
  const change = (part: Partial<Wanted>): void => {
    const next = { ...wanted, ...part };
    setWanted(next);
    onChange(next);
  };
  const kinds = { dataset: words.__('Dataset'), algorithm: words.__('Algorithm'), model: words.__('Model') };
  return (
    <div className="pk-asset-form pk-upload-form">
      <Field label={words.__('As')} name="kind" error={null}>
        {tie => (
          <select
            {...tie}
            className="pk-asset-input"
            value={wanted.kind}
            onChange={event => change({ kind: event.target.value as Kind })}
          >
            {Object.entries(kinds).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field
        label={words.__('Name')}
        name="name"
        error={null}
        hint={
          exists
            ? words.__('It is there: this becomes its next version.')
            : words.__('It is made, with this as version 1.')
        }
      >
        {tie => (
          <input
            {...tie}
            className="pk-asset-input"
            list={known}
            maxLength={63}
            autoComplete="off"
            spellCheck={false}
            value={wanted.name}
            onChange={event => change({ name: event.target.value })}
          />
        )}
      </Field>
      <datalist id={known}>
        {names.map(item => (
          <option key={item.id} value={item.name} />
        ))}
      </datalist>
      <WorkspaceField value={wanted.workspace} error={null} onChange={workspace => change({ workspace })} />
      {error && (
        <p className="pk-refusal" role="alert">
          {error.message}
        </p>
      )}
    </div>
  );
}
