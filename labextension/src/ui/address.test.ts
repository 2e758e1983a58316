import { addressOf, targetOf } from './address';
import type { Target } from './shell';

const targets: Target[] = [
  { view: 'home' },
  { view: 'jobs' },
  { view: 'job', id: '01J', name: '' },
  { view: 'new-job', from: '01J' },
  { view: 'assets', kind: 'model' },
  { view: 'asset', kind: 'dataset', workspace: 'lab/ör', name: 'a b', version: 3 },
  { view: 'asset', kind: 'dataset', workspace: 'lab', name: 'jobs', version: undefined },
  { view: 'environments' },
  { view: 'environment', id: '01E', name: '' },
  { view: 'schedules' },
  { view: 'new-schedule', from: '01J' },
  { view: 'schedule', id: '01S', name: '' },
  { view: 'waiting', id: '01N', then: 'lab/tree/a b.ipynb' },
  { view: 'workspace', name: 'new' },
  { view: 'admin' },
  { view: 'admin', section: 'audit' },
  { view: 'admin', section: 'nodes', item: 'node 1' },
  { view: 'admin', section: 'users', item: 'a b' }
];

test.each(targets.map(target => [addressOf(target), target] as const))('%s leads back', (address, target) => {
  const { pathname, searchParams } = new URL(address, 'http://house/');
  expect(targetOf(pathname.slice(1), searchParams)).toEqual(target);
});

test.each(['nowhere', 'jobs/a/b', 'datasets/lab', 'admin/nowhere', 'datasets/a/b/c', '%'])('%s is no view', address => {
  expect(targetOf(address, new URLSearchParams())).toBeNull();
});
