/** Makes an environment, or a new version of one. */
import { useEffect, useRef, useState } from 'react';

import { answer } from '../../api/client';
import { newKey } from '../../api/key';
import { Refusal, useAct } from '../assets/bits';
import { MarkdownField } from '../assets/MarkdownField';
import { NameField } from '../assets/NameField';
import { WorkspaceField } from '../assets/WorkspaceField';
import { useShell } from '../shell';
import { type Environment, useEnvironmentChanged } from './queries';
import { NOTHING, requestOf, RequirementsFields, type Wanted } from './Requirements';

const JUDGED = ['requirements', 'pyproject', 'python'];

/** The form of a new environment; opens it, with its build under way, when it is made. */
export function NewEnvironment({ onClose }: { onClose: () => void }) {
  const { api, words, open } = useShell();
  const changed = useEnvironmentChanged();
  const [name, setName] = useState('');
  const [workspace, setWorkspace] = useState('');
  const [description, setDescription] = useState('');
  const [wanted, setWanted] = useState(NOTHING);
  const { busy, error, act } = useAct();
  // One key for one intent: sending the form again after a break makes nothing twice.
  const key = useRef(newKey());
  useEffect(() => void (key.current = newKey()), [name, workspace, description, wanted]);
  const make = async (): Promise<void> => {
    const about = { name: name.trim(), workspace: workspace || null, description, visibility: 'private' as const };
    const made = await answer(
      api.POST('/images', { headers: { 'Idempotency-Key': key.current }, body: { ...about, ...requestOf(wanted) } })
    );
    await changed();
    onClose();
    open({ view: 'environment', id: made.id, name: made.name });
  };
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('New environment')}
      onSubmit={event => {
        event.preventDefault();
        act(make);
      }}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      <div className="pk-asset-form-row">
        <NameField value={name} error={error} onChange={setName} />
        <WorkspaceField value={workspace} error={error} onChange={setWorkspace} />
      </div>
      <RequirementsFields wanted={wanted} error={error} onChange={setWanted} />
      <MarkdownField
        label={words.__('Description (Markdown, may be empty)')}
        error={error}
        rows={2}
        value={description}
        onChange={setDescription}
      />
      <Refusal error={error} fields={['name', 'workspace', 'description', ...JUDGED]} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button pk-primary" disabled={busy || name.trim() === ''}>
          {words.__('Build it')}
        </button>
      </div>
    </form>
  );
}

/** The form of a new version, beginning with what the present one was made from. */
export function NewVersion({
  environment,
  requirements,
  onClose,
  onMade
}: {
  environment: Environment;
  requirements: string[];
  onClose: () => void;
  onMade: (number: number) => void;
}) {
  const { api, words } = useShell();
  const changed = useEnvironmentChanged(environment.id);
  const [wanted, setWanted] = useState<Wanted>({ ...NOTHING, text: requirements.join('\n') });
  const { busy, error, act } = useAct();
  const build = async (): Promise<void> => {
    const params = { path: { image: environment.id } };
    const made = await answer(api.POST('/images/{image}/versions', { params, body: requestOf(wanted) }));
    await changed();
    onMade(made.number);
  };
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('New version')}
      onSubmit={event => {
        event.preventDefault();
        act(build);
      }}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      <RequirementsFields wanted={wanted} error={error} onChange={setWanted} />
      <Refusal error={error} fields={JUDGED} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button pk-primary" disabled={busy}>
          {words.__('Build it')}
        </button>
      </div>
    </form>
  );
}
