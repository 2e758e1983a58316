import type { WorkloadSummary } from '../../api/queries';
import { ordered, pressed } from './jobOrder';

const job = (name: string, started: string | null, cost = 0): WorkloadSummary =>
  ({ name, started, finished: null, cost_micro: cost, phase: 'running', reason: '', spec: 's' }) as WorkloadSummary;

const names = (jobs: WorkloadSummary[]): string => jobs.map(one => one.name).join('');
const jobs = [job('b', '2026-01-01T00:00:10Z', 3), job('a', null, 1), job('c', '2026-01-01T00:00:00Z', 2)];
const now = Date.parse('2026-01-01T00:01:00Z');

test('jobs are ordered by what is known of them', () => {
  expect(names(ordered(jobs, null, now))).toBe('bac');
  expect(names(ordered(jobs, { column: 'name', down: false }, now))).toBe('abc');
  expect(names(ordered(jobs, { column: 'cost', down: true }, now))).toBe('bca');
  expect(names(ordered(jobs, { column: 'duration', down: false }, now))).toBe('bca');
  expect(names(ordered(jobs, { column: 'duration', down: true }, now))).toBe('cba');
});

test('a title goes around', () => {
  const up = pressed(null, 'name');
  expect(up).toEqual({ column: 'name', down: false });
  expect(pressed(up, 'name')).toEqual({ column: 'name', down: true });
  expect(pressed(pressed(up, 'name'), 'name')).toBe(null);
  expect(pressed(up, 'cost')).toEqual({ column: 'cost', down: false });
});
