/** The page around a view: where one is, where one can go, who one is. */
import { useQueryClient } from '@tanstack/react-query';
import { Component, type ReactNode, Suspense, useEffect, useSyncExternalStore } from 'react';

import { addressOf } from '../ui/address';
import { Failure, Skeleton } from '../ui/parts';
import { type Target, useShell, type Words } from '../ui/shell';
import type { Boot } from './boot';
import { Dialogs, type Speaker } from './dialogs';
import type { Router } from './router';
import { ThemeButton } from './theme';
import { portalView } from './views';

interface Props {
  page: Boot;
  router: Router;
  speaker: Speaker;
}

export function Frame({ page, router, speaker }: Props) {
  const { words } = useShell();
  const { target, given } = useSyncExternalStore(router.subscribe, router.current);
  return (
    <>
      <a className="pk-skip" href="#main">
        {words.__('Skip to the content')}
      </a>
      <header className="pk-bar">
        <a className="pk-brand" href={page.base}>
          <img src={`${page.assets}../logo.svg`} alt="" width="20" height="20" />
          Pumpkin
        </a>
        {page.user !== '' && <Pages page={page} target={target} />}
        <Tools page={page} />
      </header>
      <main id="main" tabIndex={-1} className="pk-view pk-main">
        {page.refused ? (
          <Refused page={page} status={page.refused.status} detail={page.refused.detail} />
        ) : (
          <Shown page={page} target={given ?? target} key={target ? addressOf(target) : ''} />
        )}
      </main>
      <Dialogs speaker={speaker} words={words} />
    </>
  );
}

function entries(page: Boot, words: Words): [string, Target, Target['view'][]][] {
  return [
    [words.__('Home'), { view: 'home' }, ['home', 'waiting']],
    [words.__('Jobs'), { view: 'jobs' }, ['jobs', 'job', 'new-job', 'schedules', 'schedule', 'new-schedule']],
    [words.__('Datasets'), { view: 'assets', kind: 'dataset' }, []],
    [words.__('Algorithms'), { view: 'assets', kind: 'algorithm' }, []],
    [words.__('Models'), { view: 'assets', kind: 'model' }, []],
    [words.__('Environments'), { view: 'environments' }, ['environments', 'environment']],
    ...(page.admin ? [[words.__('Admin'), { view: 'admin' }, ['admin']] as [string, Target, Target['view'][]]] : [])
  ];
}

function Pages({ page, target }: { page: Boot; target: Target | null }) {
  const { words } = useShell();
  const here = (entry: Target, views: Target['view'][]): boolean =>
    target !== null &&
    (entry.view === 'assets'
      ? (target.view === 'assets' || target.view === 'asset') && target.kind === entry.kind
      : views.includes(target.view));
  return (
    <nav className="pk-pages" aria-label={words.__('Pages')}>
      {entries(page, words).map(([title, entry, views]) => (
        <a key={title} href={page.base + addressOf(entry)} aria-current={here(entry, views) ? 'page' : undefined}>
          {title}
        </a>
      ))}
    </nav>
  );
}

function Tools({ page }: { page: Boot }) {
  const { words } = useShell();
  return (
    <div className="pk-tools">
      {Object.entries(page.languages)
        .filter(([code]) => code !== page.language)
        .map(([code, name]) => (
          // Another language is another page: the server keeps the choice.
          <a key={code} href={`?language=${code}`} target="_self" lang={code}>
            {name}
          </a>
        ))}
      <ThemeButton />
      {page.user !== '' && (
        <details className="pk-menu">
          <summary>{page.user}</summary>
          <div>
            <a href={`${page.hub}home`}>{words.__('Notebook servers')}</a>
            <a href={page.base + addressOf({ view: 'account' })}>{words.__('Account and tokens')}</a>
            <a href={page.base + addressOf({ view: 'workspaces' })}>{words.__('Workspaces')}</a>
            <a href={`${page.hub}logout`}>{words.__('Log out')}</a>
          </div>
        </details>
      )}
    </div>
  );
}

function Shown({ page, target }: { page: Boot; target: Target | null }) {
  const { words } = useShell();
  const view = target && portalView(target, words);
  const title = useTitle(target, view?.title ?? '');
  useEffect(() => {
    document.title = title === '' ? 'Pumpkin' : `${title} · Pumpkin`;
  }, [title]);
  if (!view) {
    return <Refused page={page} status={404} />;
  }
  return (
    <Broken key={view.id}>
      <Suspense fallback={<Skeleton lines={8} />}>{view.element}</Suspense>
    </Broken>
  );
}

/** A view's title: of one that is known by an id only, what it is called is known when it has been read. */
function useTitle(target: Target | null, title: string): string {
  const cache = useQueryClient();
  const id = target && 'id' in target ? target.id : '';
  const read = (): string => {
    const known = cache.getQueryData<{ name: string }>([target?.view === 'schedule' ? 'schedule' : 'workload', id]);
    return known?.name ?? '';
  };
  const name = useSyncExternalStore(listener => cache.getQueryCache().subscribe(listener), read);
  return name || title;
}

function Refused({ page, status, detail }: { page: Boot; status: number; detail?: string }) {
  const { words } = useShell();
  const said =
    status === 404
      ? words.__('There is no such page.')
      : status >= 500
        ? words.__('Something broke on our side: try again, then tell an admin.')
        : detail;
  return (
    <section className="pk-alone">
      <h1>{status}</h1>
      <p>{said}</p>
      <p>
        <a href={page.base}>{words.__('Home')}</a>
      </p>
    </section>
  );
}

/** Keeps a view that breaks from taking the page with it: a part that could not be loaded, say, after an upgrade. */
class Broken extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    return this.state.error ? (
      <Failure error={this.state.error} retry={() => location.reload()} />
    ) : (
      this.props.children
    );
  }
}
