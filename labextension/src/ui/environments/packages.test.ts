import { differences, matching, refusedLines } from './packages';

test('what came, went and changed, by name', () => {
  const before = { numpy: '2.0', six: '1.17', toString: '1' };
  expect(differences(before, { numpy: '2.1', attrs: '25.1', toString: '1' })).toEqual([
    { name: 'attrs', change: 'added', before: '', after: '25.1' },
    { name: 'numpy', change: 'changed', before: '2.0', after: '2.1' },
    { name: 'six', change: 'removed', before: '1.17', after: '' }
  ]);
  expect(differences(before, before)).toEqual([]);
});

test('a search finds a package however its name is written', () => {
  const packages = { 'typing-extensions': '4', typer: '1', zope: '2' };
  expect(matching(packages, 'Typing_Ext')).toEqual([['typing-extensions', '4']]);
  expect(matching(packages, 'typ e').map(([name]) => name)).toEqual(['typer', 'typing-extensions']);
  expect(matching(packages, ' ')).toHaveLength(3);
});

test('refusals name their line where it is one of the text', () => {
  const errors = [
    { field: 'requirements.3', message: 'a' },
    { field: 'requirements', message: 'b' },
    { field: 'name', message: 'c' }
  ];
  expect(refusedLines(errors, 'requirements')).toEqual([
    { line: 3, message: 'a' },
    { line: null, message: 'b' }
  ]);
  expect(refusedLines([{ field: 'pyproject.0', message: 'd' }], 'pyproject')).toEqual([{ line: null, message: 'd' }]);
});
