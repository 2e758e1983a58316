/** What one sees instead of a start that hangs: the place in the queue, when it is expected, what is free instead. */
import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { answer, Problem, type Schemas } from '../../api/client';
import { isOpen, useBalance, useQueue, useWorkload, type Workload } from '../../api/queries';
import { ordinal, price, shape } from '../format';
import { workloadTitle } from '../home/MyWorkloads';
import { Empty, Loaded, useNow } from '../parts';
import { type Target, useShell } from '../shell';
import { useStop } from '../stopping';
import { roughly } from '../submit/specs';
import { arrivalOf } from './arrival';

interface Props {
  id: string;
  /** Where in a notebook's server to go once it runs; its own start page unless given. */
  then?: string;
}

export function WaitingView({ id, then }: Props) {
  const { words, open } = useShell();
  const query = useWorkload(id);
  if (query.error instanceof Problem && query.error.status === 404) {
    const home = (
      <button type="button" className="pk-button pk-primary" onClick={() => open({ view: 'home' })}>
        {words.__('Home')}
      </button>
    );
    return <Empty action={home}>{words.__('This is not there: it was deleted, or you may not see it.')}</Empty>;
  }
  return <Loaded query={query}>{workload => <Wait workload={workload} then={then} />}</Loaded>;
}

function Wait({ workload, then }: { workload: Workload; then?: string }) {
  const { words } = useShell();
  const { data: balance } = useBalance(workload.workspace);
  const ready = workload.phase === 'running' && (workload.kind === 'job' || workload.url !== '');
  useArrival(workload, then, ready);
  const facts = [
    workloadTitle(workload, words),
    workload.spec,
    price(workload.price_micro, balance?.currency ?? '', words)
  ];
  return (
    <section className="pk-alone pk-wait" aria-live="polite">
      <p className="pk-fact">{facts.join(' · ')}</p>
      {ready ? (
        <Big place={words.__('Ready')} expected={words.__('Opening it…')} />
      ) : workload.phase === 'queued' ? (
        <InLine workload={workload} then={then} />
      ) : isOpen(workload.phase) ? (
        <>
          <Big
            place={workload.phase === 'stopping' ? words.__('Stopping') : words.__('Starting')}
            expected={workload.message || words.__('Its place is ready; it starts.')}
          />
          <div className="pk-thin pk-unsure" role="progressbar" aria-label={words.__('Starting')} />
          <Choices workload={workload} />
        </>
      ) : (
        <Ended workload={workload} />
      )}
    </section>
  );
}

function Big({ place, expected }: { place: string; expected: string }) {
  return (
    <>
      <p className="pk-big">{place}</p>
      <p>{expected}</p>
    </>
  );
}

/** Leads on as soon as it runs; somebody who is elsewhere and asked for it is told. */
function useArrival(workload: Workload, then: string | undefined, ready: boolean): void {
  const { words, open } = useShell();
  useEffect(() => {
    if (!ready) {
      return;
    }
    if (document.hidden && 'Notification' in window && Notification.permission === 'granted') {
      new Notification(words.__('It has started'), { body: workloadTitle(workload, words), tag: workload.id });
    }
    if (workload.kind === 'job') {
      open({ view: 'job', id: workload.id, name: workload.name });
    } else {
      location.replace(arrivalOf(workload.url, then, location.origin));
    }
    // Once: a renewed answer is no new arrival.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [ready]);
}

function InLine({ workload, then }: { workload: Workload; then?: string }) {
  const { words, language } = useShell();
  const { data: queue } = useQueue();
  const forecast = workload.forecast ?? queue?.items.find(item => item.id === workload.id)?.forecast;
  const place = workload.hold ? words.__('held back') : forecast ? ordinal(forecast.position, language, words) : '…';
  useEffect(() => {
    document.title = `${place} · ${words.__('Waiting')}`;
  }, [place, words]);
  const expected = workload.hold
    ? words.__('not while it is held')
    : forecast?.p50_seconds == null
      ? words.__('No history yet to say how long')
      : forecast.p90_seconds == null
        ? words.__('about %1', roughly(forecast.p50_seconds))
        : words.__('about %1 (90 %: %2)', roughly(forecast.p50_seconds), roughly(forecast.p90_seconds));
  const ahead = (forecast?.position ?? 1) - 1;
  return (
    <>
      <Big place={place} expected={expected} />
      <Bar since={workload.created} left={forecast?.p50_seconds ?? null} />
      <p className="pk-fact" hidden={workload.hold !== ''}>
        {ahead > 0
          ? words.__('%1 ahead of you, %2 waiting in all', ahead, Math.max(queue?.length ?? 0, ahead + 1))
          : words.__('Nobody ahead of you: it starts as soon as there is room')}
      </p>
      {workload.message && <p>{workload.message}</p>}
      {workload.kind === 'notebook' && queue && (
        <Instead workload={workload} then={then} free={queue.free_specs.filter(spec => spec.name !== workload.spec)} />
      )}
      <Choices workload={workload} tell />
      <p className="pk-hint">{words.__('You can close this page: nothing is lost, and it starts by itself.')}</p>
    </>
  );
}

/** How much of the wait is over, as far as one can know. */
function Bar({ since, left }: { since: string; left: number | null }) {
  const { words } = useShell();
  const waited = (useNow() - Date.parse(since)) / 1000;
  if (left === null) {
    return <div className="pk-thin pk-unsure" role="progressbar" aria-label={words.__('Waiting')} />;
  }
  const percent = Math.round(Math.max(2, (100 * waited) / Math.max(waited + left, 1)));
  return (
    <div
      className="pk-thin"
      role="progressbar"
      aria-label={words.__('Waiting')}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <i style={{ width: `${percent}%` }} />
    </div>
  );
}

/** Gives up the place, and asks for the same notebook on a spec that is free. */
function Instead({ workload, then, free }: { workload: Workload; then?: string; free: Schemas['FreeSpec'][] }) {
  const { api, words, open, announce } = useShell();
  const { data: balance } = useBalance(workload.workspace);
  const path = { params: { path: { workload: workload.id } } };
  const move = useMutation({
    mutationFn: async (spec: string) => {
      await answer(api.POST('/workloads/{workload}/stop', path));
      // The server's name is free again when the one that waited has ended.
      while (isOpen((await answer(api.GET('/workloads/{workload}', path))).phase)) {
        await new Promise(resolve => setTimeout(resolve, 300));
      }
      const body = { ...(workload.request as Schemas['NotebookRequest']), spec };
      return answer(api.POST('/workloads/notebooks', { body }));
    },
    onSuccess: made => open({ view: 'waiting', id: made.id, then }),
    onError: error => announce(error.message, 'error')
  });
  if (free.length === 0) {
    return null;
  }
  return (
    <p className="pk-instead">
      <span>{words.__('Free now instead:')}</span>
      {free.slice(0, 3).map(spec => (
        <button
          key={spec.name}
          type="button"
          className="pk-button"
          title={shape(spec, words)}
          disabled={move.isPending}
          onClick={() => move.mutate(spec.name)}
        >
          {spec.name} · {price(spec.price_micro, balance?.currency ?? '', words)}
        </button>
      ))}
    </p>
  );
}

function Choices({ workload, tell = false }: { workload: Workload; tell?: boolean }) {
  const { words, announce } = useShell();
  const [told, setTold] = useState(false);
  const { busy, stop } = useStop(workload);
  const ask = async (): Promise<void> => {
    const granted = 'Notification' in window && (await Notification.requestPermission()) === 'granted';
    setTold(granted);
    announce(
      granted
        ? words.__('You will be told when it starts, while this page is open.')
        : words.__('Your browser does not allow notifications for this page.'),
      granted ? 'info' : 'error'
    );
  };
  return (
    <p className="pk-form-actions">
      {tell && (
        <button type="button" className="pk-button" disabled={told} onClick={() => void ask()}>
          {words.__('Tell me')}
        </button>
      )}
      <button type="button" className="pk-button" disabled={busy || workload.target !== 'run'} onClick={stop}>
        {words.__('Cancel')}
      </button>
    </p>
  );
}

function Ended({ workload }: { workload: Workload }) {
  const { words, open } = useShell();
  const home: Target = { view: 'home' };
  const places = { failed: words.__('It did not start'), stopped: words.__('Cancelled'), succeeded: words.__('Ended') };
  return (
    <>
      <Big place={places[workload.phase as keyof typeof places]} expected={workload.message} />
      <button type="button" className="pk-button pk-primary" onClick={() => open(home)}>
        {words.__('Home')}
      </button>
    </>
  );
}
