import { Ended, type Job } from './ended';

function job(id: string, phase: Job['phase'], finished: string | null = null, creator = 'ann'): Job {
  return { id, phase, finished, creator } as Job;
}

function glance(...items: Job[]) {
  const open = items.filter(({ phase }) => ['preparing', 'running', 'stopping'].includes(phase));
  return { items, running: open.length, queued: 0 };
}

const ids = (jobs: Job[]): string[] => jobs.map(({ id }) => id);

test('what had ended before the first look is no news, also when it is listed later', () => {
  const ended = new Ended('ann');
  expect(ended.look(glance(job('b', 'failed', '2030-01-02'))).ended).toEqual([]);
  expect(ended.look(glance(job('b', 'failed', '2030-01-02'), job('a', 'failed', '2030-01-01'))).ended).toEqual([]);
});

test('an end is told once, and nobody else’s', () => {
  const ended = new Ended('ann');
  ended.look(glance(job('a', 'running'), job('x', 'running', null, 'ben')));
  const after = glance(job('a', 'succeeded', '2030-01-01'), job('x', 'failed', '2030-01-01', 'ben'));
  expect(ids(ended.look(after).ended)).toEqual(['a']);
  expect(ended.look(after)).toEqual({ ended: [], gone: [] });
});

test('one that began and ended between two looks is told', () => {
  const ended = new Ended('ann');
  ended.look(glance());
  expect(ids(ended.look(glance(job('a', 'succeeded', '2030-01-01'))).ended)).toEqual(['a']);
});

test('one that ran and is not listed any more has to be asked for, once, unless not all that run are listed', () => {
  const ended = new Ended('ann');
  ended.look(glance(job('a', 'running'), job('b', 'running')));
  const partly = { ...glance(job('b', 'running')), running: 40 };
  expect(ended.look(partly).gone).toEqual([]);
  expect(ended.look(glance(job('b', 'running'))).gone).toEqual(['a']);
  expect(ended.look(glance(job('b', 'running'))).gone).toEqual([]);
});
