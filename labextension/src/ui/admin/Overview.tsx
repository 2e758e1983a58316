/** Is anything wrong, who is waiting, what is idle: on one screen. */
import { useQueue } from '../../api/queries';
import { bytes, duration } from '../format';
import { Ago, Empty, Loaded } from '../parts';
import { useShell, type Words } from '../shell';
import { Heat } from './Heat';
import { isIdle, type Line, linesOf } from './heat';
import { Lights } from './Lights';
import { type UsageItem, useUsage } from './queries';

export function Overview() {
  const { words } = useShell();
  return (
    <div className="pk-overview">
      <h1 className="pk-unseen">{words.__('Overview')}</h1>
      <Lights />
      <section aria-labelledby="pk-overview-nodes">
        <h2 id="pk-overview-nodes">{words.__('Nodes')}</h2>
        <Heat />
      </section>
      <section aria-labelledby="pk-overview-queue">
        <h2 id="pk-overview-queue">{words.__('Waiting')}</h2>
        <Waiting />
      </section>
      <section aria-labelledby="pk-overview-idle">
        <h2 id="pk-overview-idle">{words.__('Idle')}</h2>
        <Idle />
      </section>
    </div>
  );
}

/** The queue by pools, and who waits longest in each. */
function Waiting() {
  const { words, open } = useShell();
  const query = useQueue();
  return (
    <Loaded query={query} lines={2}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty>{words.__('Nobody waits.')}</Empty>
        ) : (
          <div className="pk-scroll">
            <table className="pk-asset-table">
              <thead>
                <tr>
                  <th scope="col">{words.__('Pool')}</th>
                  <th scope="col" className="pk-amount">
                    {words.__('Waiting')}
                  </th>
                  <th scope="col">{words.__('Waits longest')}</th>
                  <th scope="col">{words.__('Since')}</th>
                  <th scope="col">{words.__('Expected to start')}</th>
                </tr>
              </thead>
              <tbody>
                {linesOf(items).map(line => (
                  <PoolLine key={line.pool} line={line} />
                ))}
              </tbody>
            </table>
            <button
              type="button"
              className="pk-button pk-more"
              onClick={() => open({ view: 'admin', section: 'queue' })}
            >
              {words.__('Show the queue')}
            </button>
          </div>
        )
      }
    </Loaded>
  );
}

function PoolLine({ line: { pool, waiting, held, longest } }: { line: Line }) {
  const { words } = useShell();
  return (
    <tr>
      <th scope="row">{pool}</th>
      <td className="pk-amount">
        {waiting}
        {held > 0 && <span className="pk-fact"> {words._n('%1 held back', '%1 held back', held, held)}</span>}
      </td>
      <td>{longest ? words.__('%1 by %2', longest.name, longest.creator) : words.__('nobody')}</td>
      <td>{longest && <Ago time={longest.created} />}</td>
      <td>
        {longest &&
          (longest.forecast.p50_seconds == null
            ? words.__('not known')
            : words.__('in about %1', duration(longest.forecast.p50_seconds)))}
      </td>
    </tr>
  );
}

/** What is held and has not been used for half an hour. */
function Idle() {
  const { words } = useShell();
  const query = useUsage();
  return (
    <Loaded query={query} lines={2}>
      {({ items }) => {
        const idle = items.filter(item => isIdle(item, query.dataUpdatedAt));
        return idle.length === 0 ? (
          <Empty>{words.__('Everything that is held has been used in the last 30 minutes.')}</Empty>
        ) : (
          <Holders items={idle} used />
        );
      }}
    </Loaded>
  );
}

/** Who holds what; `used` tells when it was last used, else since when it is held. */
export function Holders({ items, used = false }: { items: UsageItem[]; used?: boolean }) {
  const { words, open } = useShell();
  return (
    <div className="pk-scroll">
      <table className="pk-asset-table">
        <thead>
          <tr>
            <th scope="col">{words.__('Name')}</th>
            <th scope="col">{words.__('User')}</th>
            <th scope="col">{words.__('Node')}</th>
            <th scope="col">{words.__('Holds')}</th>
            <th scope="col">{used ? words.__('Last used') : words.__('Since')}</th>
          </tr>
        </thead>
        <tbody>
          {items.map(item => {
            const time = used ? (item.busy ?? item.since) : item.since;
            return (
              <tr key={`${item.workload} ${item.replica}`}>
                <th scope="row">
                  <button
                    type="button"
                    className="pk-link"
                    onClick={() => open({ view: 'job', id: item.workload, name: item.name })}
                  >
                    {item.name}
                  </button>{' '}
                  <span className="pk-fact">{item.kind === 'notebook' ? words.__('notebook') : item.replica}</span>
                </th>
                <td>{item.creator}</td>
                <td>{item.node}</td>
                <td>{holds(item, words)}</td>
                <td>{time ? <Ago time={time} /> : words.__('not yet')}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function holds({ cpu_milli, memory, accelerators }: UsageItem, words: Words): string {
  const cores = cpu_milli / 1000;
  const count = accelerators.length;
  return [
    words._n('%1 core', '%1 cores', cores, cores),
    bytes(memory),
    ...(count > 0 ? [words._n('%1 accelerator', '%1 accelerators', count, count)] : [])
  ].join(' · ');
}
