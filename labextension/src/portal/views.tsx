/** The portal's own views beside the shared ones. */
import { lazy } from 'react';

import { isPortal, type PortalTarget, type Target, type Words } from '../ui/shell';
import { type View, viewOf } from '../ui/views';

const Home = lazy(async () => ({ default: (await import('../ui/home/Home')).Home }));
const AdminView = lazy(async () => ({ default: (await import('../ui/admin/AdminView')).AdminView }));
const WaitingView = lazy(async () => ({ default: (await import('../ui/waiting/WaitingView')).WaitingView }));
const AccountView = lazy(async () => ({ default: (await import('../ui/account/AccountView')).AccountView }));
const WorkspacesView = lazy(async () => ({ default: (await import('../ui/account/WorkspacesView')).WorkspacesView }));
const WorkspaceView = lazy(async () => ({ default: (await import('../ui/account/WorkspaceView')).WorkspaceView }));

export function portalView(target: Target, words: Words): View | null {
  return isPortal(target) ? ownView(target, words) : viewOf(target, words);
}

function ownView(target: PortalTarget, words: Words): View | null {
  switch (target.view) {
    case 'home':
      return { id: 'home', title: words.__('Home'), element: <Home /> };
    case 'admin':
      return {
        id: 'admin',
        title: words.__('Admin'),
        element: <AdminView section={target.section} item={target.item} />
      };
    case 'waiting':
      return {
        id: `waiting:${target.id}`,
        title: words.__('Waiting'),
        element: <WaitingView id={target.id} then={target.then} />
      };
    case 'account':
      return { id: 'account', title: words.__('Account'), element: <AccountView /> };
    case 'workspaces':
      return { id: 'workspaces', title: words.__('Workspaces'), element: <WorkspacesView /> };
    case 'workspace':
      return {
        id: `workspace:${target.name}`,
        title: target.name,
        element: <WorkspaceView key={target.name} name={target.name} />
      };
    default:
      return null;
  }
}
