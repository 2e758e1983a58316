import { changesOf, type Draft, withDocument, withoutDocument } from './save';

const draft = { name: 'n', cron: '0 3 * * *', timezone: 'UTC', overlap: 'skip', request: { name: 'j' } } as Draft;

test('only what changed is sent, so that a new name is no new person to run as', () => {
  expect(changesOf(draft, { ...draft, request: { ...draft.request } })).toEqual({});
  expect(changesOf(draft, { ...draft, name: 'm', overlap: 'queue' })).toEqual({ name: 'm', overlap: 'queue' });
  expect(changesOf(draft, { ...draft, request: { ...draft.request, spec: 's' } })).toEqual({
    request: { name: 'j', spec: 's' }
  });
});

test("a notebook's document is left out of what one edits, and comes back", () => {
  const notebook = { path: 'a.ipynb', content: { nbformat: 4 }, cells: null, parameters: { n: 1 } };
  const whole = { ...draft.request, notebook } as unknown as Draft['request'];
  const shown = withoutDocument(whole);
  expect(JSON.stringify(shown)).not.toContain('nbformat');
  expect(withDocument(shown, whole)).toEqual(whole);
  expect(
    withDocument({ ...shown, notebook: { ...notebook, content: null, parameters: { n: 2 } } }, whole).notebook
  ).toEqual({
    ...notebook,
    parameters: { n: 2 }
  });
  expect(withDocument({ ...whole, notebook: null }, whole).notebook).toBeNull();
  expect(withoutDocument(draft.request)).toBe(draft.request);
});
