/** The workspace whose things are shown, remembered in this browser; "" is all of the caller's. */
import { useSyncExternalStore } from 'react';

import { useMe } from '../../api/queries';

const KEY = 'pumpkin:workspace';
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function choose(workspace: string): void {
  localStorage.setItem(KEY, workspace);
  listeners.forEach(listener => listener());
}

export function useWorkspace(): string {
  const chosen = useSyncExternalStore(subscribe, () => localStorage.getItem(KEY) ?? '');
  const { data: me } = useMe();
  // One may have left it since.
  return me && !me.workspaces.some(membership => membership.workspace === chosen) ? '' : chosen;
}
