/** The roles in a workspace, and what each may do. */
import type { Words } from '../shell';
import type { Role } from './queries';

export const ROLES: Role[] = ['owner', 'member', 'viewer'];

export function roleName(role: Role, words: Words): string {
  return { owner: words.__('owner'), member: words.__('member'), viewer: words.__('viewer') }[role];
}

export function roleMeaning(role: Role, words: Words): string {
  return {
    owner: words.__('Owners also change members and the workspace itself.'),
    member: words.__('Members make and change things, and spend the workspace’s money.'),
    viewer: words.__('Viewers look at everything and change nothing.')
  }[role];
}
