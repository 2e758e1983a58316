import { deletedNumbers, encodePath, formOf, isText, parseReference } from './files';

test('forms by name', () => {
  expect(['a.PNG', 'a.tsv', 'a.ipynb', 'a.py', 'LICENSE', 'png'].map(formOf)).toEqual([
    'image',
    'table',
    'notebook',
    'text',
    'text',
    'text'
  ]);
});

test('text has no NUL', () => {
  expect(isText(new TextEncoder().encode('grüß'))).toBe(true);
  expect(isText(Uint8Array.of(80, 75, 0))).toBe(false);
});

test('paths keep their slashes', () => {
  expect(encodePath('a b/c#?.csv')).toBe('a%20b/c%23%3F.csv');
});

test('gaps are deleted versions', () => {
  expect(deletedNumbers([5, 4, 2], 5, true)).toEqual([3, 1]);
  expect(deletedNumbers([5, 4, 2], 5, false)).toEqual([3]);
  expect(deletedNumbers([3], 5, false)).toEqual([5, 4]);
  expect(deletedNumbers([], 0, true)).toEqual([]);
});

test('references in full', () => {
  expect(parseReference('ada@example.org/digits@3')).toEqual({
    workspace: 'ada@example.org',
    name: 'digits',
    version: 3
  });
  expect(parseReference('digits@3')).toBeNull();
});
