import { lastOf, MetricStore, type Point, valueAt } from './metricStore';

let next = 0;
function point(name: string, step: number, value: number | null, seconds = step): Point {
  next += 1;
  return {
    id: String(next).padStart(6, '0'),
    attempt: 1,
    name,
    step,
    value,
    time: new Date(1000 * (100 + seconds)).toISOString()
  };
}

test('points become curves by step and by time', () => {
  const store = new MetricStore(100_000);
  store.add([point('loss', 1, 0.5, 10), point('acc', 1, 0.1, 10), point('loss', 2, 0.4, 20)]);
  expect(store.names).toEqual(['loss', 'acc']);
  expect(store.curve('loss', 'step')).toEqual({ x: [1, 2], y: [0.5, 0.4] });
  expect(store.curve('loss', 'time')).toEqual({ x: [10, 20], y: [0.5, 0.4] });
  expect(store.curve('nothing', 'step')).toEqual({ x: [], y: [] });
});

test('steps that come again replace those before', () => {
  const store = new MetricStore(0);
  store.add([point('loss', 1, 9), point('loss', 2, 8), point('loss', 3, 7), point('loss', 2, 5), point('loss', 4, 3)]);
  expect(store.curve('loss', 'step')).toEqual({ x: [1, 2, 3, 4], y: [9, 5, 7, 3] });
});

test('what is known is not added again, and a curve is made anew after an addition', () => {
  const store = new MetricStore(0);
  const first = point('loss', 1, 1);
  store.add([first]);
  expect(store.curve('loss', 'step').x).toEqual([1]);
  store.add([first, point('loss', 2, null)]);
  expect(store.curve('loss', 'step')).toEqual({ x: [1, 2], y: [1, null] });
  expect(lastOf(store.curve('loss', 'step'))).toEqual({ x: 1, y: 1 });
});

test('the value at a place is the nearest one', () => {
  const curve = { x: [0, 10, 20], y: [1, 2, 3] };
  expect(valueAt(curve, 4)).toBe(1);
  expect(valueAt(curve, 6)).toBe(2);
  expect(valueAt(curve, 20)).toBe(3);
  expect(valueAt(curve, 21)).toBe(null);
  expect(valueAt({ x: [], y: [] }, 1)).toBe(null);
});
