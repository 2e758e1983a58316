import { explained, type JobGlance, metricValue, progress, shares } from './facts';

const words = {
  __: (text: string, ...values: (string | number)[]) => text.replace(/%(\d)/g, (_, at) => String(values[at - 1])),
  _n: (one: string, many: string, n: number, ...values: (string | number)[]) =>
    (n === 1 ? one : many).replace(/%(\d)/g, (_, at) => String([n, ...values][at - 1]))
};

function job(facts: Partial<JobGlance>): JobGlance {
  return {
    name: 'job',
    phase: 'running',
    message: '',
    spec: 'a100',
    replicas: 1,
    running: 1,
    metric: '',
    values: [],
    forecast: null,
    started: '2030-01-01T00:00:00Z',
    ...facts
  } as JobGlance;
}

const told = (facts: Partial<JobGlance>): string =>
  progress(job(facts), words, 'en', Date.parse('2030-01-01T01:04:00Z'));

test('values lie between the least and the greatest; equal ones in the middle', () => {
  expect(shares([2, 4, 3])).toEqual([
    [0, 0],
    [1, 1],
    [2, 0.5]
  ]);
  expect(shares([7, 7])).toEqual([
    [0, 0.5],
    [1, 0.5]
  ]);
});

test.each([
  [{ metric: 'accuracy', values: [0.1, 0.8412] }, '84.1 %'],
  [{ metric: 'val_acc', values: [97] }, '97'],
  [{ metric: 'loss', values: [0.123456] }, '0.1235'],
  [{ metric: '', values: [] }, '']
])('the last value of %j is %s', (facts, shown) => {
  expect(metricValue(job(facts), 'en')).toBe(shown);
});

test.each<[Partial<JobGlance>, string]>([
  [{}, '1 h 04 m'],
  [{ replicas: 8, running: 2, metric: 'loss', values: [1] }, '2/8 nodes'],
  [{ replicas: 8, running: 8, metric: 'loss', values: [1] }, '1'],
  [{ replicas: 8, running: 8 }, '8/8 nodes'],
  [{ phase: 'queued', started: null }, 'queued'],
  [{ phase: 'queued', forecast: { position: 22, p50_seconds: null, p90_seconds: null } }, '22nd'],
  [{ phase: 'queued', forecast: { position: 3, p50_seconds: 840, p90_seconds: 4000 } }, '3rd · ~14 min'],
  [{ phase: 'succeeded', metric: 'loss', values: [0.5] }, '0.5'],
  [{ phase: 'stopped' }, '']
])('%j is told as %s', (facts, text) => {
  expect(told(facts)).toBe(text);
});

test('who points at a waiting one is told why, and when at the latest', () => {
  const forecast = { position: 3, p50_seconds: 840, p90_seconds: 4200 };
  expect(explained(job({ phase: 'queued', started: null, forecast, message: 'No money is left.' }), words, 'en')).toBe(
    [
      'job',
      'No money is left.',
      'It waits for a100: 2 are ahead of it.',
      'Starts in about 14 min (9 of 10 within 1 h 10 min).'
    ].join('\n')
  );
});
