import { el, fill } from './dom.js';

/** One line of a chart; `tone` names its colour in the style sheet. */
export interface Line {
  label: string;
  tone: 'accent' | 'good' | 'warn' | 'bad';
}

/** A small chart of the latest minutes. */
export interface Chart {
  element: HTMLElement;
  /** `times` in seconds since 1970; for each line one value a time, undefined where none is known. */
  draw(times: number[], values: (number | undefined)[][]): void;
}

const HEIGHT = 132;
/** What a chart shows at least, in seconds. */
const SHOWN = 60;
const dark = matchMedia('(prefers-color-scheme: dark)');

/**
 * Makes a chart. What it shows stands below it in figures, too, with which the pointer goes along: the picture alone tells nothing
 * that a reader who doesn't see it would miss.
 */
export function chart(title: string, lines: Line[], read: (value: number | undefined) => string): Chart {
  const plot = el('div', { class: 'plot', 'aria-hidden': 'true' });
  const figures = lines.map(() => el('dd', {}, '–'));
  const legend = el(
    'dl',
    { class: 'legend' },
    ...lines.map(({ label, tone }, at) => el('div', {}, el('dt', {}, el('span', { class: `swatch ${tone}` }), label), figures[at])),
  );
  let data: (number | null | undefined)[][] = [[], ...lines.map(() => [])];
  let drawn: uPlot | undefined;

  const show = (index: number | null | undefined): void =>
    figures.forEach((place, at) => fill(place, read(data[at + 1]?.[index ?? (data[0]?.length ?? 0) - 1] ?? undefined)));
  const redraw = (): void => {
    drawn?.destroy();
    drawn = new uPlot(
      { ...optionsOf(lines, plot.clientWidth || 300), hooks: { setCursor: [({ cursor }) => show(cursor.idx)] } },
      data as uPlot.AlignedData,
      plot,
    );
  };
  // A screen that is not in front has no width.
  new ResizeObserver(() => plot.clientWidth > 0 && drawn?.setSize({ width: plot.clientWidth, height: HEIGHT })).observe(plot);
  dark.addEventListener('change', () => drawn && redraw());

  return {
    element: el('figure', { class: 'card chart' }, el('figcaption', {}, title), plot, legend),
    draw: (times, values) => {
      data = [times, ...values.map((line) => line.map((value) => value ?? null))];
      if (drawn) drawn.setData(data as uPlot.AlignedData);
      else redraw();
      show(drawn?.cursor.idx);
    },
  };
}

function optionsOf(lines: Line[], width: number): uPlot.Options {
  const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const axis: uPlot.Axis = {
    stroke: colour('muted'),
    font: '11px system-ui, sans-serif',
    gap: 4,
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    padding: [8, 26, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false },
    scales: { x: { range: (_, from, to) => [Math.min(from, to - SHOWN), to] }, y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] } },
    axes: [
      { ...axis, size: 22, space: 70, values: [[1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1]] },
      { ...axis, size: 40, space: 28 },
    ],
    series: [{}, ...lines.map(({ label, tone }) => ({ label, stroke: colour(tone), width: 1.5, points: { show: false } }))],
  };
}
