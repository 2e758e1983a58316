import { barOf, cellsOf, IDLE_MS, isIdle, linesOf } from './heat';
import type { Node, NodeLoad, QueueItem, UsageItem } from './queries';

const NOW = Date.parse('2026-01-01T12:00:00Z');
const at = (ago: number): string => new Date(NOW - ago).toISOString();

const node = (more: Partial<Node> = {}): Node => ({
  id: '1',
  name: 'n',
  cpu_milli: 8000,
  memory: 100,
  accelerators: [0, 1, 2, 3].map(index => ({ index, type: 'H200', memory: 1, uuid: '' })),
  cpu_milli_limit: null,
  memory_limit: null,
  accelerators_off: [],
  usable_cpu_milli: 6000,
  usable_memory: 100,
  usable_accelerators: [0, 1, 2],
  used_cpu_milli: 0,
  used_memory: 0,
  used_accelerators: [],
  drained: false,
  drain_reason: '',
  alive: true,
  heartbeat: at(0),
  created: at(0),
  revision: 1,
  ...more
});
const holder = (more: Partial<UsageItem>): UsageItem => ({
  workload: 'w',
  name: 'w',
  kind: 'job',
  workspace: 'lab',
  creator: 'mia',
  replica: 'main-0',
  node: 'n',
  spec: 's',
  cpu_milli: 2000,
  memory: 10,
  accelerators: [],
  since: at(2 * IDLE_MS),
  busy: at(0),
  ...more
});
const load = (more: Partial<NodeLoad>): NodeLoad => ({
  node: 'n',
  time: at(0),
  cpu_milli: 0,
  memory: 0,
  held_cpu_milli: 0,
  held_memory: 0,
  accelerators: [],
  ...more
});

test('one is idle who has used nothing for half an hour, and not before', () => {
  expect(isIdle(holder({ busy: at(IDLE_MS + 1) }), NOW)).toBe(true);
  expect(isIdle(holder({ busy: at(IDLE_MS - 1) }), NOW)).toBe(false);
  expect(isIdle(holder({ busy: null, since: at(IDLE_MS + 1) }), NOW)).toBe(true);
  expect(isIdle(holder({ busy: null, since: at(1000) }), NOW)).toBe(false);
  expect(isIdle(holder({ busy: null, since: null }), NOW)).toBe(false);
});

test('a cell says what becomes of its accelerator', () => {
  const items = [
    holder({ accelerators: [0] }),
    holder({ accelerators: [1], busy: at(IDLE_MS + 1) }),
    holder({ node: 'other', accelerators: [2] })
  ];
  const seen = load({ accelerators: [{ index: 0, utilization: 0.9, memory: 1 }] });
  expect(cellsOf(node(), items, seen, NOW).map(cell => cell.state)).toEqual(['busy', 'idle', 'free', 'off']);
  expect(cellsOf(node(), items, undefined, NOW)[0]?.state).toBe('held');
  expect(cellsOf(node({ drained: true }), [], undefined, NOW)[0]?.state).toBe('off');
  expect(new Set(cellsOf(node({ alive: false }), items, seen, NOW).map(cell => cell.state))).toEqual(new Set(['down']));
});

test('the parts of a bar are all there is, and no more', () => {
  const items = [holder({}), holder({ busy: at(IDLE_MS + 1) })];
  const parts = barOf(node(), items, load({ cpu_milli: 500 }), NOW, 'cpu_milli');
  expect(parts).toEqual([
    { state: 'busy', amount: 500 },
    { state: 'held', amount: 1500 },
    { state: 'idle', amount: 2000 },
    { state: 'free', amount: 2000 },
    { state: 'off', amount: 2000 }
  ]);
  // A limit lowered below what is held takes nothing away from who holds it.
  const lowered = barOf(node({ usable_cpu_milli: 1000 }), items, undefined, NOW, 'cpu_milli');
  expect(lowered.reduce((sum, { amount }) => sum + amount, 0)).toBe(8000);
  expect(barOf(node({ alive: false }), items, undefined, NOW, 'memory')).toEqual([{ state: 'down', amount: 100 }]);
});

test('of each pool the one who waits longest is told, those held back apart', () => {
  const item = (id: string, pool: string, created: string, hold = ''): QueueItem =>
    ({ id, pool, created, hold }) as QueueItem;
  const lines = linesOf([
    item('1', 'gpu', at(100), 'why'),
    item('2', 'gpu', at(50)),
    item('3', 'cpu', at(90)),
    item('4', 'cpu', at(95)),
    item('5', 'old', at(999), 'why')
  ]);
  expect(lines.map(({ pool, waiting, held, longest }) => [pool, waiting, held, longest?.id])).toEqual([
    ['cpu', 2, 0, '4'],
    ['gpu', 1, 1, '2'],
    ['old', 0, 1, undefined]
  ]);
});
