import { bytesOfGib, gibOf, microOf, plain } from './amount';

test('an amount is exact to the millionth, with a point or a comma', () => {
  expect(microOf('12.50')).toBe(12_500_000);
  expect(microOf(' 0,000001 ')).toBe(1);
  expect(microOf('-3')).toBe(-3_000_000);
  expect(microOf('−3.1')).toBe(-3_100_000);
  expect(microOf('0.1')).toBe(100_000);
});

test('what is no amount is none', () => {
  for (const text of ['', ' ', '1.', '.5', '1e3', '1,000.50', '0.0000001', '12 000', '¥3', '-', '1234567890']) {
    expect(microOf(text)).toBeNull();
  }
});

test('every amount is read back as it was written', () => {
  for (const micro of [0, 1, -1, 999_999, 1_000_000, -12_500_000, 123_456_789_000_001]) {
    expect(microOf(plain(micro))).toBe(micro);
  }
  expect(plain(-12_500_000)).toBe('-12.5');
});

test('storage is typed in GiB and kept in bytes', () => {
  expect(bytesOfGib('1.5')).toBe(1_610_612_736);
  expect(bytesOfGib(' ')).toBeNull();
  for (const bytes of [0, 1, 5_000_000_000, 2 ** 40 + 1]) {
    expect(bytesOfGib(gibOf(bytes))).toBe(bytes);
  }
});
