/** Small pieces every view is made of. */
import { type ReactNode, useEffect, useId, useState } from 'react';

import { Problem } from '../api/client';
import type { Workload } from '../api/queries';
import { ago, exactly } from './format';
import { useShell, type Words } from './shell';
import { copyText } from './copy';

type Phase = Workload['phase'];

const SIGNS: Record<Phase, string> = {
  queued: '◔',
  preparing: '◑',
  running: '●',
  stopping: '◌',
  succeeded: '✓',
  failed: '✗',
  stopped: '■'
};

export function phaseName(phase: Phase, words: Words): string {
  return {
    queued: words.__('queued'),
    preparing: words.__('preparing'),
    running: words.__('running'),
    stopping: words.__('stopping'),
    succeeded: words.__('succeeded'),
    failed: words.__('failed'),
    stopped: words.__('stopped')
  }[phase];
}

/** A reason in a word or two; the sentence is in the job's own view. */
export function reasonName(reason: Workload['reason'], words: Words): string {
  return {
    '': '',
    exit_code: words.__('exit code'),
    signal: words.__('killed'),
    oom: words.__('out of memory'),
    start_failed: words.__('not started'),
    lost: words.__('lost'),
    deadline: words.__('deadline'),
    budget: words.__('budget'),
    balance: words.__('balance'),
    environment_failed: words.__('environment'),
    input_missing: words.__('input gone'),
    output_failed: words.__('output lost'),
    cannot_fit: words.__('too big'),
    reclaimed: words.__('place given back'),
    idle: words.__('idle'),
    grant_expired: words.__('not started in time'),
    server_failed: words.__('server failed'),
    stopped_by_user: words.__('stopped'),
    stopped_by_admin: words.__('stopped by an admin')
  }[reason];
}

/** A phase as a sign whose colour and name say the same. */
export function PhaseSign({ phase }: { phase: Phase }) {
  const { words } = useShell();
  const name = phaseName(phase, words);
  return (
    <span className={`pk-sign pk-${phase}`} role="img" aria-label={name} title={name}>
      {SIGNS[phase]}
    </span>
  );
}

/** The present time in milliseconds, renewed every second. */
export function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** A time as people say it, with the exact one on hover. */
export function Ago({ time }: { time: string }) {
  const { language } = useShell();
  return (
    <time dateTime={time} title={exactly(time, language)}>
      {ago(time, language)}
    </time>
  );
}

/** What an id or a reference is, ready to be copied. */
export function Copyable({ text }: { text: string }) {
  const { words, announce } = useShell();
  const copy = async (): Promise<void> => {
    await copyText(text);
    announce(words.__('Copied: %1', text), 'info');
  };
  return (
    <button type="button" className="pk-copy" title={words.__('Copy')} onClick={() => void copy()}>
      {text}
    </button>
  );
}

/** Shapes of what is coming: the view does not jump when it is there. */
export function Skeleton({ lines = 3 }: { lines?: number }) {
  const { words } = useShell();
  return (
    <div className="pk-skeleton" role="status" aria-busy="true" aria-label={words.__('Loading')}>
      {Array.from({ length: lines }, (_, at) => (
        <div key={at} className="pk-bone" />
      ))}
    </div>
  );
}

/** What this is for, and the one thing to do. */
export function Empty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className="pk-empty">
      <p>{children}</p>
      {action}
    </div>
  );
}

/** An error in the reader's language, where it is not the platform that tells it. */
function said(error: Error, words: Words): string {
  return error instanceof Problem && error.reason === 'offline'
    ? words.__('The platform does not answer: what you see may be old. It is asked again.')
    : error.message;
}

/** What happened, and the way on. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }) {
  const { words } = useShell();
  return (
    <div className="pk-failure" role="alert">
      <p>{said(error, words)}</p>
      {retry && !(error instanceof Problem && error.status === 404) && (
        <button type="button" className="pk-button" onClick={retry}>
          {words.__('Try again')}
        </button>
      )}
    </div>
  );
}

export interface Query<T> {
  data: T | undefined;
  error: Error | null;
  refetch: () => unknown;
  dataUpdatedAt: number;
}

/** Says how old what is shown is, and why it is not newer. */
export function Stale({ query }: { query: Pick<Query<unknown>, 'error' | 'dataUpdatedAt'> }) {
  const { words } = useShell();
  useNow();
  return (
    query.error && (
      <p className="pk-stale" role="status">
        {said(query.error, words)} {words.__('What you see is from:')}{' '}
        <Ago time={new Date(query.dataUpdatedAt).toISOString()} />.
      </p>
    )
  );
}

/** Shows what a query has: its data, however old, before its error, before its skeleton. */
export function Loaded<T>({
  query,
  children,
  lines
}: {
  query: Query<T>;
  children: (data: T) => ReactNode;
  lines?: number;
}) {
  if (query.data === undefined) {
    return query.error ? <Failure error={query.error} retry={() => query.refetch()} /> : <Skeleton lines={lines} />;
  }
  return (
    <>
      {query.error && <Stale query={query} />}
      <div className={query.error ? 'pk-greyed' : undefined}>{children(query.data)}</div>
    </>
  );
}

/** A section that opens and closes, and remembers which; `folded`: closed until it is opened first. */
export function Section({
  name,
  title,
  count,
  children,
  action,
  folded
}: {
  name: string;
  title: string;
  count?: ReactNode;
  children: ReactNode;
  action?: ReactNode;
  folded?: boolean;
}) {
  const key = `pumpkin:section:${name}`;
  const [open, setOpen] = useState((localStorage.getItem(key) ?? (folded ? 'closed' : 'open')) === 'open');
  const id = useId();
  const toggle = (): void => {
    localStorage.setItem(key, open ? 'closed' : 'open');
    setOpen(!open);
  };
  return (
    <section className="pk-section" aria-labelledby={id}>
      <div className="pk-section-head">
        <button type="button" id={id} className="pk-section-title" aria-expanded={open} onClick={toggle}>
          <span className="pk-caret" aria-hidden="true">
            {open ? '▾' : '▸'}
          </span>
          {title}
        </button>
        <span className="pk-count">{count}</span>
        {action}
      </div>
      {open && <div className="pk-section-body">{children}</div>}
    </section>
  );
}
