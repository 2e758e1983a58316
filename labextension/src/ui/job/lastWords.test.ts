import { lastWords } from './lastWords';
import { reference } from './reference';

const numbered = (count: number, word = 'line'): string[] => Array.from({ length: count }, (_, at) => `${word} ${at}`);

test('the last thirty lines', () => {
  expect(lastWords(numbered(100).join('\n') + '\n\n', false)).toEqual(numbered(100).slice(-30));
  expect(lastWords('one\ntwo\n', false)).toEqual(['one', 'two']);
  expect(lastWords('', false)).toEqual([]);
});

test('a first line that is cut is left out', () => {
  expect(lastWords('ne\ntwo', true)).toEqual(['two']);
  expect(lastWords('ne', true)).toEqual(['ne']);
});

test('a longer traceback is shown from its beginning', () => {
  const traceback = ['\x1b[31mTraceback (most recent call last):\x1b[0m', ...numbered(50, '  File')];
  expect(lastWords([...numbered(10), ...traceback].join('\n'), false)).toEqual(traceback);
  const endless = ['Traceback (most recent call last):', ...numbered(500, '  File')];
  expect(lastWords(endless.join('\n'), false)).toHaveLength(30);
});

test('progress bars keep their last state', () => {
  expect(lastWords(' 10%\r 20%\r100%\r\ndone', false)).toEqual(['100%', 'done']);
});

test('references have parts', () => {
  expect(reference('vision-lab/digits@3')).toEqual({ workspace: 'vision-lab', name: 'digits', version: 3 });
  expect(reference('a/b')).toEqual({ workspace: 'a', name: 'b', version: undefined });
  expect(reference('')).toBe(null);
});
