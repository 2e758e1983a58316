import { pieces, plain } from './ansi';

const short = (...args: Parameters<typeof pieces>): [string, string, boolean][] =>
  pieces(...args).map(({ text, className, hit }) => [text, className, hit]);

test('a plain line is one piece', () => {
  expect(short('<b>hello</b>')).toEqual([['<b>hello</b>', '', false]]);
});

test('colours become classes', () => {
  expect(short('\x1b[31mred\x1b[0m and \x1b[1;32mgreen')).toEqual([
    ['red', 'pk-ansi-red', false],
    [' and ', '', false],
    ['green', 'pk-ansi-green pk-ansi-bold', false]
  ]);
  expect(short('\x1b[91mbright')).toEqual([['bright', 'pk-ansi-bright-red', false]]);
  expect(short('\x1b[41mon\x1b[49m off')[0]).toEqual(['on', 'pk-ansi-on-red', false]);
});

test('colours of earlier lines hold', () => {
  expect(short('still', '\x1b[33m')).toEqual([['still', 'pk-ansi-yellow', false]]);
});

test('colours of the palette and true colours become the nearest one', () => {
  expect(short('\x1b[38;5;196mx')[0]?.[1]).toBe('pk-ansi-red');
  expect(short('\x1b[38;5;9mx')[0]?.[1]).toBe('pk-ansi-bright-red');
  expect(short('\x1b[38;5;244mx')[0]?.[1]).toBe('pk-ansi-bright-black');
  expect(short('\x1b[38;2;80;200;120mx')[0]?.[1]).toBe('pk-ansi-green');
});

test('other escapes are left out', () => {
  expect(short('\x1b[2Ka\x1b[1Ab\x1b]0;title\x07c')).toEqual([['abc', '', false]]);
  expect(plain('\x1b[2K\x1b[1;31ma\x1b[0m\x1b]8;;http://x\x1b\\b')).toBe('ab');
});

test('what is searched for is marked across colours, whatever its case', () => {
  expect(short('\x1b[31mER\x1b[32mROR\x1b[0m: error', '', 'error')).toEqual([
    ['ER', 'pk-ansi-red', true],
    ['ROR', 'pk-ansi-green', true],
    [': ', '', false],
    ['error', '', true]
  ]);
});
