/** What waits, in the order it will start: an admin puts some first, holds some back, or sends some away. */
import { useQueryClient } from '@tanstack/react-query';
import { type KeyboardEvent, useRef, useState } from 'react';

import { answer } from '../../api/client';
import { useQueue, workloadsChanged } from '../../api/queries';
import { useAct } from '../assets/bits';
import { duration } from '../format';
import { Ago, Empty, Loaded } from '../parts';
import { ReasonForm } from '../ReasonForm';
import { useShell } from '../shell';
import { inLine, moved } from './order';
import type { QueueItem } from './queries';

export function QueueView() {
  const { words } = useShell();
  const query = useQueue();
  return (
    <>
      <h1 className="pk-title">{words.__('Queue')}</h1>
      <Loaded query={query} lines={6}>
        {({ items, length }) =>
          items.length === 0 ? (
            <Empty>{words.__('Nobody waits: what is asked for starts at once.')}</Empty>
          ) : (
            <>
              <p className="pk-quiet">
                {words._n(
                  '%1 workload is in line. Alt and an arrow key move the row you are on.',
                  '%1 workloads are in line. Alt and an arrow key move the row you are on.',
                  length
                )}
              </p>
              <Table items={items} />
            </>
          )
        }
      </Loaded>
    </>
  );
}

function Table({ items }: { items: QueueItem[] }) {
  const { api, words, announce } = useShell();
  const cache = useQueryClient();
  const change = useAct();
  const body = useRef<HTMLTableSectionElement>(null);
  const line = inLine(items);
  const order = async (ids: string[]): Promise<void> => {
    cache.setQueryData(['queue'], await answer(api.PUT('/workloads/queue/order', { body: { ids } })));
  };
  const move = (item: QueueItem, place: number): void => {
    if (change.busy || place < 0 || place >= line.length || item.hold) {
      return;
    }
    change.act(async () => {
      await order(moved(items, item.id, place));
      announce(words.__('%1 is number %2 now.', item.name, place + 1), 'success');
      body.current?.querySelector<HTMLElement>(`[data-id="${item.id}"]`)?.focus();
    });
  };
  const walk = (event: KeyboardEvent<HTMLElement>): void => {
    const row = (event.target as HTMLElement).closest('tr');
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const item = items.find(({ id }) => id === row?.dataset.id);
    if (step === undefined || !item) {
      return;
    }
    event.preventDefault();
    if (event.altKey) {
      move(item, line.indexOf(item) + step);
    } else {
      const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('tr[data-id]')];
      rows[rows.indexOf(row as HTMLElement) + step]?.focus();
    }
  };
  return (
    <>
      {line.some(item => item.pinned) && (
        <p>
          {words.__('An admin has put some first (▲); the others follow by shares, priority and time.')}{' '}
          <button
            type="button"
            className="pk-button"
            disabled={change.busy}
            onClick={() => change.act(() => order([]))}
          >
            {words.__('Back to the rules')}
          </button>
        </p>
      )}
      {change.error && (
        <p className="pk-refusal" role="alert">
          {change.error.message}
        </p>
      )}
      <div className="pk-scroll">
        <table className="pk-asset-table pk-queue">
          <thead>
            <tr>
              <th scope="col" className="pk-amount">
                {words.__('Place')}
              </th>
              <th scope="col">{words.__('Name')}</th>
              <th scope="col">{words.__('User')}</th>
              <th scope="col">{words.__('Spec')}</th>
              <th scope="col">{words.__('Pool')}</th>
              <th scope="col">{words.__('Waits since')}</th>
              <th scope="col">{words.__('Expected to start')}</th>
              <th scope="col">
                <span className="pk-unseen">{words.__('Actions')}</span>
              </th>
            </tr>
          </thead>
          <tbody ref={body} onKeyDown={walk}>
            {items.map((item, at) => (
              <Row
                key={item.id}
                item={item}
                place={line.indexOf(item)}
                length={line.length}
                tabbed={at === 0}
                busy={change.busy}
                onMove={move}
              />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

interface RowProps {
  item: QueueItem;
  /** From 0; -1 for one that is held back. */
  place: number;
  length: number;
  tabbed: boolean;
  busy: boolean;
  onMove: (item: QueueItem, place: number) => void;
}

function Row({ item, place, length, tabbed, busy, onMove }: RowProps) {
  const { words, open } = useShell();
  const [asking, setAsking] = useState<'hold' | 'stop' | null>(null);
  const wait = item.forecast.p50_seconds;
  return (
    <>
      <tr data-id={item.id} tabIndex={tabbed ? 0 : -1}>
        <td className="pk-amount">
          {item.hold ? words.__('held back') : place + 1}
          {item.pinned && !item.hold && (
            <span role="img" aria-label={words.__('put first by an admin')} title={words.__('put first by an admin')}>
              {' '}
              ▲
            </span>
          )}
        </td>
        <th scope="row" className="pk-cell-name">
          <button type="button" className="pk-link" onClick={() => open({ view: 'job', id: item.id, name: item.name })}>
            {item.name}
          </button>
          {item.kind === 'notebook' && <span className="pk-fact"> {words.__('notebook')}</span>}
          {item.hold && <span className="pk-fact"> {item.hold}</span>}
        </th>
        <td>
          {item.creator}
          {item.workspace !== item.creator && <span className="pk-fact"> {item.workspace}</span>}
        </td>
        <td>{item.replicas > 1 ? `${item.replicas} × ${item.spec}` : item.spec}</td>
        <td>{item.pool}</td>
        <td>
          <Ago time={item.created} />
        </td>
        <td>
          {item.hold
            ? words.__('not while it is held')
            : wait == null
              ? words.__('not known')
              : words.__('in about %1', duration(wait))}
        </td>
        <td className="pk-amount">
          <Moves item={item} place={place} length={length} busy={busy} onMove={onMove} />{' '}
          <Turns item={item} onAsk={setAsking} />
        </td>
      </tr>
      {asking && (
        <tr>
          <td colSpan={8}>
            <Asked item={item} what={asking} onClose={() => setAsking(null)} />
          </td>
        </tr>
      )}
    </>
  );
}

function Moves({ item, place, length, busy, onMove }: Omit<RowProps, 'tabbed'>) {
  const { words } = useShell();
  const moves: [string, string, number][] = [
    ['⤒', words.__('Put %1 first', item.name), 0],
    ['↑', words.__('Move %1 up', item.name), place - 1],
    ['↓', words.__('Move %1 down', item.name), place + 1]
  ];
  return (
    <>
      {moves.map(([sign, label, to]) => (
        <button
          key={sign}
          type="button"
          className="pk-button"
          aria-label={label}
          title={label}
          disabled={busy || place < 0 || to < 0 || to >= length || to === place}
          onClick={() => onMove(item, to)}
        >
          {sign}
        </button>
      ))}
    </>
  );
}

/** Holding back and letting go, and sending away. */
function Turns({ item, onAsk }: { item: QueueItem; onAsk: (what: 'hold' | 'stop') => void }) {
  const { api, words } = useShell();
  const cache = useQueryClient();
  const change = useAct();
  const release = async (): Promise<void> => {
    await answer(api.POST('/workloads/{workload}/release', { params: { path: { workload: item.id } } }));
    await workloadsChanged(cache, item.id);
  };
  return (
    <>
      {item.hold ? (
        <button type="button" className="pk-button" disabled={change.busy} onClick={() => change.act(release)}>
          {words.__('Release')}
        </button>
      ) : (
        <button type="button" className="pk-button" onClick={() => onAsk('hold')}>
          {words.__('Hold…')}
        </button>
      )}{' '}
      <button type="button" className="pk-button" onClick={() => onAsk('stop')}>
        {words.__('Stop…')}
      </button>
      {change.error && (
        <span className="pk-refusal" role="alert">
          {change.error.message}
        </span>
      )}
    </>
  );
}

function Asked({ item, what, onClose }: { item: QueueItem; what: 'hold' | 'stop'; onClose: () => void }) {
  const { api, words } = useShell();
  const cache = useQueryClient();
  const params = { path: { workload: item.id } };
  const hold = async (reason: string): Promise<void> => {
    await answer(api.POST('/workloads/{workload}/hold', { params, body: { reason } }));
    await workloadsChanged(cache, item.id);
  };
  const stop = async (reason: string): Promise<void> => {
    await answer(api.POST('/workloads/{workload}/stop', { params, body: { reason } }));
    await workloadsChanged(cache, item.id);
  };
  return what === 'hold' ? (
    <ReasonForm
      title={words.__('Hold %1 back?', item.name)}
      lost={words.__('It does not start until it is released. The time it has waited still counts.')}
      verb={words.__('Hold')}
      act={hold}
      onClose={onClose}
    />
  ) : (
    <ReasonForm
      title={words.__('Stop %1?', item.name)}
      lost={words.__('Its place in the queue is lost.')}
      verb={words.__('Stop')}
      act={stop}
      onClose={onClose}
    />
  );
}
