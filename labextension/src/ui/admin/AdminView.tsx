/** The admin shell: one section at a time, each loaded when it is first looked at. */
import { type ComponentType, lazy, Suspense } from 'react';

import { useMe } from '../../api/queries';
import { addressOf } from '../address';
import { Empty, Loaded, Skeleton } from '../parts';
import { ADMIN_SECTIONS, type AdminSection, useShell, type Words } from '../shell';

/** `item` is what of the section the address asks for. */
const SECTIONS: Partial<Record<AdminSection, ComponentType<{ item?: string }>>> = {
  overview: lazy(async () => ({ default: (await import('./Overview')).Overview })),
  nodes: lazy(async () => ({ default: (await import('./Nodes')).Nodes })),
  queue: lazy(async () => ({ default: (await import('./QueueView')).QueueView })),
  specs: lazy(async () => ({ default: (await import('./Specs')).Specs })),
  jobs: lazy(async () => ({ default: (await import('./Jobs')).Jobs })),
  users: lazy(async () => ({ default: (await import('./Users')).Users })),
  workspaces: lazy(async () => ({ default: (await import('./Workspaces')).Workspaces })),
  assets: lazy(async () => ({ default: (await import('./AdminAssets')).AdminAssets })),
  billing: lazy(async () => ({ default: (await import('./Billing')).Billing })),
  audit: lazy(async () => ({ default: (await import('./Audit')).Audit }))
};

function sectionTitle(section: AdminSection, words: Words): string {
  return {
    overview: words.__('Overview'),
    nodes: words.__('Nodes'),
    queue: words.__('Queue'),
    jobs: words.__('Jobs'),
    specs: words.__('Specs and pools'),
    users: words.__('Users'),
    workspaces: words.__('Workspaces'),
    assets: words.__('Data and models'),
    billing: words.__('Billing'),
    audit: words.__('Audit log')
  }[section];
}

export function AdminView({ section = 'overview', item }: { section?: AdminSection; item?: string }) {
  const { words } = useShell();
  const me = useMe();
  const Shown = SECTIONS[section];
  return (
    <div className="pk-admin">
      <Loaded query={me} lines={8}>
        {({ admin }) =>
          admin ? (
            <>
              <Sections current={section} />
              <div className="pk-admin-section">
                <Suspense fallback={<Skeleton lines={8} />}>{Shown && <Shown item={item} />}</Suspense>
              </div>
            </>
          ) : (
            <Empty>{words.__('This is for admins of the platform: ask one of them to make you one.')}</Empty>
          )
        }
      </Loaded>
    </div>
  );
}

function Sections({ current }: { current: AdminSection }) {
  const { words, portal } = useShell();
  return (
    <nav className="pk-admin-nav" aria-label={words.__('Administration')}>
      {ADMIN_SECTIONS.filter(section => SECTIONS[section]).map(section => (
        <a
          key={section}
          href={portal + addressOf({ view: 'admin', section })}
          aria-current={section === current ? 'page' : undefined}
        >
          {sectionTitle(section, words)}
        </a>
      ))}
    </nav>
  );
}
