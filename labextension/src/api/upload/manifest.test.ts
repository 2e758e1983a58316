import { comparePaths, encodeLine, fingerprint, pathFault, plan, type Line, type Source } from './manifest';
import { Sha256, sha256 } from './sha256';

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

// The identity the platform's own `manifest.write` gives these files.
const IDENTITY = '30449be102fce2de25822fe3c705348c8a09da9c421830997f91b5e27c2302cc';
const FILES: Record<string, Uint8Array<ArrayBuffer>> = {
  '🎃.bin': Uint8Array.from({ length: 256 }, (_, at) => at),
  '\uffee': bytes('z'),
  'train/é "x".csv': bytes('a,b\n1,2\n'),
  empty: bytes(''),
  'a.txt': bytes('hello\n')
};

function source(path: string, content: Uint8Array<ArrayBuffer> | string = 'x'): Source {
  return { path, file: new Blob([content]) };
}

describe('a manifest', () => {
  test('has the identity the platform computes', async () => {
    const identity = new Sha256();
    const paths = Object.keys(FILES).sort(comparePaths);
    for (const path of paths) {
      const content = FILES[path] ?? bytes('');
      const hash = await sha256(content);
      const chunks = content.length > 0 ? [{ hash, size: content.length }] : [];
      const line: Line = { path, size: content.length, mode: 420, sha256: hash, chunks };
      identity.update(bytes(encodeLine(line)));
    }
    expect(identity.hex()).toBe(IDENTITY);
  });

  test('is one line of JSON for each file, in the format’s order of fields', () => {
    const hash = '0'.repeat(64);
    const line: Line = { path: 'train/a.csv', size: 2000, mode: 420, sha256: hash, chunks: [{ hash, size: 2000 }] };
    expect(encodeLine(line)).toBe(
      `{"path":"train/a.csv","size":2000,"mode":420,"sha256":"${hash}","chunks":[{"hash":"${hash}","size":2000}]}\n`
    );
  });

  test('is sorted by the UTF-8 bytes of paths', () => {
    const sorted = ['a', 'a b', 'a/b', 'a0', 'b', 'é', '\uffee', '😀', '😀x'];
    expect([...sorted].reverse().sort(comparePaths)).toEqual(sorted);
    const byBytes = [...sorted].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(byBytes).toEqual(sorted);
  });
});

describe('paths', () => {
  test.each([
    ['', 'empty'],
    ['a\nb', 'control'],
    ['a\u007f', 'control'],
    ['a\ud800', 'encoding'],
    ['/etc', 'absolute'],
    ['c:x', 'absolute'],
    ['a\\b', 'backslash'],
    ['a/../b', 'dots'],
    ['a//b', 'dots'],
    ['é'.repeat(128), 'part'],
    [`${'a/'.repeat(512)}a`, 'long'],
    ['train/é "x".csv', null],
    ['a..b/.hidden', null]
  ])('%j', (path, fault) => {
    expect(pathFault(path)).toBe(fault);
  });
});

describe('what was chosen', () => {
  test('loses the one folder around it all, and what is never part of a version', () => {
    const chosen = ['data/b', 'data/a/1', 'data/.git/HEAD', 'data/a/__pycache__/x.pyc', 'data/.DS_Store'];
    const made = plan(chosen.map(path => source(path)));
    expect(made.files.map(({ path }) => path)).toEqual(['a/1', 'b']);
    expect(made).toMatchObject({ leftOut: 3, bytes: 2, faults: [] });
  });

  test('keeps its folders when there are several', () => {
    expect(plan([source('train/a'), source('test/a')]).files.map(({ path }) => path)).toEqual(['test/a', 'train/a']);
    expect(plan([source('train/a'), source('readme')]).files.map(({ path }) => path)).toEqual(['readme', 'train/a']);
  });

  test('names what cannot be in a version', () => {
    expect(plan([source('a'), source('a'), source('b\\c')]).faults).toEqual([
      { path: 'a', fault: 'twice' },
      { path: 'b\\c', fault: 'backslash' }
    ]);
  });

  test('is known again by names and sizes', () => {
    const one = [source('a', 'xx'), source('b', 'y')];
    expect(fingerprint(one)).toBe(fingerprint([source('a', 'zz'), source('b', 'y')]));
    expect(fingerprint(one)).not.toBe(fingerprint([source('a', 'x'), source('b', 'yy')]));
  });
});
