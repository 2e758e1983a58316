import type { Schemas } from '../../api/client';
import type { Words } from '../shell';
import {
  blank,
  blankRole,
  type Draft,
  fieldOf,
  firstRole,
  foldedSummary,
  forEstimate,
  fromPreset,
  fromRequest,
  isFolded,
  suggestedName,
  toRequest
} from './draft';

type JobRequest = Schemas['JobRequest'];

const words: Words = {
  __: (text, ...values) => text.replace(/%(\d)/g, (_, at) => String(values[Number(at) - 1])),
  _n: (one, many, n, ...values) => words.__(n === 1 ? one : many, ...values)
};

// Every field differs from its default in at least one of these; the type has each of them named.
const SHORT: JobRequest = {
  workspace: 'vision-lab',
  environment: 'pumpkin/base@3',
  datasets: ['digits', 'admin/words@2', 'someone@example.org/faces@11'],
  algorithm: 'lab/digits-mlp@4',
  models: ['resnet-50@1', 'lab/bert'],
  name: 'train.digits_1-a',
  spec: 'gpu-2',
  command: 'cd "$PUMPKIN_CODE" && python train.py \\\n  | tee "$PUMPKIN_OUTPUT/log"',
  args: ['--lr', '0.1', '--note', "it's 50 %", '', 'two\nlines', '\\', '"', '$HOME', '数据', ' '],
  env: { A: '1', B_2: '', _c: 'x=y z', MULTI: 'one\ntwo', QUOTED: '"kept"' },
  replicas: 7,
  roles: null,
  retries: 3,
  backoff_seconds: 2.5,
  deadline_seconds: 5400,
  budget_micro: 12_345_678,
  priority: -20,
  output: { model: 'digits-mlp' },
  labels: ['a', 'sweep: lr/2', 'v1.0+x'],
  notes: '  # why\n\nBecause.\n',
  notebook: null
};

const PLAIN: JobRequest = {
  workspace: null,
  environment: null,
  datasets: [],
  algorithm: null,
  models: [],
  name: 'x',
  spec: 'cpu-small',
  command: ['python', '-c', 'print("a b")\nprint(\'c\')', '', "don't", 'back\\slash'],
  args: [],
  env: {},
  replicas: 1,
  roles: null,
  retries: 0,
  backoff_seconds: 5,
  deadline_seconds: null,
  budget_micro: null,
  priority: 0,
  output: null,
  labels: [],
  notes: '',
  notebook: null
};

const ROLES: JobRequest = {
  ...PLAIN,
  spec: null,
  command: null,
  env: { SHARED: 'yes' },
  roles: [
    {
      name: 'chief',
      command: 'python chief.py',
      args: ['--steps', '10 000'],
      env: { ROLE: 'chief' },
      spec: 'gpu-8',
      replicas: 1,
      min_available: null,
      is_main: true
    },
    {
      name: 'worker',
      command: ['python', 'worker.py', '--name', 'a b'],
      args: [],
      env: {},
      spec: 'cpu-small',
      replicas: 32,
      min_available: 16,
      is_main: false
    }
  ]
};

const NO_MAIN: JobRequest = { ...ROLES, roles: (ROLES.roles ?? []).map(role => ({ ...role, is_main: false })) };

describe('request → form → request', () => {
  const cases: Record<string, JobRequest> = { SHORT, PLAIN, ROLES, NO_MAIN };

  test.each(Object.keys(cases))('is the identity: %s', name => {
    const request = cases[name] ?? PLAIN;
    expect(toRequest(fromRequest(request), words)).toEqual({ request, wrong: [] });
  });

  // Each field by itself, at values that are easy to lose.
  const edges: { [F in keyof JobRequest]: JobRequest[F][] } = {
    // The form is for commands: a notebook's job is made anew from its notebook.
    notebook: [null],
    workspace: [null, 'admin', 'user@example.org'],
    environment: [null, 'base', 'pumpkin/base@12'],
    datasets: [[], ['a'], ['a@1', 'w/b@2']],
    algorithm: [null, 'a', 'w/a@1'],
    models: [[], ['m@3']],
    name: ['a', 'a.b_c-9'],
    spec: ['s'],
    command: ['true', ' spaces kept ', '"unclosed', ['true'], [''], ["'"], ['a\tb', '--x=1'], ['#', '*', '~', '|']],
    args: [[], [''], ['a', 'b'], ['a b', "'", '"', '\n']],
    env: [{}, { A: '' }, { A: 'x', a: 'y' }],
    replicas: [1, 256],
    roles: [null],
    retries: [0, 100],
    backoff_seconds: [0, 0.1, 1e-7, 5, 86_400, 1 / 3],
    deadline_seconds: [null, 1, 59, 60, 3600, 3601, 86_400, 31_536_000],
    budget_micro: [null, 0, 1, 999_999, 1_000_000, 10_000_000, 1_500_000, Number.MAX_SAFE_INTEGER],
    priority: [-100, 0, 100],
    output: [null, { model: 'm' }],
    labels: [[], ['x'], ['a b', 'c']],
    notes: ['', ' ', 'a\nb']
  };
  test.each(Object.entries(edges))('keeps %s', (field, values) => {
    for (const value of values) {
      const request = { ...PLAIN, [field]: value };
      expect(toRequest(fromRequest(request), words)).toEqual({ request, wrong: [] });
    }
  });

  test('and survives being kept as JSON', () => {
    const draft = JSON.parse(JSON.stringify(fromRequest(SHORT))) as Draft;
    expect(toRequest(draft, words).request).toEqual(SHORT);
  });

  test('changing to roles and back loses nothing', () => {
    const draft = fromRequest(SHORT);
    const split = { ...draft, distributed: true, roles: [firstRole(draft.run)] };
    expect(toRequest(split, words).request.roles?.[0]).toMatchObject({ name: 'main', spec: 'gpu-2', is_main: true });
    expect(toRequest(split, words).request.spec).toBeNull();
    expect(toRequest({ ...split, distributed: false }, words).request).toEqual(SHORT);
  });
});

describe('what is wrong', () => {
  const wrong = (change: Partial<Draft>): string[] =>
    toRequest({ ...fromRequest(PLAIN), ...change }, words).wrong.map(each => each.field);

  test('names the field', () => {
    expect(wrong({ retries: 'many' })).toEqual(['retries']);
    expect(wrong({ retries: '1.5' })).toEqual(['retries']);
    expect(wrong({ priority: '--1' })).toEqual(['priority']);
    expect(wrong({ backoff: '1e' })).toEqual(['backoff_seconds']);
    expect(wrong({ budget: '1.2345678' })).toEqual(['budget_micro']);
    expect(wrong({ deadline: { amount: 'x', unit: 'h' } })).toEqual(['deadline_seconds']);
    expect(wrong({ env: [{ name: '', value: 'x' }] })).toEqual(['env']);
    expect(wrong({ env: [1, 2].map(value => ({ name: 'A', value: String(value) })) })).toEqual(['env']);
    expect(wrong({ run: { ...fromRequest(PLAIN).run, args: "'open" } })).toEqual(['args']);
    expect(wrong({ run: { ...fromRequest(PLAIN).run, command: '"open' } })).toEqual(['command']);
  });

  test('names the field of a role', () => {
    const roles = fromRequest(ROLES).roles.map(role => ({ ...role, replicas: 'x', name: '' }));
    const fields = wrong({ distributed: true, roles });
    expect(fields).toEqual(['roles.0.name', 'roles.0.replicas', 'roles.1.name', 'roles.1.replicas']);
  });

  test('what is only not typed yet is missing', () => {
    expect(toRequest(blank(), words).wrong).toEqual([
      { field: 'command', message: 'Say what to run.', missing: true },
      { field: 'spec', message: 'Choose a spec.', missing: true }
    ]);
  });

  test('blank numbers mean the defaults', () => {
    const draft = { ...fromRequest(PLAIN), retries: '', backoff: ' ', priority: '', env: [{ name: '', value: '' }] };
    expect(toRequest(draft, words)).toEqual({ request: PLAIN, wrong: [] });
  });
});

describe('refusals', () => {
  test.each([
    ['roles.0.spec', 'roles.0.spec'],
    ['job.roles.2.command.str', 'roles.2.command'],
    ['job.roles.1', 'roles.1'],
    ['roles', 'roles'],
    ['datasets.1', 'datasets.1'],
    ['job.models', 'models'],
    ['job.command.list[constrained-str].0', 'command'],
    ['job.args.3', 'args'],
    ['job.env.FOO', 'env'],
    ['job.output.model', 'output'],
    ['labels.4', 'labels'],
    ['budget_micro', 'budget_micro'],
    ['workspace', 'workspace'],
    ['job', ''],
    ['', ''],
    ['Idempotency-Key', '']
  ])('%s is shown at "%s"', (path, field) => expect(fieldOf(path)).toBe(field));

  test('fields of the fold', () => {
    expect(isFolded('env')).toBe(true);
    expect(isFolded('roles.0.env')).toBe(false);
  });
});

describe('before everything is typed', () => {
  test('an estimate needs a spec only', () => {
    expect(forEstimate(toRequest(blank(), words).request)).toBeNull();
    const { request } = toRequest(fromPreset({ spec: 'cpu-small' }), words);
    expect(forEstimate(request)).toMatchObject({ name: 'job', spec: 'cpu-small', command: 'true' });
  });

  test('an estimate of roles needs all their specs', () => {
    const draft = { ...blank(), distributed: true };
    expect(forEstimate(toRequest(draft, words).request)).toBeNull();
    expect(forEstimate(toRequest({ ...draft, roles: [blankRole([])] }, words).request)).toBeNull();
    const roles = fromRequest(ROLES).roles.map(role => ({ ...role, name: '', command: '' }));
    const estimated = forEstimate(toRequest({ ...draft, roles }, words).request);
    expect(estimated?.roles?.map(role => role.name)).toEqual(['unnamed-0', 'unnamed-1']);
    expect(estimated?.roles?.map(role => role.command)).toEqual(['true', 'true']);
  });

  test.each([
    [{ algorithm: 'lab/digits-mlp@3' }, 'digits-mlp'],
    [{ command: 'python /x/Train_Model.py --a' }, 'train_model'],
    [{ command: '/bin/echo hi' }, 'bin-echo'],
    [{ command: '数据' }, 'job'],
    [{}, 'job']
  ])('a name for %j', (preset, name) => expect(suggestedName(fromPreset(preset))).toBe(name));

  test('new roles have names of their own', () => {
    const first = firstRole(blank().run);
    const second = blankRole([first]);
    const third = blankRole([first, second]);
    expect([first, second, third].map(role => [role.name, role.main])).toEqual([
      ['main', true],
      ['worker', false],
      ['worker-2', false]
    ]);
  });
});

test('the fold says what is in it', () => {
  expect(foldedSummary(blank(), words)).toBe('');
  expect(foldedSummary(fromRequest(SHORT), words)).toBe(
    'in vision-lab · 5 variables · arguments · 7 replicas · 3 retries · at most 90 min a try · a budget · priority -20 · 3 labels · notes'
  );
});
