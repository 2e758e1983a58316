import { jobCode, notebookCode, type Where } from './snippet';

const file: Where = { kind: 'dataset', workspace: 'ada', name: 'digits', version: 3, path: 'train/a.csv' };

test('a table is read by pandas', () => {
  expect(notebookCode(file)).toBe(
    'import pandas\n\ndata = pandas.read_csv("pumpkin://datasets/ada/digits@3/train/a.csv")'
  );
  expect(jobCode(file)).toBe(
    'import pandas\nimport pumpkin\n\ndata = pandas.read_csv(pumpkin.dataset("digits") / "train/a.csv")'
  );
  expect(jobCode({ ...file, path: 'a.tsv' })).toContain('/ "a.tsv", sep="\\t")');
});

test('other files are read as bytes', () => {
  const model: Where = { ...file, kind: 'model', path: 'say "x".bin' };
  expect(notebookCode(model)).toContain('fsspec.open("pumpkin://models/ada/digits@3/say \\"x\\".bin")');
  expect(jobCode(model)).toContain('data = (pumpkin.pretrained("digits") / "say \\"x\\".bin").read_bytes()');
});

test('a version is pulled, or found beside the job', () => {
  expect(notebookCode({ ...file, path: null })).toContain('client.datasets.pull("ada/digits@3", "digits")');
  expect(jobCode({ ...file, kind: 'algorithm', path: null })).toContain('folder = pumpkin.algorithm()');
});
