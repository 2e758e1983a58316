/** The caller's own notebooks and jobs that run or wait. */
import { useQueries } from '@tanstack/react-query';

import { answer } from '../../api/client';
import { isOpen, useBalance, useMe, useQueue, useWorkloads, type WorkloadSummary } from '../../api/queries';
import { duration, money, price } from '../format';
import { Empty, Loaded, phaseName, PhaseSign, useNow } from '../parts';
import { useShell, type Words } from '../shell';
import { useStop } from '../stopping';

const OPEN: WorkloadSummary['phase'][] = ['queued', 'preparing', 'running', 'stopping'];

/** What a workload is called; the Hub's default server has no name of its own. */
export function workloadTitle(workload: { kind: string; name: string }, words: Words): string {
  return workload.kind === 'notebook' && ['', 'default'].includes(workload.name)
    ? words.__('default notebook')
    : workload.name;
}

export function MyWorkloads() {
  const { words } = useShell();
  const { data: me } = useMe();
  const query = useWorkloads({ creator: me?.name, phase: OPEN, limit: 100 }, me !== undefined);
  return (
    <section aria-labelledby="pk-mine">
      <h2 id="pk-mine">{words.__('Running and waiting')}</h2>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty>{words.__('Nothing of yours runs or waits. Start a notebook below, or submit a job.')}</Empty>
          ) : (
            <Table items={items} />
          )
        }
      </Loaded>
    </section>
  );
}

function Table({ items }: { items: WorkloadSummary[] }) {
  const { words } = useShell();
  const urls = useUrls(items);
  return (
    <div className="pk-scroll">
      <table className="pk-asset-table">
        <thead>
          <tr>
            <th scope="col">{words.__('Name')}</th>
            <th scope="col">{words.__('State')}</th>
            <th scope="col" className="pk-minor">
              {words.__('Spec')}
            </th>
            <th scope="col" className="pk-amount">
              {words.__('Cost')}
            </th>
            <th scope="col">
              <span className="pk-unseen">{words.__('Actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map(item => (
            <Row key={item.id} item={item} url={urls.get(item.id)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Where running notebooks are reached: the list does not say, so each is asked for once. */
function useUrls(items: WorkloadSummary[]): Map<string, string> {
  const { api } = useShell();
  const running = items.filter(item => item.kind === 'notebook' && item.phase === 'running');
  return useQueries({
    queries: running.map(({ id }) => ({
      queryKey: ['url', id],
      queryFn: () =>
        answer(api.GET('/workloads/{workload}', { params: { path: { workload: id } } })).then(({ url }) => url),
      staleTime: Infinity
    })),
    combine: results => new Map(running.flatMap(({ id }, at) => (results[at]?.data ? [[id, results[at].data]] : [])))
  });
}

function Row({ item, url }: { item: WorkloadSummary; url: string | undefined }) {
  const { words, open } = useShell();
  const { data: balance } = useBalance(item.workspace);
  const name = workloadTitle(item, words);
  const { busy, ask } = useStop(item);
  const show = (): void =>
    open(
      item.kind === 'job' ? { view: 'job', id: item.id, name: item.name } : { view: 'waiting', id: item.id, then: '' }
    );
  return (
    <tr>
      <th scope="row" className="pk-cell-name">
        {item.kind === 'notebook' && item.phase === 'running' ? (
          <a href={url}>{name}</a>
        ) : (
          <button type="button" className="pk-link" onClick={show}>
            {name}
          </button>
        )}{' '}
        <span className="pk-fact">{item.kind === 'notebook' ? words.__('notebook') : words.__('job')}</span>
      </th>
      <td>
        <PhaseSign phase={item.phase} /> {phaseName(item.phase, words)} <Since item={item} />
      </td>
      <td className="pk-minor">{item.replicas > 1 ? `${item.replicas} × ${item.spec}` : item.spec}</td>
      <td className="pk-amount" title={price(item.price_micro, balance?.currency ?? '', words)}>
        {item.price_micro === 0 ? words.__('no charge') : money(item.cost_micro, balance?.currency ?? '')}
      </td>
      <td className="pk-amount">
        {url !== undefined && (
          <a className="pk-button" href={url}>
            {words.__('Open')}
          </a>
        )}{' '}
        {item.target === 'run' && (
          <button type="button" className="pk-button" disabled={busy} onClick={() => ask(words.__('Stop %1?', name))}>
            {words.__('Stop')}
          </button>
        )}
      </td>
    </tr>
  );
}

function Since({ item }: { item: WorkloadSummary }) {
  const { words } = useShell();
  const now = useNow();
  const { data: queue } = useQueue();
  if (item.phase === 'queued') {
    const place = queue?.items.find(each => each.id === item.id)?.forecast.position;
    return <span className="pk-fact">{place === undefined ? '' : words.__('place %1', place)}</span>;
  }
  return item.started && isOpen(item.phase) ? (
    <span className="pk-fact">{duration((now - Date.parse(item.started)) / 1000)}</span>
  ) : null;
}
