import { wordsOf } from './words';

const words = wordsOf({ 'Stop %1?': ['停止 %1？'], '%1 job': ['%1 个任务'], '%1 of %2': ['%2 中的 %1'] });

test('a text is translated and its values put in, in their own order', () => {
  expect(words.__('Stop %1?', 'a%2b')).toBe('停止 a%2b？');
  expect(words.__('%1 of %2', 1, 3)).toBe('3 中的 1');
});

test('what has no translation stays as it is written', () => {
  expect(words.__('100 %% of %1', 'it')).toBe('100 % of it');
  expect(words.__('%1 and %2', 'one')).toBe('one and %2');
});

test('of a number the first value is the number itself', () => {
  expect(words._n('%1 job', '%1 jobs', 2)).toBe('2 个任务');
  expect(wordsOf({})._n('%1 job', '%1 jobs', 1)).toBe('1 job');
  expect(wordsOf({})._n('%1 job', '%1 jobs', 2)).toBe('2 jobs');
});
