/** What workspaces keep in the store, of how much, and what a day of it costs. */
import type { Schemas } from '../../api/client';
import { bytes, money } from '../format';
import { Empty, Loaded, Section } from '../parts';
import { useShell, type Words } from '../shell';
import { useStored, useStoredOf } from './queries';

const GIB = 1024 ** 3;

type Stored = Schemas['Stored'];

/** "1.5 GiB of 10 GiB", with a bar where there is a limit. */
export function Kept({ stored }: { stored: Stored }) {
  const { words } = useShell();
  const { bytes: size, limit_bytes: limit } = stored;
  return (
    <>
      {bytes(size)}
      {limit !== null && <span className="pk-fact"> {words.__('of %1', bytes(limit))}</span>}
      {limit !== null && limit > 0 && (
        <meter
          min={0}
          max={limit}
          value={Math.min(size, limit)}
          aria-label={words.__('Used of the storage')}
          title={words.__('%1 % used', Math.round((100 * size) / limit))}
        />
      )}
    </>
  );
}

/** What keeping costs per day now. */
function perDay({ bytes: size, price_micro: price, currency }: Stored, words: Words): string {
  return words.__('%1 per day', money(Math.floor((size / GIB) * price), currency));
}

/** One workspace: what it keeps, and who sent it. */
export function StoredSection({ name }: { name: string }) {
  const { words } = useShell();
  return (
    <Section name="stored" title={words.__('Storage')}>
      <Loaded query={useStoredOf(name)} lines={3}>
        {stored => (
          <>
            <dl className="pk-money">
              <div>
                <dt>{words.__('Keeps')}</dt>
                <dd>
                  <Kept stored={stored} />
                </dd>
              </div>
              <div>
                <dt>{words.__('Versions')}</dt>
                <dd>{stored.versions}</dd>
              </div>
              {stored.price_micro > 0 && (
                <div>
                  <dt>{words.__('Costs now')}</dt>
                  <dd>{perDay(stored, words)}</dd>
                </div>
              )}
            </dl>
            {stored.people.length > 1 && <People stored={stored} />}
          </>
        )}
      </Loaded>
    </Section>
  );
}

function People({ stored }: { stored: Schemas['StoredDetail'] }) {
  const { words } = useShell();
  return (
    <table className="pk-asset-table" aria-label={words.__('Sent by')}>
      <tbody>
        {stored.people.map(({ creator, bytes: size }) => (
          <tr key={creator}>
            <th scope="row">{creator}</th>
            <td className="pk-amount">{bytes(size)}</td>
            <td className="pk-amount pk-fact">
              {stored.bytes > 0 ? `${Math.round((100 * size) / stored.bytes)} %` : ''}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** All of one's workspaces, the one that keeps most first. */
export function StoredList() {
  const { words, open } = useShell();
  return (
    <section className="pk-account-section" aria-labelledby="pk-stored-list">
      <h2 id="pk-stored-list">{words.__('Storage')}</h2>
      <Loaded query={useStored()} lines={2}>
        {items =>
          items.length === 0 ? (
            <Empty>{words.__('You are in no workspace yet: an admin adds you to one.')}</Empty>
          ) : (
            <table className="pk-asset-table" aria-label={words.__('Storage')}>
              <tbody>
                {items.map(stored => (
                  <tr key={stored.workspace}>
                    <th scope="row">
                      <button
                        type="button"
                        className="pk-link"
                        onClick={() => open({ view: 'workspace', name: stored.workspace })}
                      >
                        {stored.workspace}
                      </button>
                    </th>
                    <td className="pk-amount">
                      <Kept stored={stored} />
                    </td>
                    <td className="pk-amount pk-fact">
                      {words._n('%1 version', '%1 versions', stored.versions, stored.versions)}
                    </td>
                    {stored.price_micro > 0 && <td className="pk-amount pk-fact">{perDay(stored, words)}</td>}
                  </tr>
                ))}
              </tbody>
            </table>
          )
        }
      </Loaded>
    </section>
  );
}
