import { LogStore, MAX_LINES, wholeCharacters } from './logStore';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function filled(...pieces: string[]): LogStore {
  const store = new LogStore();
  for (const piece of pieces) {
    store.append(bytes(piece));
  }
  return store;
}

function lines(store: LogStore): string[] {
  return Array.from({ length: store.count }, (_, at) => store.line(at).text);
}

describe('lines', () => {
  test('are what is between line feeds, the unfinished last one too', () => {
    expect(lines(filled('a\nb\n'))).toEqual(['a', 'b']);
    expect(lines(filled('a\nb'))).toEqual(['a', 'b']);
    expect(lines(filled('a\n\nb\n'))).toEqual(['a', '', 'b']);
    expect(lines(filled())).toEqual([]);
  });

  test('grow while they arrive in pieces', () => {
    const store = filled('he', 'llo', ' wor');
    expect(lines(store)).toEqual(['hello wor']);
    store.append(bytes('ld\nü'));
    expect(lines(store)).toEqual(['hello world', 'ü']);
  });

  test('survive characters that are cut in two', () => {
    const [first, second] = [bytes('grün\n').subarray(0, 3), bytes('grün\n').subarray(3)];
    const store = new LogStore();
    store.append(first);
    store.append(second);
    expect(lines(store)).toEqual(['grün']);
  });

  test('that are very long are cut', () => {
    expect(filled('x'.repeat(5000)).line(0).cut).toBe(1000);
  });
});

describe('carriage returns', () => {
  test('start the line over', () => {
    expect(lines(filled('\r 10%\r 50%\r100%\ndone\n'))).toEqual(['100%', 'done']);
    expect(lines(filled(' 10%\r', ' 50%\r'))).toEqual([' 50%']);
  });

  test('before a line feed are part of it', () => {
    expect(lines(filled('a\r\nb\r', '\nc\r\r\n'))).toEqual(['a', 'b', 'c']);
  });

  test('keep no more than the last state', () => {
    const store = filled(...Array.from({ length: 10_000 }, (_, at) => `\rstep ${at}`));
    expect(lines(store)).toEqual(['step 9999']);
    expect(store.bytes).toBe(9);
  });
});

describe('colours', () => {
  test('that are not switched off hold on the next line', () => {
    const store = filled('\x1b[31mred\nstill\x1b[0m\nplain\n');
    expect([0, 1, 2].map(at => store.line(at).look)).toEqual(['', '\x1b[31m', '']);
  });

  test('are seen in pieces', () => {
    expect(filled('\x1b[', '1;3', '2mgreen\nnext').line(1).look).toBe('\x1b[1;32m');
  });
});

describe('reading from the end', () => {
  const text = Array.from({ length: 300 }, (_, at) => `line ${at}\n`).join('');

  test('leaves out the rest of a line, and completes it with what comes before', () => {
    const all = bytes(text);
    const store = new LogStore(1000);
    store.append(all.subarray(1000));
    expect(store.whole).toBe(false);
    const last = store.line(store.count - 1).text;
    for (let start = 1000; start > 0;) {
      const from = Math.max(0, start - 137);
      store.prepend(all.subarray(from, start));
      start = from;
      const known = lines(store);
      expect(known).toEqual(lines(filled(text)).slice(-known.length));
    }
    expect(store.whole).toBe(true);
    expect(store.count).toBe(300);
    expect(store.line(store.count - 1).text).toBe(last);
  });

  test('keeps names of lines', () => {
    const all = bytes(text);
    const store = new LogStore(2000);
    store.append(all.subarray(2000));
    const [index, before] = [5, store.line(5).text];
    store.prepend(all.subarray(0, 2000));
    expect(store.line(index + store.earlier).text).toBe(before);
  });

  test('in the middle of one long line shows it once it is read', () => {
    const store = new LogStore(6);
    store.append(bytes('90%'));
    expect(store.count).toBe(0);
    store.prepend(bytes('10%\r  '));
    expect(lines(store)).toEqual(['  90%']);
    store.append(bytes('\nend'));
    expect(lines(store)).toEqual(['  90%', 'end']);
  });
});

describe('a million lines', () => {
  const block = bytes(Array.from({ length: 10_000 }, (_, at) => `2024-05-01 INFO step ${at} loss=0.1234\n`).join(''));

  test('are read and found fast', () => {
    const store = new LogStore();
    const begun = performance.now();
    for (let at = 0; at < 100; at += 1) {
      store.append(block);
    }
    expect(performance.now() - begun).toBeLessThan(3000);
    expect(store.count).toBe(MAX_LINES);
    expect(store.line(765_432).text).toContain('step 5432 ');
    expect(store.bytes).toBe(100 * block.length);
  });

  test('are the most there are: older ones are dropped and counted', () => {
    const store = new LogStore();
    for (let at = 0; at < 101; at += 1) {
      store.append(block);
    }
    expect(store.count).toBeLessThanOrEqual(MAX_LINES);
    expect(store.count + store.dropped).toBe(1_010_000);
    expect(store.full).toBe(true);
    expect(store.line(store.count - 1).text).toContain('step 9999 ');
    expect(store.earlier).toBe(-store.dropped);
  });
});

test('a character that is cut at the end of a range is left for the next', () => {
  expect(wholeCharacters(bytes('aü'))).toBe(3);
  expect(wholeCharacters(bytes('aü').subarray(0, 2))).toBe(1);
  expect(wholeCharacters(bytes('南').subarray(0, 2))).toBe(0);
  expect(wholeCharacters(bytes('a'))).toBe(1);
  expect(wholeCharacters(bytes('🎃'))).toBe(4);
});
