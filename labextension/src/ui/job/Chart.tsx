/** One metric's curves. */
import { useEffect, useRef, useState } from 'react';
import type uPlot from 'uplot';

import { duration, exactly, number } from '../format';
import { useShell, type Words } from '../shell';
import { DASHES, Mark } from './Compare';
import { type Axis, type Curve, lastOf, valueAt } from './metricStore';

const HEIGHT = 150;
const DAY = 86_400;

/** Steps, seconds since a start, or Unix seconds. */
export type Across = Axis | 'clock';

export interface Line {
  label: string;
  curve: Curve;
}

interface Props {
  name: string;
  /** The job's own curve first. */
  lines: Line[];
  axis: Across;
  /** Charts of one group show their values at the same place. */
  group: string;
}

export function Chart({ name, lines, axis, group }: Props) {
  const { words, language } = useShell();
  const library = useLibrary();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [hover, setHover] = useState<number | null>(null);
  const count = lines.length;

  useEffect(() => {
    const element = place.current;
    if (!library || !element) {
      return;
    }
    const made = new library(options(element, count, axis, group, language, setHover), emptyOf(count), element);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    // Colours are read when it is drawn: a new theme needs a new drawing, once its styles are there.
    const themed = new MutationObserver(() => setTimeout(() => made.redraw(false), 300));
    themed.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name', 'class', 'data-theme'] });
    return () => {
      resized.disconnect();
      themed.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [library, count, axis, group, language]);

  const curves = lines.map(line => line.curve);
  const shown = useRef<Curve[]>([]);
  useEffect(() => {
    const known = shown.current;
    if (plot.current && library && (known.length !== count || curves.some((curve, at) => curve !== known[at]))) {
      plot.current.setData(library.join(curves.map(({ x, y }): uPlot.AlignedData => [x, y])));
      shown.current = curves;
    }
  });
  // A plot that was made anew has nothing to show yet.
  useEffect(() => () => void (shown.current = []), [library, count, axis, group, language]);

  return (
    <figure className="pk-chart">
      <figcaption>
        <b title={name}>{name}</b>
        <span className="pk-fact">{hover !== null && placeText(hover, axis, words, language)}</span>
        <ul>
          {lines.map(({ label, curve }, at) => {
            const value = hover === null ? (lastOf(curve)?.y ?? null) : valueAt(curve, hover);
            return (
              <li key={at} title={label}>
                {count > 1 && <Mark at={at} />} {count > 1 && <span className="pk-chart-label">{label}</span>}{' '}
                <span className="pk-chart-value">{value === null ? '–' : valueText(value, language)}</span>
              </li>
            );
          })}
        </ul>
      </figcaption>
      <div ref={place} className="pk-plot" role="img" aria-label={told(name, lines, axis, words, language)} />
    </figure>
  );
}

/** Loads what draws when there is something to draw. */
function useLibrary(): typeof uPlot | null {
  const [library, setLibrary] = useState<{ plot: typeof uPlot } | null>(null);
  useEffect(() => {
    let gone = false;
    void import('uplot').then(module => {
      if (!gone) {
        setLibrary({ plot: module.default });
      }
    });
    return () => {
      gone = true;
    };
  }, []);
  return library?.plot ?? null;
}

function emptyOf(count: number): uPlot.AlignedData {
  return [[], ...Array.from({ length: count }, () => [])];
}

/** A value with four digits that matter: "0.0123", "7.444e-8". */
function valueText(value: number, language: string): string {
  return isTiny(value) ? String(Number(value.toPrecision(4))) : number(value, language);
}

function isTiny(value: number): boolean {
  return value !== 0 && Math.abs(value) < 1e-4;
}

function placeText(x: number, axis: Across, words: Words, language: string): string {
  if (axis === 'clock') {
    return exactly(new Date(x * 1000).toISOString(), language);
  }
  return axis === 'step' ? words.__('step %1', number(x, language)) : words.__('after %1', duration(x));
}

/** The curve in words. */
function told(name: string, lines: Line[], axis: Across, words: Words, language: string): string {
  const last = lines[0] && lastOf(lines[0].curve);
  if (!last) {
    return words.__('%1: no values', name);
  }
  return words.__('%1: last %2, %3', name, valueText(last.y, language), placeText(last.x, axis, words, language));
}

function options(
  element: HTMLElement,
  count: number,
  axis: Across,
  group: string,
  language: string,
  onHover: (x: number | null) => void
): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => (): string => style.getPropertyValue(name).trim();
  const compact = new Intl.NumberFormat(language, { maximumSignificantDigits: 4, notation: 'compact' });
  const line: uPlot.Axis = {
    stroke: colour('--jp-ui-font-color2'),
    grid: { stroke: colour('--jp-border-color2'), width: 1 },
    ticks: { show: false },
    font: `11px ${style.fontFamily}`
  };
  const written = (_: uPlot, splits: number[]): string[] =>
    splits.map(value => (isTiny(value) ? value.toExponential() : compact.format(value)));
  const clock = (plot: uPlot, splits: number[]): string[] => {
    const { min = 0, max = 0 } = plot.scales.x ?? {};
    const parts: Intl.DateTimeFormatOptions =
      max - min > 2 * DAY ? { month: 'numeric', day: 'numeric' } : { hour: 'numeric', minute: '2-digit' };
    const format = new Intl.DateTimeFormat(language, parts);
    return splits.map(value => format.format(value * 1000));
  };
  return {
    width: element.clientWidth || 300,
    height: HEIGHT,
    legend: { show: false },
    padding: [8, 16, 0, 0],
    cursor: { sync: { key: `pumpkin:${group}` }, drag: { x: true, y: false }, y: false },
    scales: { x: { time: false } },
    axes: [
      {
        ...line,
        size: 24,
        space: axis === 'step' ? 50 : 80,
        values: axis === 'step' ? written : axis === 'time' ? (_, at) => at.map(duration) : clock
      },
      { ...line, size: 52, values: written }
    ],
    series: [
      {},
      ...Array.from({ length: count }, (_, at): uPlot.Series => ({
        stroke: colour(`--pk-curve-${at}`),
        width: at === 0 ? 1.5 : 1.25,
        dash: DASHES[at],
        points: { size: 4 }
      }))
    ],
    hooks: {
      setCursor: [
        plot => {
          const { idx, left } = plot.cursor;
          onHover(idx == null || left === undefined || left < 0 ? null : (plot.data[0][idx] ?? null));
        }
      ]
    }
  };
}
