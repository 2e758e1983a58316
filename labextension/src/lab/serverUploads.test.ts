import { suggestedName } from './serverUploads';

test.each([
  ['data/My Digits', 'my-digits'],
  ['archive.tar.gz', 'archive'],
  ['a/b/table.csv', 'table-csv'],
  ['_x_/', 'x'],
  ['数据', ''],
  ['x'.repeat(80), 'x'.repeat(63)]
])('%j is called %j', (path, name) => {
  expect(suggestedName(path)).toBe(name);
});
