/** Which versions of an asset are kept; shows what a rule would remove before it is saved. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useDeferredValue, useState } from 'react';

import { answer, type Schemas } from '../../api/client';
import { KINDS } from '../../api/queries';
import { bytes } from '../format';
import { Ago, Loaded, Section } from '../parts';
import { useShell, type Words } from '../shell';
import { Field, Refusal, useAct } from './bits';
import { type Asset, type Place, useAssetChanged } from './queries';

type Rule = Schemas['RetentionRule'];
type Preview = Schemas['RetentionPreview'];

/** A section to set the rule; only for those who may change the asset. */
export function Retention({ place, asset }: { place: Place; asset: Asset }) {
  const { words } = useShell();
  if (!asset.may_write) {
    return null;
  }
  return (
    <Section name="retention" title={words.__('Versions kept')}>
      {/* Anew when it was changed, by oneself or by another. */}
      <Form key={`${asset.keep_last} ${asset.keep_days}`} place={place} asset={asset} />
    </Section>
  );
}

function count(text: string): number | null {
  return text.trim() === '' ? null : Number(text);
}

function Form({ place, asset }: { place: Place; asset: Asset }) {
  const { api, words, confirm, announce } = useShell();
  const changed = useAssetChanged(place);
  const { act, busy, error } = useAct();
  const [last, setLast] = useState(asset.keep_last === null ? '' : String(asset.keep_last));
  const [days, setDays] = useState(asset.keep_days === null ? '' : String(asset.keep_days));
  const rule: Rule = { keep_last: count(last), keep_days: count(days) };
  const preview = usePreview(place, useDeferredValue(last), useDeferredValue(days));
  const { kind, workspace, name } = place;
  const path = { params: { path: { workspace, name } } };
  const save = async (): Promise<void> => {
    const query = { keep_last: rule.keep_last ?? undefined, keep_days: rule.keep_days ?? undefined };
    const found = await answer(
      api.GET(`/${KINDS[kind]}/{workspace}/{name}/retention/preview`, { params: { ...path.params, query } })
    );
    const verb = words.__('Remove them');
    if (found.removed > 0 && !(await confirm(words.__('Keep only these versions?'), goes(found, words), verb))) {
      return;
    }
    await answer(api.PUT(`/${KINDS[kind]}/{workspace}/{name}/retention`, { ...path, body: rule }));
    await changed();
    announce(words.__('Saved which versions are kept.'), 'success');
  };
  return (
    <form
      className="pk-sharing"
      aria-label={words.__('Versions kept')}
      onSubmit={event => {
        event.preventDefault();
        act(save);
      }}
    >
      <div className="pk-asset-form-row">
        <Field label={words.__('Keep the newest')} name="keep_last" error={error}>
          {tie => (
            <input
              {...tie}
              className="pk-asset-input"
              type="number"
              min={1}
              placeholder={words.__('all')}
              value={last}
              onChange={event => setLast(event.target.value)}
            />
          )}
        </Field>
        <Field label={words.__('and those younger than (days)')} name="keep_days" error={error}>
          {tie => (
            <input
              {...tie}
              className="pk-asset-input"
              type="number"
              min={1}
              placeholder={words.__('any age')}
              value={days}
              onChange={event => setDays(event.target.value)}
            />
          )}
        </Field>
      </div>
      <p className="pk-quiet">
        {words.__('The newest version, what a job or notebook reads and what a model was made from always stay.')}
      </p>
      {(rule.keep_last !== null || rule.keep_days !== null) && (
        <Loaded query={preview} lines={2}>
          {found => <Outcome found={found} />}
        </Loaded>
      )}
      <Refusal error={error} fields={['keep_last', 'keep_days']} />
      <div className="pk-asset-form-end">
        <button
          type="submit"
          className="pk-button"
          disabled={busy || (rule.keep_last === asset.keep_last && rule.keep_days === asset.keep_days)}
        >
          {words.__('Save')}
        </button>
      </div>
    </form>
  );
}

function usePreview({ kind, workspace, name }: Place, last: string, days: string) {
  const { api } = useShell();
  const query = { keep_last: count(last) ?? undefined, keep_days: count(days) ?? undefined };
  return useQuery({
    queryKey: ['asset', kind, workspace, name, 'retention', last, days],
    queryFn: ({ signal }) =>
      answer(
        api.GET(`/${KINDS[kind]}/{workspace}/{name}/retention/preview`, {
          params: { path: { workspace, name }, query },
          signal
        })
      ),
    enabled: last !== '' || days !== '',
    placeholderData: keepPreviousData,
    retry: false
  });
}

function goes({ removed, removed_bytes: size }: Preview, words: Words): string {
  return words._n('%1 version goes (%2).', '%1 versions go (%2).', removed, bytes(size));
}

function Outcome({ found }: { found: Preview }) {
  const { words } = useShell();
  const why = { in_use: words.__('stays: in use'), lineage: words.__('stays: a model was made from it') };
  return (
    <>
      <p role="status">{found.removed === 0 ? words.__('Nothing goes now.') : goes(found, words)}</p>
      {found.items.length > 0 && (
        <table className="pk-asset-table" aria-label={words.__('Versions this rule does not keep')}>
          <tbody>
            {found.items.map(({ number, bytes: size, committed, stays }) => (
              <tr key={number}>
                <th scope="row">@{number}</th>
                <td className="pk-amount">{bytes(size)}</td>
                <td>{committed && <Ago time={committed} />}</td>
                <td className="pk-fact">{stays ? why[stays] : words.__('goes')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}
