/** What one text has that another has not, line by line. */

export interface Line {
  line: string;
  /** Whether the other text lacks it. */
  isOwn: boolean;
}

const MOST = 2000;

/** The lines of `text`, those marked that are not part of the longest run of lines it has in common with `other`. */
export function difference(text: string, other: string): Line[] {
  const a = text.split('\n');
  const b = other.split('\n');
  if (a.length > MOST || b.length > MOST) {
    const there = new Set(b);
    return a.map(line => ({ line, isOwn: !there.has(line) }));
  }
  // lengths[i][j] is the most lines a from i on and b from j on have in common.
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      const row = lengths[i];
      if (row) {
        row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
      }
    }
  }
  let j = 0;
  return a.map((line, i) => {
    while (j < b.length && b[j] !== line && at(i, j + 1) >= at(i + 1, j)) {
      j += 1;
    }
    const isOwn = b[j] !== line || j >= b.length;
    j += isOwn ? 0 : 1;
    return { line, isOwn };
  });
}
