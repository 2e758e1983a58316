import fc from 'fast-check';

import {
  type CellResult,
  type CellState,
  type NotebookCell,
  type NotebookDocument,
  noteOf,
  type Out,
  type Output
} from './document';
import { landInto, normal, noteInto, outputsHash, resolved, settled, sourceHash, step, used, withOut } from './merge';
import { bare, notesOf, runnable } from './sending';

const JOB = { id: 'job-1', name: 'digits' };
const STATES: CellState[] = ['running', 'done', 'failed'];

const output: fc.Arbitrary<Output> = fc.oneof(
  fc.record({
    output_type: fc.constant('stream'),
    name: fc.constantFrom('stdout', 'stderr'),
    text: fc.oneof(fc.string(), fc.array(fc.string()))
  }),
  fc.record({
    output_type: fc.constant('display_data'),
    data: fc.record({ 'text/plain': fc.string(), 'application/json': fc.jsonValue() }),
    metadata: fc.constant({})
  }),
  fc.record({
    output_type: fc.constant('error'),
    ename: fc.string(),
    evalue: fc.string(),
    traceback: fc.array(fc.string())
  })
);
const outputs = fc.array(output, { maxLength: 4 });

const sent: fc.Arbitrary<NotebookDocument> = fc
  .array(fc.record({ source: fc.string(), outputs }), { minLength: 1, maxLength: 5 })
  .map(cells => {
    const document: NotebookDocument = {
      cells: cells.map((cell, at) => ({
        ...cell,
        id: `c${at}`,
        cell_type: 'code',
        metadata: {},
        execution_count: null
      })),
      metadata: {},
      nbformat: 4,
      nbformat_minor: 5
    };
    const notes = notesOf(
      document,
      document.cells.map(cell => cell.id ?? ''),
      JOB
    );
    return {
      ...document,
      cells: document.cells.map(cell => ({ ...cell, metadata: { pumpkin: notes.get(cell.id ?? '') } }))
    };
  });

/** What a job says over time, each revision once. */
const said: fc.Arbitrary<CellResult[]> = fc
  .array(fc.record({ at: fc.nat(4), state: fc.constantFrom<CellState>('waiting', 'skipped', ...STATES), outputs }), {
    maxLength: 12
  })
  .map(all =>
    all.map(({ at, state, outputs }, index) => ({
      cell: `c${at}`,
      revision: index + 1,
      state,
      outputs,
      execution_count: index
    }))
  );

/** The same messages in another order, some of them twice. */
function muddled(results: CellResult[]): fc.Arbitrary<CellResult[]> {
  const twice = fc.subarray(results).map(again => [...results, ...again]);
  return twice.chain(all => fc.shuffledSubarray(all, { minLength: all.length, maxLength: all.length }));
}

const edits = fc.array(
  fc.oneof(
    fc.record({ at: fc.nat(4), source: fc.string() }),
    fc.record({ at: fc.nat(4), outputs }),
    fc.record({ at: fc.nat(4), deleted: fc.constant(true as const) })
  ),
  { maxLength: 4 }
);
type Edit = { at: number; source?: string; outputs?: Output[]; deleted?: true };

function edited(document: NotebookDocument, all: Edit[]): NotebookDocument {
  const cells = document.cells.flatMap((cell, at): NotebookCell[] => {
    const own = all.filter(edit => edit.at === at);
    return own.some(edit => edit.deleted)
      ? []
      : [
          own.reduce(
            (into, { source, outputs }) => ({
              ...into,
              ...(source === undefined ? {} : { source }),
              ...(outputs === undefined ? {} : { outputs })
            }),
            cell
          )
        ];
  });
  return { ...document, cells };
}

const find = (document: NotebookDocument, id: string): NotebookCell | undefined =>
  document.cells.find(cell => cell.id === id);

test('no order of results, and none said twice, makes a difference', () => {
  const runs = fc.tuple(
    sent,
    edits,
    said.chain(results => fc.tuple(fc.constant(results), muddled(results)))
  );
  fc.assert(
    fc.property(runs, ([document, changes, [results, mixed]]) => {
      const before = edited(document, changes);
      expect(landInto(before, JOB.id, mixed)).toEqual(landInto(before, JOB.id, results));
    })
  );
});

test('landing twice is landing once', () => {
  fc.assert(
    fc.property(sent, edits, said, fc.boolean(), (document, changes, results, ended) => {
      const once = landInto(edited(document, changes), JOB.id, results, ended);
      expect(landInto(once, JOB.id, results, ended)).toBe(once);
    })
  );
});

test('however edits and results interleave, nothing a person wrote or ran is touched', () => {
  const rounds = fc.array(fc.tuple(edits, fc.nat(12)), { maxLength: 4 });
  fc.assert(
    fc.property(sent, said, rounds, (document, results, all) => {
      let present = document;
      for (const [changes, upTo] of all) {
        const before = edited(present, changes);
        const after = landInto(before, JOB.id, results.slice(0, upTo));
        expect(after.cells.map(cell => [cell.id, cell.source])).toEqual(
          before.cells.map(cell => [cell.id, cell.source])
        );
        for (const cell of before.cells) {
          const out = noteOf(cell);
          const own = [out?.outputs, out?.landed].includes(outputsHash(cell.outputs ?? []));
          if (sourceHash(cell.source) !== out?.source || !own) {
            expect(find(after, cell.id ?? '')?.outputs).toEqual(cell.outputs);
          }
        }
        present = after;
      }
    })
  );
});

test('an untouched cell gets exactly the newest result, an edited one has it beside', () => {
  fc.assert(
    fc.property(sent, said, fc.string(), (document, results, source) => {
      const changed = edited(document, [{ at: 0, source }]);
      const isEdited = sourceHash(source) !== sourceHash(document.cells[0]?.source ?? '');
      const after = landInto(changed, JOB.id, results);
      for (const cell of after.cells) {
        // A retry sets cells back to waiting: what they had then stays.
        const newest = results.findLast(result => result.cell === cell.id && STATES.includes(result.state));
        if (!newest) {
          expect(cell.outputs).toEqual(find(changed, cell.id ?? '')?.outputs);
        } else if (cell.id === 'c0' && isEdited) {
          expect(noteOf(cell)?.beside).toMatchObject({ job: JOB.id, outputs: normal(newest.outputs) });
        } else {
          expect(cell.outputs).toEqual(normal(newest.outputs));
          expect(noteOf(cell)?.beside).toBeUndefined();
        }
      }
    })
  );
});

test('what is beside outlives the end of the job, and can be resolved either way', () => {
  fc.assert(
    fc.property(sent, said, outputs, (document, results, ran) => {
      const before = edited(document, [{ at: 0, outputs: ran }]);
      const after = landInto(before, JOB.id, results, true);
      for (const cell of after.cells) {
        const note = noteOf(cell);
        expect(note === undefined || Object.keys(note).join() === 'beside').toBe(true);
        expect(resolved(note)).toBeUndefined();
        if (note?.beside) {
          expect(used(note, note.beside)).toBeUndefined();
          expect(cell.outputs).toEqual(ran);
        }
      }
    })
  );
});

test('using a result while its job goes on makes it the cell’s, so that the next one lands', () => {
  const [cell] = landInto(edited(one('print(1)'), [{ at: 0, outputs: [text('mine')] }]), JOB.id, [
    result(1, 'running', [text('theirs')])
  ]).cells;
  const note = noteOf(cell ?? { metadata: {} });
  const beside = note?.beside;
  expect(note && beside && cell).toBeTruthy();
  if (note && beside && cell) {
    const now = { id: cell.id, source: cell.source, outputs: beside.outputs, note: used(note, beside) };
    expect(step(now, JOB.id, result(2, 'done', [text('theirs, whole')]))).toMatchObject({ kind: 'land' });
  }
});

test('a copy of a cell, a cell sent again, and other jobs are left alone', () => {
  const document = one('print(1)');
  const copy = { ...document, cells: document.cells.map(cell => ({ ...cell, id: 'copy' })) };
  expect(landInto(copy, JOB.id, [{ ...result(1, 'done', [text('x')]), cell: 'copy' }])).toBe(copy);
  expect(landInto(document, 'job-2', [result(1, 'done', [text('x')])])).toBe(document);
  expect(settled(noteOf(document.cells[0] ?? {}), 'job-2')).toBe(noteOf(document.cells[0] ?? {}));
});

test('what was sent and never noted is noted later, and what is known already stands', () => {
  const document = one('print(1)');
  const notes = notesOf(document, ['c0'], JOB);
  const plain = { ...document, cells: document.cells.map(cell => ({ ...cell, metadata: {} })) };
  expect(noteInto(plain, notes)).toEqual(document);
  const landed = landInto(document, JOB.id, [result(1, 'done', [text('x')])]);
  expect(noteInto(landed, notes)).toEqual(landed);
  const beside = { job: 'job-0', name: 'old', source: '', state: 'done' as const, outputs: [], execution_count: 1 };
  expect(withOut({ beside }, notes.get('c0') as Out)).toEqual({ ...notes.get('c0'), beside });
});

test('outputs hash alike however a file breaks their lines, and unlike when they differ', () => {
  const whole = [{ output_type: 'stream', name: 'stdout', text: 'a\nb\n' }];
  const pieces = [
    { output_type: 'stream', name: 'stdout', text: ['a\n'] },
    { text: ['b\n'], name: 'stdout', output_type: 'stream' }
  ];
  expect(outputsHash(pieces)).toBe(outputsHash(whole));
  expect(outputsHash([text('a\nb')])).not.toBe(outputsHash(whole));
  const list = (type: string, value: unknown): Output[] => [{ output_type: 'display_data', data: { [type]: value } }];
  expect(outputsHash(list('text/html', ['a', 'b']))).toBe(outputsHash(list('text/html', 'ab')));
  expect(outputsHash(list('application/json', ['a', 'b']))).not.toBe(outputsHash(list('application/json', 'ab')));
});

test('a source’s hash is that of its UTF-8', () => {
  expect(sourceHash('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(sourceHash(['print(', '"南瓜")'])).toBe(sourceHash('print("南瓜")'));
});

test('what is sent has neither outputs nor notes, and only code that says something runs', () => {
  const document = one('print(1)');
  const [cell] = bare(document).cells;
  expect(cell).toMatchObject({ outputs: [], execution_count: null, metadata: {} });
  expect(cell?.metadata).not.toHaveProperty('pumpkin');
  expect(
    runnable([
      ...document.cells,
      { id: 'm', cell_type: 'markdown', source: '#' },
      { id: 'e', cell_type: 'code', source: [' \n'] }
    ])
  ).toEqual(['c0']);
});

function text(data: string): Output {
  return { output_type: 'execute_result', data: { 'text/plain': data }, metadata: {}, execution_count: 1 };
}

function result(revision: number, state: CellState, outputs: Output[]): CellResult {
  return { cell: 'c0', revision, state, outputs, execution_count: revision };
}

function one(source: string): NotebookDocument {
  const document: NotebookDocument = {
    cells: [{ id: 'c0', cell_type: 'code', source, metadata: {}, outputs: [text('before')], execution_count: 7 }],
    metadata: {},
    nbformat: 4,
    nbformat_minor: 5
  };
  const notes = notesOf(document, ['c0'], JOB);
  return { ...document, cells: document.cells.map(cell => ({ ...cell, metadata: { pumpkin: notes.get('c0') } })) };
}
