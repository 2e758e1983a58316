import { bytesOf, coresText, gibText, microOf, milliOf, namesOf, priceText } from './amounts';

test.each([
  ['12', 12_000_000],
  ['0.15', 150_000],
  ['0', 0],
  ['1.000001', 1_000_001],
  ['', null],
  ['-1', null],
  ['12 yen', null]
])('a price of %s', (text, micro) => {
  expect(microOf(text)).toBe(micro);
});

test('what is written is what is read', () => {
  expect(milliOf(coresText(1500))).toBe(1500);
  expect(bytesOf(gibText(3 * 2 ** 30))).toBe(3 * 2 ** 30);
  expect(microOf(priceText(12_345_678))).toBe(12_345_678);
});

test('names stand between commas, spaces and Chinese commas, each once', () => {
  expect(namesOf(' lab, vision-lab，mia  lab ')).toEqual(['lab', 'vision-lab', 'mia']);
  expect(namesOf(' ')).toEqual([]);
});
