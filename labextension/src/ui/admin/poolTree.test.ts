import { inTrees } from './poolTree';
import type { Pool } from './queries';

const pool = (name: string, parent = ''): Pool => ({ name, parent }) as Pool;

describe('pools and their parts', () => {
  it('puts each below the one that it is a part of', () => {
    const pools = [pool('talk', 'nlp'), pool('all'), pool('nlp', 'lab'), pool('lab'), pool('vision', 'lab')];
    expect(inTrees(pools).map(({ pool: { name }, depth }) => `${depth} ${name}`)).toEqual([
      '0 all',
      '0 lab',
      '1 nlp',
      '2 talk',
      '1 vision'
    ]);
  });

  it('shows one whose parent is not listed', () => {
    expect(inTrees([pool('vision', 'lab')])).toEqual([{ pool: pool('vision', 'lab'), depth: 0 }]);
  });
});
