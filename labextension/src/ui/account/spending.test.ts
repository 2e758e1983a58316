import { daysOf, membersOf, monthOf, roundUp } from './spending';

const items = [
  { day: '2026-02-01', kind: 'workload' as const, creator: 'ann', cost_micro: 3 },
  { day: '2026-02-01', kind: 'workload' as const, creator: 'bob', cost_micro: 4 },
  { day: '2026-02-28', kind: 'workload' as const, creator: 'ann', cost_micro: 5 }
];

test('a month has all its days, in UTC', () => {
  const month = monthOf(new Date('2026-03-31T23:59:59Z'), 1);
  expect(month).toEqual({ start: '2026-02-01T00:00:00.000Z', end: '2026-03-01T00:00:00.000Z' });
  const days = daysOf(items, month);
  expect(days).toHaveLength(28);
  expect([days[0], days[1], days[27]]).toEqual([
    { day: '2026-02-01', cost: 7 },
    { day: '2026-02-02', cost: 0 },
    { day: '2026-02-28', cost: 5 }
  ]);
  expect(monthOf(new Date('2026-01-15T00:00:00Z'), 1).start).toBe('2025-12-01T00:00:00.000Z');
});

test('members add up, the dearest first', () => {
  expect(membersOf(items)).toEqual([
    { name: 'ann', cost: 8 },
    { name: 'bob', cost: 4 }
  ]);
});

test('storage is nobody, and not somebody without a name', () => {
  const stored = { day: '2026-02-01', kind: 'storage' as const, creator: '', cost_micro: 9 };
  expect(membersOf([...items, stored, { ...stored, kind: 'workload', cost_micro: 1 }])).toEqual([
    { name: null, cost: 9 },
    { name: 'ann', cost: 8 },
    { name: 'bob', cost: 4 },
    { name: '', cost: 1 }
  ]);
});

test('the upper line is round and not below the highest bar', () => {
  expect([0, 1, 1.5, 3, 7, 50, 51, 1_200_000].map(roundUp)).toEqual([1, 1, 2, 5, 10, 50, 100, 2_000_000]);
});
