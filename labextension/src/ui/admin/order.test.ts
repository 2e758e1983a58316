import { moved } from './order';
import type { QueueItem } from './queries';

const item = (id: string, more: Partial<QueueItem> = {}): QueueItem => ({
  id,
  kind: 'job',
  name: id,
  workspace: 'lab',
  creator: 'mia',
  spec: 'cpu',
  replicas: 1,
  priority: 0,
  pool: 'default',
  hold: '',
  pinned: false,
  created: '2026-01-01T00:00:00Z',
  forecast: { position: 1, p50_seconds: null, p90_seconds: null },
  ...more
});
const line = ['a', 'b', 'c', 'd'].map(id => item(id));

test('one that is moved up is put where it belongs, with those before it', () => {
  expect(moved(line, 'c', 1)).toEqual(['a', 'c']);
  expect(moved(line, 'd', 0)).toEqual(['d']);
});

test('one that is moved down lets the next pass', () => {
  expect(moved(line, 'a', 1)).toEqual(['b', 'a']);
  expect(moved(line, 'a', 3)).toEqual(['b', 'c', 'd', 'a']);
});

test('those put first before stay first', () => {
  const pinned = [item('x', { pinned: true }), item('y', { pinned: true }), ...line];
  expect(moved(pinned, 'd', 0)).toEqual(['d', 'x']);
  expect(moved(pinned, 'y', 0)).toEqual(['y', 'x']);
  expect(moved(pinned, 'x', 2)).toEqual(['y', 'a', 'x']);
});

test('what is held back has no place', () => {
  expect(moved([item('held', { hold: 'why' }), ...line], 'b', 0)).toEqual(['b']);
});
