/** Small curves of what was used, as SVG paths. */

/** Returns a path through `points` (`[x, share]`, share 0 to 1) in a box; a break of more than `gap` in x parts it. */
export function sparkPath(points: [number, number][], width: number, height: number, gap = Infinity): string {
  const [first, last] = [points[0]?.[0] ?? 0, points.at(-1)?.[0] ?? 0];
  const span = last - first || 1;
  let before: number | null = null;
  return thinned(points, width)
    .map(([x, share]) => {
      const pen = before === null || x - before > gap ? 'M' : 'L';
      before = x;
      const bounded = Math.min(Math.max(share, 0), 1);
      return `${pen}${round(((x - first) / span) * width)} ${round(height - bounded * height)}`;
    })
    .join('');
}

const round = (value: number): number => Math.round(value * 10) / 10;

/** Of more points than pixels the highest of each stretch: a peak must not be lost. */
function thinned(points: [number, number][], width: number): [number, number][] {
  const size = Math.ceil(points.length / width);
  if (size <= 1) {
    return points;
  }
  const kept: [number, number][] = [];
  for (let at = 0; at < points.length; at += size) {
    kept.push(points.slice(at, at + size).reduce((most, point) => (point[1] > most[1] ? point : most)));
  }
  return kept;
}
