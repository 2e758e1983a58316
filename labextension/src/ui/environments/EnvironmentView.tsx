/** One environment: its versions, what is in them, how they were built, and who may use it. */
import { useState } from 'react';

import { answer, Problem } from '../../api/client';
import { seenBy } from '../assets/AssetList';
import { More, Refusal, useAct, walkRows } from '../assets/bits';
import { Markdown } from '../assets/Markdown';
import { MarkdownField } from '../assets/MarkdownField';
import { SharingSection } from '../assets/Sharing';
import { TakenDownNote } from '../assets/TakenDownNote';
import { Ago, Copyable, Empty, Loaded } from '../parts';
import { useShell } from '../shell';
import { NewVersion } from './NewEnvironment';
import {
  type Environment,
  type Summary,
  useEnvironment,
  useEnvironmentChanged,
  useEnvironmentVersion,
  useEnvironmentVersions
} from './queries';
import { stateName, StateSign } from './states';
import { VersionPane } from './VersionPane';

/** One environment, by its id. */
export function EnvironmentView({ id }: { id: string }) {
  const { open, words } = useShell();
  const query = useEnvironment(id);
  // What is gone is not shown greyed, as what is old is.
  const gone = query.error instanceof Problem && query.error.status === 404;
  return (
    <div className="pk-page">
      {gone ? (
        <Empty
          action={
            <button type="button" className="pk-button" onClick={() => open({ view: 'environments' })}>
              {words.__('Show all')}
            </button>
          }
        >
          {query.error?.message}
        </Empty>
      ) : (
        <Loaded query={query} lines={8}>
          {environment => <Opened environment={environment} />}
        </Loaded>
      )}
    </div>
  );
}

function Opened({ environment }: { environment: Environment }) {
  const { id } = environment;
  const [chosen, setChosen] = useState<number | null>(null);
  const [adding, setAdding] = useState(false);
  const versions = useEnvironmentVersions(id);
  const items = versions.data?.pages.flatMap(page => page.items) ?? [];
  const number = chosen ?? environment.latest?.number ?? null;
  const version = useEnvironmentVersion(id, number);
  return (
    <>
      <Head
        environment={environment}
        number={number}
        ready={!adding && version.data?.state === 'ready'}
        onAdd={adding ? undefined : () => setAdding(true)}
      />
      {adding && version.data && (
        <NewVersion
          environment={environment}
          requirements={version.data.requirements}
          onClose={() => setAdding(false)}
          onMade={made => {
            setAdding(false);
            setChosen(made);
          }}
        />
      )}
      <div className="pk-versions-and-files">
        <Versions query={versions} items={items} chosen={number} onChoose={setChosen} />
        <div className="pk-version">
          <Loaded query={version} lines={6}>
            {shown => (
              <VersionPane
                key={shown.id}
                environment={environment}
                version={shown}
                others={items.filter(other => other.state === 'ready' && other.number !== shown.number)}
                onDeleted={() => setChosen(null)}
              />
            )}
          </Loaded>
        </div>
      </div>
      <Sharing environment={environment} />
    </>
  );
}

function Head({
  environment,
  number,
  ready,
  onAdd
}: {
  environment: Environment;
  number: number | null;
  ready: boolean;
  onAdd?: () => void;
}) {
  const { words, open } = useShell();
  const [editing, setEditing] = useState(false);
  const { remove, busy, error } = useDelete(environment);
  const { workspace, name, may_write: mayWrite } = environment;
  const use = (): void =>
    open({ view: 'new-job', preset: { environment: number === null ? name : `${workspace}/${name}@${number}` } });
  return (
    <header>
      <div className="pk-page-head">
        <h1 className="pk-title">{name}</h1>
        <Copyable text={`${workspace}/${name}`} />
        <span className="pk-quiet">{words.__('Seen by %1', seenBy(environment, words))}</span>
        {environment.kind === 'interpreter' && (
          <span className="pk-quiet">{words.__('a Python of the platform’s machine')}</span>
        )}
        <span className="pk-grow" />
        <button type="button" className={ready ? 'pk-button pk-primary' : 'pk-button'} onClick={use}>
          {words.__('Use in a new job')}
        </button>
        {mayWrite && (
          <>
            {environment.kind === 'built' && onAdd && (
              <button type="button" className="pk-button" onClick={onAdd}>
                {words.__('New version…')}
              </button>
            )}
            <button type="button" className="pk-button" aria-expanded={editing} onClick={() => setEditing(!editing)}>
              {words.__('Edit')}
            </button>
            <button type="button" className="pk-button" disabled={busy} onClick={remove}>
              {words.__('Delete…')}
            </button>
          </>
        )}
      </div>
      <Refusal error={error} />
      <TakenDownNote taken={environment.taken_down} />
      {editing ? (
        <Details environment={environment} onClose={() => setEditing(false)} />
      ) : (
        environment.description !== '' && <Markdown text={environment.description} />
      )}
    </header>
  );
}

function useDelete({ id, workspace, name }: Environment) {
  const { api, words, confirm, open, announce } = useShell();
  const changed = useEnvironmentChanged();
  const { act, busy, error } = useAct();
  const reference = `${workspace}/${name}`;
  const remove = (): void =>
    act(async () => {
      const lost = words.__('All its versions and their packages are lost for everyone who uses them.');
      if (await confirm(words.__('Delete the environment %1?', reference), lost, words.__('Delete'))) {
        await answer(api.DELETE('/images/{image}', { params: { path: { image: id } } }));
        announce(words.__('%1 is deleted.', reference), 'info');
        open({ view: 'environments' });
        await changed();
      }
    });
  return { remove, busy, error };
}

function Details({ environment, onClose }: { environment: Environment; onClose: () => void }) {
  const { api, words } = useShell();
  const changed = useEnvironmentChanged(environment.id);
  const [description, setDescription] = useState(environment.description);
  // What was read when editing began: what others change meanwhile is not overwritten.
  const [revision] = useState(environment.revision);
  const { act, busy, error } = useAct();
  const save = async (): Promise<void> => {
    const params = { path: { image: environment.id } };
    const body = { description, visibility: null, preset: null };
    await answer(api.PATCH('/images/{image}', { params, headers: { 'If-Match': `"${revision}"` }, body }));
    await changed();
    onClose();
  };
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('Description')}
      onSubmit={event => {
        event.preventDefault();
        act(save);
      }}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      <MarkdownField
        label={words.__('Description (Markdown)')}
        error={error}
        rows={6}
        value={description}
        onChange={setDescription}
      />
      <Refusal error={error} fields={['description']} />
      <div className="pk-asset-form-end">
        <button type="button" className="pk-button" onClick={onClose}>
          {words.__('Cancel')}
        </button>
        <button type="submit" className="pk-button" disabled={busy}>
          {words.__('Save')}
        </button>
      </div>
    </form>
  );
}

function Versions({
  query,
  items,
  chosen,
  onChoose
}: {
  query: ReturnType<typeof useEnvironmentVersions>;
  items: Summary[];
  chosen: number | null;
  onChoose: (number: number) => void;
}) {
  const { words } = useShell();
  return (
    <nav className="pk-versions" aria-label={words.__('Versions')} onKeyDown={walkRows}>
      <Loaded query={{ ...query, data: query.data && items }} lines={3}>
        {found => (
          <ul className="pk-list">
            {found.map(version => (
              <li key={version.id}>
                <button
                  type="button"
                  className="pk-version-row pk-walk"
                  aria-current={version.number === chosen ? 'true' : undefined}
                  onClick={() => onChoose(version.number)}
                >
                  <span className="pk-version-number">v{version.number}</span>
                  <span className="pk-fact">
                    <StateSign state={version.state} /> {stateName(version.state, words)}
                  </span>
                  <span className="pk-fact pk-version-more">
                    {version.creator} · <Ago time={version.created} />
                  </span>
                </button>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      <More query={query} />
    </nav>
  );
}

function Sharing({ environment }: { environment: Environment }) {
  const { api } = useShell();
  const changed = useEnvironmentChanged(environment.id);
  if (!environment.may_write) {
    return null;
  }
  const image = environment.id;
  return (
    <SharingSection
      shared={environment}
      onVisibility={visibility =>
        answer(
          api.PATCH('/images/{image}', {
            params: { path: { image } },
            body: { description: null, preset: null, visibility }
          })
        )
      }
      onShare={target => answer(api.PUT('/images/{image}/shares/{target}', { params: { path: { image, target } } }))}
      onEnd={target => answer(api.DELETE('/images/{image}/shares/{target}', { params: { path: { image, target } } }))}
      onChanged={changed}
    />
  );
}
