import { joinWords, splitWords } from './shellwords';
import { firstChoice, inOrder, roughly, type Spec, suggest, waitText } from './specs';
import { fromAmount, fromSpan, parseEnv, parseLabels, parseReference, toAmount, toSpan } from './values';

test('words are quoted as a shell reads them', () => {
  expect(splitWords(`a 'b c' "d \\"e\\" \\n" f\\ g h\\\ni ''`)).toEqual(['a', 'b c', 'd "e" \\n', 'f g', 'hi', '']);
  expect(joinWords(['a', 'b c', "d'e", ''])).toBe(`a 'b c' 'd'"'"'e' ''`);
  expect(splitWords('  ')).toEqual([]);
  expect(['"', "'a", 'a\\'].map(splitWords)).toEqual([null, null, null]);
});

test('pasted variables', () => {
  expect(parseEnv('# mine\nexport A="x y"\nB=\n\n  C=a=b\r\n')).toEqual([
    { name: 'A', value: 'x y' },
    { name: 'B', value: '' },
    { name: 'C', value: 'a=b' }
  ]);
  expect(parseEnv('hello')).toBeNull();
  expect(parseEnv('A=1\nhello')).toBeNull();
  expect(parseEnv('')).toBeNull();
});

test('times, money and labels as typed', () => {
  expect(toSpan(5400)).toEqual({ amount: '90', unit: 'min' });
  expect(fromSpan({ amount: '1.5', unit: 'h' })).toBe(5400);
  expect([toAmount(10_000_000), toAmount(1_500_000), toAmount(0), toAmount(1)]).toEqual(['10', '1.5', '0', '0.000001']);
  expect([fromAmount('1,5'), fromAmount(''), fromAmount('-1'), fromAmount('2.')]).toEqual([
    1_500_000,
    null,
    undefined,
    2_000_000
  ]);
  expect(parseLabels(' a,, b c ,')).toEqual(['a', 'b c']);
});

test('references', () => {
  expect(parseReference('me@example.org/a')).toEqual({
    base: 'me@example.org/a',
    workspace: 'me@example.org',
    name: 'a',
    version: ''
  });
  expect(parseReference('lab/a@3')).toEqual({ base: 'lab/a', workspace: 'lab', name: 'a', version: '3' });
  expect(parseReference('a')).toEqual({ base: 'a', workspace: '', name: 'a', version: '' });
});

describe('specs', () => {
  const spec = (name: string, price: number, gpus = 0, type = ''): Spec => ({
    name,
    description: '',
    cpu_milli: 1000,
    memory: 1,
    accelerators: gpus,
    accelerator_type: type,
    price_micro: price
  });
  const all = [
    spec('big', 9, 8, 'A100'),
    spec('one', 3, 1, 'A100'),
    spec('cpu', 0),
    spec('two', 5, 2, 'A100'),
    spec('t4', 1, 1, 'T4')
  ];

  test('in order', () => expect(inOrder(all).map(each => each.name)).toEqual(['cpu', 't4', 'one', 'two', 'big']));

  test.each([
    ['', 'cpu'],
    ['one', 'two'],
    ['t4', undefined],
    ['unknown', 'cpu']
  ])('what would do for "%s"', (wanted, found) =>
    expect(suggest(all, new Set(['cpu', 'two', 'big']), wanted)).toBe(found)
  );

  test('what a form begins with', () => {
    expect(firstChoice(all, new Set(['two']))).toBe('two');
    expect(firstChoice(all, new Set())).toBe(inOrder(all)[0]?.name);
    expect(firstChoice(all, undefined)).toBe(inOrder(all)[0]?.name);
    expect(firstChoice([], undefined)).toBe('');
  });

  test('waits in words', () => {
    const words = {
      __: (text: string, ...values: (string | number)[]) =>
        text.replace(/%(\d)/g, (_, at) => String(values[Number(at) - 1])),
      _n: (one: string) => one
    };
    expect(waitText({ now: true, ahead: 0 }, words)).toBe('free now');
    expect(waitText({ now: false, ahead: 0, p50: null }, words)).toBe('next in line');
    expect(waitText({ now: false, ahead: 3, p50: 1500, p90: 4200 }, words)).toBe(
      '3 ahead, about 25 min (90 %: 1 h 10 min)'
    );
    expect([4, 3600, 86400 * 3].map(roughly)).toEqual(['4 s', '1 h', '3 d']);
  });
});
