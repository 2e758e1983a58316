import { type JobEvent, merged, segments } from './timeline';

let next = 0;
function event(type: string, seconds: number): JobEvent {
  next += 1;
  return {
    id: String(next).padStart(4, '0'),
    time: new Date(seconds * 1000).toISOString(),
    source: 'pipeline',
    type,
    message: '',
    detail: {}
  };
}

const lasted = (events: JobEvent[]): [string, number, number | null][] =>
  segments(events).map(({ phase, attempt, from, to }) => [phase, attempt, to === null ? null : (to - from) / 1000]);

test('a job that runs', () => {
  expect(lasted([event('queued', 0), event('placed', 180), event('preparing', 181), event('running', 192)])).toEqual([
    ['queued', 1, 180],
    ['preparing', 1, 12],
    ['running', 1, null]
  ]);
});

test('a job that failed, was tried again, and was stopped', () => {
  const events = [
    event('queued', 0),
    event('placed', 1),
    event('running', 2),
    event('ending', 10),
    event('retry', 11),
    event('placed', 16),
    event('running', 17),
    event('stop', 20),
    event('ending', 21),
    event('stopped', 22)
  ];
  expect(lasted(events)).toEqual([
    ['queued', 1, 1],
    ['preparing', 1, 1],
    ['running', 1, 8],
    ['stopping', 1, 1],
    ['queued', 2, 5],
    ['preparing', 2, 1],
    ['running', 2, 3],
    ['stopping', 2, 2],
    ['stopped', 2, 0]
  ]);
  expect(lasted([...events].reverse())).toEqual(lasted(events));
});

test('events are known once', () => {
  const [a, b] = [event('queued', 0), event('placed', 1)];
  expect(merged([b], [a, b])).toEqual([a, b]);
});
