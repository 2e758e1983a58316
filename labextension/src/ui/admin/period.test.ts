import { addressWith, dayOf, momentOf, monthOf } from './period';

test('a month is from its first moment to the next one, over the turn of the year too', () => {
  const now = new Date('2026-01-31T23:59:59Z');
  expect(monthOf(now, 0)).toEqual({ start: '2026-01-01T00:00:00.000Z', end: '2026-02-01T00:00:00.000Z' });
  expect(monthOf(now, 2)).toEqual({ start: '2025-11-01T00:00:00.000Z', end: '2025-12-01T00:00:00.000Z' });
});

test('a day is twenty-four hours of its zone, the last of a month too', () => {
  expect(dayOf('2026-02-28')).toBe(new Date(2026, 1, 28).toISOString());
  expect(dayOf('2026-02-28', true)).toBe(new Date(2026, 2, 1).toISOString());
  expect(dayOf('')).toBeUndefined();
});

test('a half-typed time is none', () => {
  expect(momentOf('2026-02-28T10:00')).toBe(new Date(2026, 1, 28, 10).toISOString());
  expect(momentOf('')).toBeUndefined();
});

test('an address carries what is said and nothing else, escaped', () => {
  expect(addressWith('/x', { a: 'b&c', d: '', e: undefined })).toBe('/x?a=b%26c');
  expect(addressWith('/x', { d: '' })).toBe('/x');
});
