import { createHash } from 'node:crypto';

import { Sha256 } from './sha256';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1'
  ]
])('FIPS 180: %j', (value, digest) => {
  expect(new Sha256().update(text(value)).hex()).toBe(digest);
});

test('a million letters, in pieces of every length', () => {
  const hash = new Sha256();
  let left = 1_000_000;
  for (let size = 1; left > 0; size = (size % 200) + 1) {
    hash.update(text('a'.repeat(Math.min(size, left))));
    left -= Math.min(size, left);
  }
  expect(hash.hex()).toBe('cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0');
});

test('every length around the ends of blocks', () => {
  for (let size = 0; size < 200; size += 1) {
    const data = Uint8Array.from({ length: size }, (_, at) => (at * 7 + size) % 256);
    expect(new Sha256().update(data).hex()).toBe(createHash('sha256').update(data).digest('hex'));
  }
});
