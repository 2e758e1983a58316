/** One version of an environment: how it stands, what is in it, how it was built. */
import { useId, useState } from 'react';

import { answer } from '../../api/client';
import { Refusal, useAct } from '../assets/bits';
import { copyText } from '../copy';
import { bytes } from '../format';
import { Ago, Copyable, Loaded, Section } from '../parts';
import { useShell } from '../shell';
import { BuildLog } from './BuildLog';
import { differences, matching } from './packages';
import {
  type Environment,
  isBuilding,
  type Summary,
  useEnvironmentChanged,
  useEnvironmentVersion,
  type Version
} from './queries';
import { Snippets } from './Snippets';
import { stateName, StateSign } from './states';

/** The chosen version; `others` are those it can be compared with. */
export function VersionPane({
  environment,
  version,
  others,
  onDeleted
}: {
  environment: Environment;
  version: Version;
  others: Summary[];
  onDeleted: () => void;
}) {
  const { words } = useShell();
  const changed = useEnvironmentChanged(environment.id);
  const [against, setAgainst] = useState<number | null>(null);
  return (
    <>
      <Bar {...{ environment, version, others, against, onDeleted }} onAgainst={setAgainst} />
      {against !== null && <Diff environment={environment} one={version} other={against} />}
      {environment.kind === 'built' && isBuilding(version) && (
        <BuildLog key={version.id} version={version} onEnd={() => void changed()} />
      )}
      {version.state === 'ready' && (
        <>
          <Packages packages={version.packages} />
          <Snippets
            reference={`${environment.workspace}/${environment.name}@${version.number}`}
            kernel={version.kernel}
          />
        </>
      )}
      {version.requirements.length > 0 && (
        <Section
          name="environment-requirements"
          title={words.__('Requirements')}
          count={`${version.requirements.length}`}
        >
          <pre className="pk-text" tabIndex={0} aria-label={words.__('Requirements')}>
            {version.requirements.join('\n')}
          </pre>
        </Section>
      )}
      {version.lock !== '' && <Lock environment={environment} version={version} />}
      {environment.kind === 'built' && !isBuilding(version) && version.state !== 'deleted' && (
        <Section name="environment-log" title={words.__('Build log')}>
          <BuildLog key={`${version.id}:${version.finished}`} version={version} onEnd={() => undefined} />
        </Section>
      )}
    </>
  );
}

function Bar({
  environment,
  version,
  others,
  against,
  onAgainst,
  onDeleted
}: {
  environment: Environment;
  version: Version;
  others: Summary[];
  against: number | null;
  onAgainst: (number: number | null) => void;
  onDeleted: () => void;
}) {
  const { api, words, confirm, announce } = useShell();
  const changed = useEnvironmentChanged(environment.id);
  const { act, busy, error } = useAct();
  const { number } = version;
  const params = { path: { image: environment.id, number: String(number) } };
  const reference = `${environment.workspace}/${environment.name}`;
  const remove = (): void =>
    act(async () => {
      const lost = isBuilding(version)
        ? words.__('Its build is stopped. Its number is not given again.')
        : words.__('Its packages are removed, kernels run from it end, and what names this version no longer works.');
      if (await confirm(words.__('Delete version %1 of %2?', number, reference), lost, words.__('Delete'))) {
        await answer(api.DELETE('/images/{image}/versions/{number}', { params }));
        announce(words.__('Version %1 is deleted.', number), 'info');
        await changed();
        onDeleted();
      }
    });
  const retry = (): void =>
    act(async () => {
      await answer(api.POST('/images/{image}/versions/{number}/retry', { params }));
      await changed();
    });
  return (
    <>
      <div className="pk-version-head">
        <Copyable text={`${reference}@${number}`} />
        <span>
          <StateSign state={version.state} /> {stateName(version.state, words)}
        </span>
        {version.python_version && <span className="pk-quiet">Python {version.python_version}</span>}
        {version.bytes > 0 && <span className="pk-quiet">{bytes(version.bytes)}</span>}
        {version.kernel && version.state === 'ready' && (
          <span className="pk-quiet">{words.__('a kernel in notebooks')}</span>
        )}
        <span className="pk-grow" />
        {others.length > 0 && version.state === 'ready' && (
          <select
            className="pk-asset-input"
            aria-label={words.__('Compare with')}
            value={against ?? ''}
            onChange={event => onAgainst(event.target.value === '' ? null : Number(event.target.value))}
          >
            <option value="">{words.__('Compare with…')}</option>
            {others.map(other => (
              <option key={other.id} value={other.number}>
                v{other.number}
              </option>
            ))}
          </select>
        )}
        {environment.may_write && version.state === 'failed' && (
          <button type="button" className="pk-button pk-primary" disabled={busy} onClick={retry}>
            {words.__('Build again')}
          </button>
        )}
        {environment.may_write && version.state !== 'deleted' && (
          <button type="button" className="pk-button" disabled={busy} onClick={remove}>
            {words.__('Delete v%1…', number)}
          </button>
        )}
      </div>
      <p className="pk-quiet">
        {version.creator} · <Ago time={version.finished ?? version.started ?? version.created} />
      </p>
      {version.message && <p className={version.state === 'failed' ? 'pk-refusal' : 'pk-quiet'}>{version.message}</p>}
      <Refusal error={error} />
    </>
  );
}

function Packages({ packages }: { packages: Version['packages'] }) {
  const { words } = useShell();
  const [search, setSearch] = useState('');
  const found = matching(packages, search);
  return (
    <Section name="environment-packages" title={words.__('Packages')} count={`${Object.keys(packages).length}`}>
      <div className="pk-filters" role="search">
        <input
          type="search"
          className="pk-asset-input pk-asset-search"
          aria-label={words.__('Search the packages')}
          placeholder={words.__('Search')}
          value={search}
          onChange={event => setSearch(event.target.value)}
        />
      </div>
      {found.length === 0 ? (
        <p className="pk-quiet">{words.__('No package is called so.')}</p>
      ) : (
        <div className="pk-scroll pk-packages" tabIndex={0} role="region" aria-label={words.__('Packages')}>
          <table className="pk-asset-table pk-data">
            <thead>
              <tr>
                <th scope="col">{words.__('Package')}</th>
                <th scope="col">{words.__('Version')}</th>
              </tr>
            </thead>
            <tbody>
              {found.map(([name, version]) => (
                <tr key={name}>
                  <td>{name}</td>
                  <td>{version}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function Lock({ environment, version }: { environment: Environment; version: Version }) {
  const { words, announce } = useShell();
  const copy = async (): Promise<void> => {
    await copyText(version.lock);
    announce(words.__('The lock file is copied.'), 'info');
  };
  const file = `data:text/plain;charset=utf-8,${encodeURIComponent(version.lock)}`;
  return (
    <Section name="environment-lock" title={words.__('Lock file')}>
      <div className="pk-version-head">
        <a className="pk-link" href={file} download={`${environment.name}-${version.number}.txt`}>
          {words.__('Download')}
        </a>
        <button type="button" className="pk-button" onClick={() => void copy()}>
          {words.__('Copy')}
        </button>
      </div>
      <pre className="pk-text" tabIndex={0} aria-label={words.__('Lock file')}>
        {version.lock}
      </pre>
    </Section>
  );
}

const SIGNS = { added: '+', removed: '−', changed: '~' };

function Diff({ environment, one, other }: { environment: Environment; one: Version; other: number }) {
  const { words } = useShell();
  const query = useEnvironmentVersion(environment.id, other);
  const title = useId();
  const names = { added: words.__('added'), removed: words.__('removed'), changed: words.__('changed') };
  return (
    <section aria-labelledby={title}>
      <strong id={title}>
        {words.__('From v%1 to v%2', Math.min(one.number, other), Math.max(one.number, other))}
      </strong>
      <Loaded query={query} lines={4}>
        {loaded => {
          const [old, newer] = loaded.number < one.number ? [loaded, one] : [one, loaded];
          const rows = differences(old.packages, newer.packages);
          return rows.length === 0 ? (
            <p className="pk-quiet">{words.__('Both hold the same packages.')}</p>
          ) : (
            <table className="pk-asset-table">
              <thead>
                <tr>
                  <th scope="col">{words.__('Package')}</th>
                  <th scope="col">{words.__('Change')}</th>
                  <th scope="col">v{old.number}</th>
                  <th scope="col">v{newer.number}</th>
                </tr>
              </thead>
              <tbody>
                {rows.map(row => (
                  <tr key={row.name}>
                    <th scope="row" className="pk-cell-name">
                      {row.name}
                    </th>
                    <td>
                      <span aria-hidden="true">{SIGNS[row.change]} </span>
                      {names[row.change]}
                    </td>
                    <td>{row.before}</td>
                    <td>{row.after}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          );
        }}
      </Loaded>
    </section>
  );
}
