import { cronOf, inWords, planOf, START, wallClock } from './cron';

test.each([
  ['15 * * * *', { preset: 'hourly', minute: 15 }],
  ['0 3 * * *', { preset: 'daily', time: '03:00' }],
  ['30 23 * * 1', { preset: 'weekly', time: '23:30', weekday: 1 }],
  ['5 0 31 * *', { preset: 'monthly', time: '00:05', day: 31 }]
])('%s is a preset, and comes back', (cron, plan) => {
  expect(planOf(cron)).toMatchObject(plan);
  expect(cronOf(planOf(cron))).toBe(cron);
});

test.each([
  '*/5 * * * *',
  '0 9-17 * * 1-5',
  '0 0 1 1 *',
  '0 0 1 * 1',
  '0 0 0 * *',
  '60 * * * *',
  '0 24 * * *',
  '0 * 1 * *',
  '0 * * *',
  '0 0 * * MON',
  ''
])('%s is custom, and stays as it is', cron => {
  expect(planOf(cron).preset).toBe('custom');
  expect(cronOf(planOf(cron))).toBe(cron);
});

test('Sunday has two numbers', () => {
  expect(cronOf(planOf('0 0 * * 7'))).toBe('0 0 * * 0');
});

test('what one preset holds is kept while another is looked at', () => {
  const plan = { ...START, preset: 'monthly' as const, day: 7, time: '04:20' };
  expect(cronOf({ ...plan, preset: 'daily' })).toBe('20 4 * * *');
  expect(cronOf(plan)).toBe('20 4 7 * *');
});

test('words', () => {
  expect(inWords('0 3 * * *', 'en')).toBe('At 03:00, every day');
  expect(inWords('* * * * *', 'en')).toBe('Every minute');
  expect(inWords('*/15 9-17 * * 1-5', 'en')).toContain('Monday through Friday');
  expect(inWords('0 3 * * *', 'zh-CN')).toMatch(/03:00/);
  expect(inWords('0 3 * * *', 'zh-CN')).toMatch(/[\u4e00-\u9fff]/);
  expect(inWords('not cron', 'en')).toBe('not cron');
});

test('a wall clock shows summer time', () => {
  expect(wallClock('2026-03-28T01:30:00Z', 'Europe/Berlin', 'en')).toContain('02:30');
  expect(wallClock('2026-03-30T00:30:00Z', 'Europe/Berlin', 'en')).toContain('02:30');
  expect(wallClock('2026-03-30T00:30:00Z', 'Europe/Berlin', 'en')).toContain('Mon');
});
