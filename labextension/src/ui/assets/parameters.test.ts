import { parametersOf } from './parameters';

test('a shell’s command is what it was told', () => {
  const main = { command: ['sh', '-c', 'python train.py'], env: { LR: '0.1', N: '3' }, replicas: 2 };
  expect(parametersOf({ main })).toMatchObject([
    { role: 'main', command: 'python train.py', env: 'LR=0.1\nN=3', replicas: 2 }
  ]);
});

test('words are quoted where they need it', () => {
  expect(parametersOf({ a: { command: ['python', '-c', "print('x')"] } })[0]?.command).toBe(
    `python -c 'print('\\''x'\\'')'`
  );
});

test('what has another form is shown as it is', () => {
  expect(parametersOf({ a: [1], b: 'x', c: null })).toMatchObject([
    { command: null, rest: '[1]' },
    { command: null, rest: 'x' },
    { command: null, rest: 'null' }
  ]);
});
