import { archiveFormat } from './archive';
import { Packer, type Piece } from './packs';
import { Rate } from './rate';
import { throughBase } from './send';

const piece = (hash: string, size: number): Piece => ({ hash, size, data: new Blob() });

describe('packs', () => {
  test('are full after so many bytes, with the chunk that fills them', () => {
    const packer = new Packer(10);
    expect(packer.add(piece('a', 4))).toBeNull();
    expect(packer.add(piece('b', 8))).toMatchObject({ bytes: 12, pieces: [{ hash: 'a' }, { hash: 'b' }] });
    expect(packer.take()).toBeNull();
  });

  test('are full after so many chunks', () => {
    const packer = new Packer(100, 2);
    packer.add(piece('a', 1));
    expect(packer.add(piece('b', 1))?.pieces).toHaveLength(2);
  });

  test('hold each content once, and none that is empty', () => {
    const packer = new Packer(100);
    packer.add(piece('a', 4));
    packer.add(piece('a', 4));
    packer.add(piece('e', 0));
    expect(packer.has('a')).toBe(true);
    expect(packer.take()).toMatchObject({ bytes: 4, pieces: [{ hash: 'a' }] });
    packer.add(piece('a', 4));
    expect(packer.take()).toBeNull();
  });
});

test('archives are known by their names', () => {
  expect(archiveFormat('Digits.ZIP')).toBe('zip');
  expect(archiveFormat('digits.tar.gz')).toBe('tar');
  expect(archiveFormat('digits.csv.gz')).toBeNull();
});

test('signed URLs of the platform go through the door to the API, others as they are', () => {
  const signed = '/hub/services/pumpkin/api/v1/objects/packs/01J?expires=1&size=2&signature=3';
  expect(throughBase('/user/ada/pumpkin/api', signed)).toBe(
    '/user/ada/pumpkin/api/objects/packs/01J?expires=1&size=2&signature=3'
  );
  expect(throughBase('/x', 'https://s3.example/b/k?X=1')).toBe('https://s3.example/b/k?X=1');
});

test('a rate is over the last seconds', () => {
  const rate = new Rate();
  rate.add(0, 0);
  expect(rate.perSecond()).toBe(0);
  for (let second = 1; second <= 20; second += 1) {
    rate.add(second * 100, second * 1000);
  }
  expect(rate.perSecond()).toBe(100);
  rate.add(2000, 40_000);
  rate.add(2000, 60_000);
  expect(rate.perSecond()).toBe(0);
});
