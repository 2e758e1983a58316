/** What an asset is, and what can be done with it. */
import { useState } from 'react';

import { answer } from '../../api/client';
import { KINDS } from '../../api/queries';
import { Copyable } from '../parts';
import { type JobDraft, type Kind, useShell, type Words } from '../shell';
import { Field, Refusal, useAct } from './bits';
import { Markdown } from './Markdown';
import { MarkdownField } from './MarkdownField';
import { type Asset, changeAsset, facetOf, type Place, useAssetChanged } from './queries';
import { seenBy } from './AssetList';
import { TakenDownNote } from './TakenDownNote';

/** Name, labels, description and the acts on the whole of an asset. `quiet` leaves the primary place to another. */
export function Head({
  place,
  asset,
  number,
  quiet,
  onAdd
}: {
  place: Place;
  asset: Asset;
  number: number | null;
  quiet: boolean;
  onAdd?: () => void;
}) {
  const { words, open } = useShell();
  const [editing, setEditing] = useState(false);
  const { error, busy, remove } = useDelete(place, asset);
  return (
    <header>
      <div className="pk-page-head">
        <h1 className="pk-title">{asset.name}</h1>
        <Copyable text={`${asset.workspace}/${asset.name}`} />
        {facetOf(asset) && <span className="pk-quiet">{facetOf(asset)}</span>}
        <span className="pk-quiet">{words.__('Seen by %1', seenBy(asset, words))}</span>
        <span className="pk-grow" />
        {number !== null && (
          <button
            type="button"
            className={quiet ? 'pk-button' : 'pk-button pk-primary'}
            onClick={() => open({ view: 'new-job', preset: presetOf(place, number) })}
          >
            {words.__('Use in a new job')}
          </button>
        )}
        {asset.may_write && (
          <>
            {onAdd && (
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
      <TakenDownNote taken={asset.taken_down} />
      {editing ? (
        <Details place={place} asset={asset} onClose={() => setEditing(false)} />
      ) : (
        <>
          {asset.labels.length > 0 && (
            <p className="pk-tags" aria-label={words.__('Labels')} role="group">
              {asset.labels.map(label => (
                <span key={label} className="pk-tag">
                  {label}
                </span>
              ))}
            </p>
          )}
          {asset.description !== '' && <Markdown text={asset.description} />}
        </>
      )}
    </header>
  );
}

function presetOf({ kind, workspace, name }: Place, number: number): Partial<JobDraft> {
  const reference = `${workspace}/${name}@${number}`;
  return {
    dataset: { datasets: [reference] },
    algorithm: { algorithm: reference },
    model: { models: [reference] }
  }[kind];
}

function useDelete(place: Place, asset: Asset) {
  const { api, words, confirm, open, announce } = useShell();
  const changed = useAssetChanged(place);
  const { act, busy, error } = useAct();
  const { kind, workspace, name } = place;
  const remove = (): void =>
    act(async () => {
      const lost = words._n(
        'Its %1 version and all files in it are lost for everyone who uses it.',
        'Its %1 versions and all files in them are lost for everyone who uses them.',
        asset.versions,
        asset.versions
      );
      const none = words.__('It has no version yet.');
      const title = deleteTitle(kind, `${workspace}/${name}`, words);
      if (await confirm(title, asset.versions > 0 ? lost : none, words.__('Delete'))) {
        const params = { path: { workspace, name } };
        await answer(api.DELETE(`/${KINDS[kind]}/{workspace}/{name}`, { params }));
        announce(words.__('%1 is deleted.', `${workspace}/${name}`), 'info');
        await changed();
        open({ view: 'assets', kind });
      }
    });
  return { error, busy, remove };
}

function deleteTitle(kind: Kind, reference: string, words: Words): string {
  return {
    dataset: words.__('Delete the dataset %1?', reference),
    algorithm: words.__('Delete the algorithm %1?', reference),
    model: words.__('Delete the model %1?', reference)
  }[kind];
}

function Details({ place, asset, onClose }: { place: Place; asset: Asset; onClose: () => void }) {
  const { api, words } = useShell();
  const changed = useAssetChanged(place);
  const [description, setDescription] = useState(asset.description);
  const [labels, setLabels] = useState(asset.labels.join(', '));
  const [facet, setFacet] = useState(facetOf(asset));
  // What was read when editing began: what others change meanwhile is not overwritten.
  const [revision] = useState(asset.revision);
  const { act, busy, error } = useAct();
  const facetName = place.kind === 'dataset' ? 'type' : 'framework';
  const save = async (): Promise<void> => {
    const list = labels.split(',').map(label => label.trim());
    await changeAsset(api, place, { description, facet, labels: list.filter(Boolean) }, revision);
    await changed();
    onClose();
  };
  return (
    <form
      className="pk-asset-form"
      aria-label={words.__('Description and labels')}
      onSubmit={event => {
        event.preventDefault();
        act(save);
      }}
      onKeyDown={event => event.key === 'Escape' && onClose()}
    >
      <div className="pk-asset-form-row">
        <Field label={words.__('Labels, with commas between them')} name="labels" error={error}>
          {tie => (
            <input
              {...tie}
              className="pk-asset-input"
              value={labels}
              onChange={event => setLabels(event.target.value)}
            />
          )}
        </Field>
        <Field
          label={place.kind === 'dataset' ? words.__('Type') : words.__('Framework')}
          name={facetName}
          error={error}
        >
          {tie => (
            <input
              {...tie}
              className="pk-asset-input"
              maxLength={64}
              value={facet}
              onChange={event => setFacet(event.target.value)}
            />
          )}
        </Field>
      </div>
      <MarkdownField
        label={words.__('Description (Markdown)')}
        error={error}
        rows={8}
        value={description}
        onChange={setDescription}
      />
      <Refusal error={error} fields={['labels', facetName, 'description']} />
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
