import fc from 'fast-check';

import { difference } from './difference';

test('the lines that changed are marked, on either side', () => {
  const sent = 'import x\na = 1\nprint(a)';
  const now = 'import x\na = 2\nb = 3\nprint(a)';
  expect(difference(now, sent).map(line => line.isOwn)).toEqual([false, true, true, false]);
  expect(difference(sent, now).map(line => line.isOwn)).toEqual([false, true, false]);
});

test('what is not marked is the same on both sides, and as long as can be when one only adds', () => {
  const text = fc
    .array(fc.constantFrom('a', 'b', 'c', ''), { minLength: 1, maxLength: 12 })
    .map(lines => lines.join('\n'));
  const common = (one: string, other: string): string[] =>
    difference(one, other).flatMap(({ line, isOwn }) => (isOwn ? [] : [line]));
  fc.assert(
    fc.property(text, text, (one, other) => {
      expect(common(one, other).length).toBe(common(other, one).length);
      expect(
        difference(one, other)
          .map(each => each.line)
          .join('\n')
      ).toBe(one);
      expect(common(one, `${one}\n${other}`).join('\n')).toBe(one);
    })
  );
});
