import { parseNotebook } from './notebook';

test('cells and what they printed, as text', () => {
  const notebook = {
    nbformat: 4,
    cells: [
      { cell_type: 'markdown', source: ['# Title\n', 'text'] },
      {
        cell_type: 'code',
        source: 'print(1)',
        outputs: [
          { output_type: 'stream', text: ['1\n'] },
          { output_type: 'execute_result', data: { 'text/html': '<b>x</b>', 'text/plain': 'x' } },
          { output_type: 'display_data', data: { 'image/png': 'AAAA' } },
          { output_type: 'error', traceback: ['\u001b[0;31mNo\u001b[0m', 'here'] }
        ]
      }
    ]
  };
  expect(parseNotebook(JSON.stringify(notebook))).toEqual([
    { type: 'markdown', source: '# Title\ntext', outputs: [] },
    { type: 'code', source: 'print(1)', outputs: ['1\n', 'x', 'No\nhere'] }
  ]);
});

test.each(['', 'no json', '{}', '[]', 'null', '{"worksheets": []}'])('%j is no notebook', text => {
  expect(parseNotebook(text)).toBeNull();
});
