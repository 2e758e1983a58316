import { Problem } from '../../api/client';
import { blank } from './draft';
import { isPassing, wrongOf } from './refusals';
import { draftKey, dropDraft, intentDone, intentKey, keepDraft, keepLast, loadDraft, loadLast } from './store';

function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: key => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: key => void kept.delete(key),
    clear: () => kept.clear(),
    key: () => null,
    length: 0
  };
}

beforeEach(() => {
  Object.assign(globalThis, { sessionStorage: storage(), localStorage: storage() });
});

test('one key for one body, until it has succeeded', () => {
  const first = intentKey('{"name":"a"}');
  expect(intentKey('{"name":"a"}')).toBe(first);
  const changed = intentKey('{"name":"b"}');
  expect(changed).not.toBe(first);
  intentDone();
  expect(intentKey('{"name":"b"}')).not.toBe(changed);
});

test('drafts are kept apart by what they started from', () => {
  const keys = [draftKey(undefined, undefined), draftKey('1', undefined), draftKey(undefined, { name: 'x' })];
  expect(new Set(keys).size).toBe(3);
  const [key = ''] = keys;
  expect(loadDraft(key)).toBeNull();
  keepDraft(key, { ...blank(), name: 'typed' });
  expect(loadDraft(key)).toEqual({ ...blank(), name: 'typed' });
  sessionStorage.setItem(key, '{"name":"of before a field was added"}');
  expect(loadDraft(key)).toEqual({ ...blank(), name: 'of before a field was added' });
  sessionStorage.setItem(key, 'broken');
  expect(loadDraft(key)).toBeNull();
  dropDraft(key);
  expect(sessionStorage.getItem(key)).toBeNull();
});

test('what was used last', () => {
  expect(loadLast()).toEqual({ spec: '', workspace: '', environment: '' });
  keepLast({ ...blank(), run: { ...blank().run, spec: 'cpu' }, workspace: 'lab', environment: 'base' });
  keepLast({ ...blank(), distributed: true, workspace: 'lab' });
  expect(loadLast()).toEqual({ spec: 'cpu', workspace: 'lab', environment: '' });
});

test('problems as what is wrong with which field', () => {
  const errors = [
    { field: 'job.retries', message: 'Input should be less than or equal to 100' },
    { field: 'roles.1', message: 'Value error, min_available is more than replicas' },
    { field: 'datasets.0', message: 'There is none.' }
  ];
  expect(wrongOf(new Problem('x', 422, 'invalid', 'job.retries', errors))).toEqual([
    { field: 'retries', message: 'Input should be less than or equal to 100.' },
    { field: 'roles.1', message: 'Min_available is more than replicas.' },
    { field: 'datasets.0', message: 'There is none.' }
  ]);
  expect(wrongOf(new Problem('No.', 403, 'forbidden', ''))).toEqual([{ field: '', message: 'No.' }]);
  expect([0, 429, 502, 409, 422].map(status => isPassing(new Problem('', status, '', '')))).toEqual([
    true,
    true,
    true,
    false,
    false
  ]);
});
