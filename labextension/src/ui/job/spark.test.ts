import { sparkPath } from './spark';

test('a path fills the box', () => {
  expect(
    sparkPath(
      [
        [0, 0],
        [5, 0.5],
        [10, 1]
      ],
      100,
      20
    )
  ).toBe('M0 20L50 10L100 0');
});

test('it is parted where nothing was measured, and bounded', () => {
  expect(
    sparkPath(
      [
        [0, 0],
        [1, 2],
        [9, 1],
        [10, -1]
      ],
      10,
      10,
      3
    )
  ).toBe('M0 10L1 0M9 0L10 10');
});

test('a peak survives thinning', () => {
  const points = Array.from({ length: 1000 }, (_, at): [number, number] => [at, at === 501 ? 1 : 0]);
  const path = sparkPath(points, 50, 10);
  expect(path).toContain(' 0');
  expect(path.split('L').length).toBe(50);
});
