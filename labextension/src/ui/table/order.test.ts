import { ordered, pressed } from './order';

const rows = [
  { name: 'job10', size: 3 },
  { name: 'job9', size: null },
  { name: 'Änne', size: 1 }
];

test('numbers in names count as numbers, and letters as the language has them', () => {
  const names = ordered(rows, { column: 'name', down: false }, row => row.name, 'de').map(row => row.name);
  expect(names).toEqual(['Änne', 'job9', 'job10']);
});

test('what has no value comes last, up or down', () => {
  const sizes = (down: boolean) => ordered(rows, { column: 'size', down }, row => row.size, 'en').map(row => row.size);
  expect(sizes(false)).toEqual([1, 3, null]);
  expect(sizes(true)).toEqual([3, 1, null]);
});

test('equal rows stay in the order they came in, and no order leaves all as they came', () => {
  expect(ordered(rows, { column: 'x', down: true }, () => 0, 'en')).toEqual(rows);
  expect(ordered(rows, null, row => row.name, 'en')).toBe(rows);
});

test('pressing a title goes up, down, and back', () => {
  const once = pressed(null, 'a');
  expect(once).toEqual({ column: 'a', down: false });
  expect(pressed(once, 'b')).toEqual({ column: 'b', down: false });
  const twice = pressed(once, 'a');
  expect(twice).toEqual({ column: 'a', down: true });
  expect(pressed(twice, 'a')).toBeNull();
});
