/** Where a view lives below the portal's own address, and the way back from such an address. */
import { KINDS } from '../api/queries';
import { ADMIN_SECTIONS, type Kind, type Target } from './shell';

/** Returns the path, without a slash at its start; two targets with one path are one view. */
export function addressOf(target: Target): string {
  const segment = encodeURIComponent;
  const query = (name: string, value: string | number | undefined): string =>
    value === undefined || value === '' ? '' : `?${name}=${encodeURIComponent(value)}`;
  switch (target.view) {
    case 'home':
      return '';
    case 'job':
      return `jobs/${segment(target.id)}`;
    case 'new-job':
      return `jobs/new${query('from', target.from)}`;
    case 'new-schedule':
      return `schedules/new${query('from', target.from)}`;
    case 'asset':
      return `${KINDS[target.kind]}/${segment(target.workspace)}/${segment(target.name)}${query('version', target.version)}`;
    case 'assets':
      return KINDS[target.kind];
    case 'waiting':
      return `queue/${segment(target.id)}${query('then', target.then)}`;
    case 'environment':
    case 'schedule':
      return `${target.view}s/${segment(target.id)}`;
    case 'workspace':
      return `workspaces/${segment(target.name)}`;
    case 'admin':
      return target.section === undefined || target.section === 'overview'
        ? 'admin'
        : `admin/${target.section}${query('item', target.item)}`;
    default:
      return target.view;
  }
}

/** Returns what a path and query mean, null when there is no such view. */
export function targetOf(path: string, query: URLSearchParams): Target | null {
  let parts: string[];
  try {
    parts = path.replace(/\/$/, '').split('/').map(decodeURIComponent);
  } catch {
    return null; // not an encoding of anything
  }
  const [head = '', first, second, ...rest] = parts;
  if (rest.length > 0) {
    return null;
  }
  const kind = (Object.keys(KINDS) as Kind[]).find(name => KINDS[name] === head);
  if (kind) {
    if (first === undefined) {
      return { view: 'assets', kind };
    }
    const version = Number(query.get('version')) || undefined;
    return second === undefined ? null : { view: 'asset', kind, workspace: first, name: second, version };
  }
  if (second !== undefined) {
    return null;
  }
  if (first === undefined) {
    switch (head) {
      case '':
        return { view: 'home' };
      case 'jobs':
      case 'environments':
      case 'schedules':
      case 'account':
      case 'workspaces':
      case 'admin':
        return { view: head };
      default:
        return null;
    }
  }
  switch (head) {
    case 'jobs':
      return first === 'new'
        ? { view: 'new-job', from: query.get('from') ?? undefined }
        : { view: 'job', id: first, name: '' };
    case 'queue':
      return { view: 'waiting', id: first, then: query.get('then') ?? undefined };
    case 'environments':
      return { view: 'environment', id: first, name: '' };
    case 'schedules':
      return first === 'new'
        ? { view: 'new-schedule', from: query.get('from') ?? undefined }
        : { view: 'schedule', id: first, name: '' };
    case 'workspaces':
      return { view: 'workspace', name: first };
    case 'admin': {
      const section = ADMIN_SECTIONS.find(name => name === first);
      return section ? { view: 'admin', section, item: query.get('item') ?? undefined } : null;
    }
    default:
      return null;
  }
}
