import { delimiterOf, parseCsv } from './csv';

const rows = (text: string): string[][] => parseCsv(text, ',', 100, true).rows;

describe('CSV', () => {
  test.each<[string, string[][]]>([
    [
      'aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n',
      [
        ['aaa', 'bbb', 'ccc'],
        ['zzz', 'yyy', 'xxx']
      ]
    ],
    [
      'aaa,bbb,ccc\nzzz,yyy,xxx',
      [
        ['aaa', 'bbb', 'ccc'],
        ['zzz', 'yyy', 'xxx']
      ]
    ],
    [
      '"aaa","b \r\nbb","ccc"\r\nzzz,yyy,xxx',
      [
        ['aaa', 'b \r\nbb', 'ccc'],
        ['zzz', 'yyy', 'xxx']
      ]
    ],
    ['"aaa","b""bb","ccc"', [['aaa', 'b"bb', 'ccc']]],
    ['"a,b",c', [['a,b', 'c']]],
    ['a, b ,c', [['a', ' b ', 'c']]],
    [
      'a,,\n,,',
      [
        ['a', '', ''],
        ['', '', '']
      ]
    ],
    ['""', [['']]],
    ['a\rb\r', [['a'], ['b']]],
    ['\ufeffa,b\n', [['a', 'b']]],
    ['a"b,c', [['a"b', 'c']]],
    ['"a"b,c', [['ab', 'c']]],
    ['"open, and no end\n', [['open, and no end\n']]],
    ['', []]
  ])('%j', (text, expected) => {
    expect(rows(text)).toEqual(expected);
  });

  test('stops after so many records, and says that there are more', () => {
    expect(parseCsv('a\nb\nc\n', ',', 2, true)).toEqual({ rows: [['a'], ['b']], more: true });
    expect(parseCsv('a\nb\nc', ',', 2, true)).toEqual({ rows: [['a'], ['b']], more: true });
    expect(parseCsv('a\nb\n', ',', 2, true)).toEqual({ rows: [['a'], ['b']], more: false });
  });

  test('leaves out a record that is cut off', () => {
    expect(parseCsv('a,b\n1,"2', ',', 9, false)).toEqual({ rows: [['a', 'b']], more: true });
    expect(parseCsv('a,b\n1,2', ',', 9, false)).toEqual({ rows: [['a', 'b']], more: true });
  });

  test('knows delimiters', () => {
    expect(delimiterOf('x.tsv', 'a,b')).toBe('\t');
    expect(delimiterOf('x.csv', 'a;b;"c,d"\n1,2,3,4,5')).toBe(';');
    expect(delimiterOf('x.csv', 'a')).toBe(',');
  });
});
