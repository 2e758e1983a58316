import { LogSearch, nextFound } from './logSearch';
import { LogStore } from './logStore';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function search(text: string, needle: string): number[] {
  const store = new LogStore();
  store.append(bytes(text));
  const found = new LogSearch(store, needle);
  expect(found.step(1000)).toBe(true);
  return found.found;
}

test('finds each line once, whatever its case and colours', () => {
  expect(search('Error\nfine\nan error, one more error\n\n', 'error')).toEqual([0, 2]);
  expect(search('e\x1b[31mrr\x1b[0mor', 'error')).toEqual([0]);
  expect(search('a\nb\n', 'zzz')).toEqual([]);
  expect(search('a\nb\n', '')).toEqual([]);
  expect(search('last', 'las')).toEqual([0]);
});

test('goes on with what arrives, the growing last line included', () => {
  const store = new LogStore();
  store.append(bytes('one\ntw'));
  const found = new LogSearch(store, 'two');
  found.step(1000);
  expect(found.found).toEqual([]);
  store.append(bytes('o\nthree\ntwo'));
  found.step(1000);
  expect(found.found).toEqual([1, 3]);
  store.append(bytes('\n'));
  found.step(1000);
  expect(found.found).toEqual([1, 3]);
});

test('keeps what it found when earlier lines are put before', () => {
  const text = Array.from({ length: 100 }, (_, at) => `line ${at}${at % 10 === 0 ? ' x' : ''}\n`).join('');
  const all = bytes(text);
  const store = new LogStore(500);
  store.append(all.subarray(500));
  const found = new LogSearch(store, 'x');
  found.step(1000);
  const before = found.found.length;
  store.prepend(all.subarray(0, 500));
  expect(found.step(1000)).toBe(true);
  expect(found.found.length).toBe(10);
  expect(before).toBeLessThan(10);
  expect(found.found.map(name => store.line(name + store.earlier).text)).toEqual(
    Array.from({ length: 10 }, (_, at) => `line ${at * 10} x`)
  );
});

test('a million lines are looked through in slices', () => {
  const store = new LogStore();
  const block = bytes(Array.from({ length: 10_000 }, (_, at) => `INFO step ${at} loss=0.1234\n`).join(''));
  for (let at = 0; at < 100; at += 1) {
    store.append(block);
  }
  const found = new LogSearch(store, 'step 9999 ');
  let steps = 0;
  let longest = 0;
  for (let done = false; !done; steps += 1) {
    const begun = performance.now();
    done = found.step(8);
    longest = Math.max(longest, performance.now() - begun);
  }
  expect(found.found.length).toBe(100);
  expect(found.found[0]).toBe(9999);
  expect(longest).toBeLessThan(200);
});

test('the next one goes around', () => {
  expect(nextFound([2, 5, 9], 5, 1)).toBe(2);
  expect(nextFound([2, 5, 9], 9, 1)).toBe(0);
  expect(nextFound([2, 5, 9], 2, -1)).toBe(2);
  expect(nextFound([2, 5, 9], 6, -1)).toBe(1);
  expect(nextFound([], 0, 1)).toBe(-1);
});
