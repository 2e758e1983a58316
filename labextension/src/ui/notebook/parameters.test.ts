import fc from 'fast-check';

import { parametersOf, valueOf } from './parameters';

function tagged(source: string): { id: string; cell_type: string; source: string; metadata: { tags: string[] } }[] {
  return [{ id: 'p', cell_type: 'code', source, metadata: { tags: ['parameters'] } }];
}

test('simple assignments are found, with their types and comments', () => {
  const found = parametersOf(
    tagged(
      [
        '# what to train with',
        'lr = 0.1  # per step',
        'epochs: int = 10',
        "name = 'resnet-\\'50\\''",
        'resume = False',
        'sizes = [64, 32,',
        '  16]  # layers',
        'nested = {\'a\': (1,), "b": None}',
        'computed = lr * 2',
        'call = open("x")',
        'if lr == 1:',
        '    inner = 3',
        'lr2 == 3',
        'late = 1; other = 2',
        'lr = -1_000.5e-1'
      ].join('\n')
    )
  );
  expect(found.map(({ name, text }) => [name, text])).toEqual([
    ['lr', '-1_000.5e-1'],
    ['epochs', '10'],
    ['name', "resnet-'50'"],
    ['resume', 'False'],
    ['sizes', '[64, 32,\n  16]'],
    ['nested', '{\'a\': (1,), "b": None}']
  ]);
  expect(found.map(each => valueOf(each, each.text))).toEqual([
    -100.05,
    10,
    "resnet-'50'",
    false,
    [64, 32, 16],
    { a: [1], b: null }
  ]);
});

test('a notebook without the tag has no parameters', () => {
  expect(parametersOf([{ id: 'a', cell_type: 'code', source: 'x = 1', metadata: {} }])).toEqual([]);
});

test('what is typed is a value of its kind, or none', () => {
  expect(valueOf({ isText: true }, 'a "b"')).toBe('a "b"');
  expect(valueOf({ isText: false }, ' 0x1F ')).toBe(31);
  expect(valueOf({ isText: false }, '(3)')).toBe(3);
  for (const wrong of ['', 'ten', '1 2', '[1', '{1: 2}', 'True + 1', "'a' 'b'", '1.2.3']) {
    expect(valueOf({ isText: false }, wrong)).toBeUndefined();
  }
});

test('every JSON value is read as it is, but for the names Python has for three of them', () => {
  const json = fc.jsonValue({ noUnicodeString: false, stringUnit: fc.constantFrom('a', ' ', 'é', '"', "'", ',') });
  fc.assert(
    fc.property(json, value => {
      const names = { true: 'True', false: 'False', null: 'None' };
      const text = JSON.stringify(value, (_key, each: unknown) =>
        each === true || each === false || each === null ? `@${String(each) as keyof typeof names}@` : each
      ).replace(/"@(true|false|null)@"/g, (_whole, name: keyof typeof names) => names[name]);
      expect(valueOf({ isText: false }, text)).toEqual(JSON.parse(JSON.stringify(value)));
    })
  );
});

test('no source makes it fail', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('ab=:[](){},\'"\\#1.e- \n')) }), source => {
      expect(Array.isArray(parametersOf(tagged(`x = ${source}`)))).toBe(true);
    })
  );
});
