/** The points of a job's metrics, ready to be drawn. */
import type { Schemas } from '../../api/client';

export type Point = Schemas['MetricPoint'];
export type Axis = 'step' | 'time';

export interface Curve {
  x: number[];
  /** null where the value was not a finite number: the curve has a gap there. */
  y: (number | null)[];
}

interface Series {
  points: { step: number; seconds: number; value: number | null }[];
  curves: Partial<Record<Axis, Curve>>;
}

export class MetricStore {
  /** Of the last point, to go on behind it. */
  lastId = '';
  private readonly series = new Map<string, Series>();

  /** Times are counted from `start`, in milliseconds; from the first point's when that is not known yet. */
  constructor(private start: number | null) {}

  /** Adds points that came behind those known; what is known already is left out. */
  add(points: Point[]): void {
    for (const point of points) {
      if (point.id <= this.lastId) {
        continue;
      }
      this.lastId = point.id;
      let series = this.series.get(point.name);
      if (!series) {
        series = { points: [], curves: {} };
        this.series.set(point.name, series);
      }
      series.curves = {};
      const time = Date.parse(point.time);
      const seconds = (time - (this.start ??= time)) / 1000;
      series.points.push({ step: point.step, seconds, value: point.value });
    }
  }

  /** Names of metrics, in the order they were first logged. */
  get names(): string[] {
    return [...this.series.keys()];
  }

  /** Returns a metric's curve: x rising, and of values for one x the last (a retry goes over the same steps). */
  curve(name: string, axis: Axis): Curve {
    const series = this.series.get(name);
    if (!series) {
      return { x: [], y: [] };
    }
    return (series.curves[axis] ??= curveOf(series, axis));
  }
}

function curveOf({ points }: Series, axis: Axis): Curve {
  const at = (point: (typeof points)[number]): number => (axis === 'step' ? point.step : point.seconds);
  const rising = points.every((point, i) => i === 0 || at(point) >= at(points[i - 1] ?? point));
  // The sort is stable: of equal ones the later stays later.
  const sorted = rising ? points : [...points].sort((a, b) => at(a) - at(b));
  const curve: Curve = { x: [], y: [] };
  for (const point of sorted) {
    if (curve.x.at(-1) === at(point)) {
      curve.y[curve.y.length - 1] = point.value;
    } else {
      curve.x.push(at(point));
      curve.y.push(point.value);
    }
  }
  return curve;
}

/** Returns the last value of a curve that is a number, with its x. */
export function lastOf({ x, y }: Curve): { x: number; y: number } | null {
  for (let at = y.length - 1; at >= 0; at -= 1) {
    const value = y[at];
    if (value != null) {
      return { x: x[at] ?? 0, y: value };
    }
  }
  return null;
}

/** Returns the curve's value at `x`, or the nearest one beside it within the curve; null outside of it. */
export function valueAt({ x, y }: Curve, wanted: number): number | null {
  const [first, last] = [x[0], x.at(-1)];
  if (first === undefined || last === undefined || wanted < first || wanted > last) {
    return null;
  }
  let [low, high] = [0, x.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((x[middle] ?? 0) < wanted) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  const before = Math.max(low - 1, 0);
  return y[wanted - (x[before] ?? 0) < (x[low] ?? 0) - wanted ? before : low] ?? null;
}
