import { chart, type Chart } from './chart.js';
import { el, fill } from './dom.js';
import { GROUPS, type History, type Point, type RequestLine } from './figures.js';
import { duration, figure } from './format.js';

/** A figure by itself, with a sentence where a person should look. */
interface Tile {
  label: string;
  value: (point: Point) => string;
  /** Null while all is well. */
  warning?: (point: Point) => string | null;
}

const perSecond = (value: number | undefined): string => (value === undefined ? '–' : `${figure(value)} /s`);
const percent = (value: number | undefined): string => (value === undefined ? '–' : `${figure(value)} %`);
const total = (rates: NonNullable<Point['rates']>): number => GROUPS.reduce((sum, group) => sum + rates[group], 0);

const TILES: Tile[] = [
  { label: 'Requests with a key', value: ({ rates }) => perSecond(rates && total(rates)) },
  { label: 'Replays', value: ({ rates }) => perSecond(rates?.replayed) },
  {
    label: 'Without an outcome',
    value: ({ running, parked = 0, interrupted = 0 }) => figure(running === undefined ? undefined : running + parked + interrupted),
  },
  {
    label: 'Oldest without one',
    value: ({ oldest }) => duration(oldest),
    warning: ({ oldest = 0 }) => (oldest > 60 ? 'longer than a provider takes' : null),
  },
  {
    label: 'Payments for review',
    value: ({ forReview }) => figure(forReview),
    warning: ({ forReview = 0 }) => (forReview > 0 ? 'a person must look' : null),
  },
  {
    label: 'Wait for a connection',
    value: ({ poolWait }) => duration(poolWait),
    warning: ({ poolWait = 0 }) => (poolWait > 0.1 ? 'the pool is too narrow' : null),
  },
];

/** A chart and which values of a point it draws, a list for each line. */
interface Drawn {
  chart: Chart;
  values: (point: Point) => (number | undefined)[];
}

/** Requests with a key, by what became of them. */
const ofRequests = (): Drawn[] => [
  {
    chart: chart(
      'Requests by outcome',
      [
        { label: 'executed', tone: 'accent' },
        { label: 'replayed', tone: 'good' },
        { label: 'told to wait', tone: 'warn' },
        { label: 'refused or failed', tone: 'bad' },
      ],
      perSecond,
    ),
    values: ({ rates }) => GROUPS.map((group) => rates?.[group]),
  },
  {
    chart: chart('Replays, in % of the requests', [{ label: 'stored answers given again', tone: 'good' }], percent),
    values: ({ rates }) => [rates && (100 * rates.replayed) / (total(rates) || 1)],
  },
];

/** What is still open, and what it waits for. */
const ofOperations = (): Drawn[] => [
  {
    chart: chart(
      'Operations without an outcome',
      [
        { label: 'running', tone: 'accent' },
        { label: 'outcome unknown', tone: 'warn' },
        { label: 'interrupted', tone: 'bad' },
      ],
      figure,
    ),
    values: ({ running, parked, interrupted }) => [running, parked, interrupted],
  },
  {
    chart: chart('Oldest without an outcome, in s', [{ label: 'age', tone: 'warn' }], duration),
    values: ({ oldest }) => [oldest],
  },
  { chart: chart('Payments for review', [{ label: 'flagged', tone: 'bad' }], figure), values: ({ forReview }) => [forReview] },
  {
    chart: chart('Wait for a connection, in ms', [{ label: 'average', tone: 'accent' }], (ms) => duration(ms && ms / 1_000)),
    values: ({ poolWait }) => [poolWait === undefined ? undefined : poolWait * 1_000],
  },
];

/** The figures, charts and the table of the screen. */
export class NowPanels {
  private readonly drawn = [...ofRequests(), ...ofOperations()];
  private readonly tiles = el('dl', { class: 'tiles' });
  private readonly rows = el('tbody');
  readonly elements: HTMLElement[] = [
    this.tiles,
    el('div', { class: 'charts' }, ...this.drawn.map(({ chart: { element } }) => element)),
    requestTable(this.rows),
  ];

  /** Shows the latest of what is known. */
  show(history: History): void {
    const { points } = history;
    const latest = points.at(-1);
    if (!latest) return;
    fill(this.tiles, ...TILES.map((tile) => tileOf(tile, latest)));
    const times = points.map(({ at }) => at);
    for (const { chart: each, values } of this.drawn) {
      const byPoint = points.map(values);
      each.draw(
        times,
        values(latest).map((_, line) => byPoint.map((point) => point[line])),
      );
    }
    fill(this.rows, ...history.requestLines().map(rowOf));
  }
}

function rowOf({ operation, outcome, retryReason, count }: RequestLine): HTMLElement {
  return el(
    'tr',
    {},
    el('td', {}, el('code', {}, operation)),
    el('td', {}, outcome),
    el('td', {}, retryReason || '–'),
    el('td', { class: 'number' }, figure(count)),
  );
}

function tileOf({ label, value, warning }: Tile, point: Point): HTMLElement {
  const warned = warning?.(point);
  return el(
    'div',
    { class: warned ? 'card tile warned' : 'card tile' },
    el('dt', {}, label),
    el('dd', {}, value(point), warned && el('span', { class: 'warning' }, warned)),
  );
}

function requestTable(body: HTMLElement): HTMLElement {
  return el(
    'div',
    { class: 'card' },
    el('h2', { id: 'requests-title' }, 'Requests with a key since the process began'),
    el(
      'div',
      { class: 'scrolls', tabindex: '0', role: 'region', 'aria-labelledby': 'requests-title' },
      el(
        'table',
        {},
        el(
          'thead',
          {},
          el(
            'tr',
            {},
            ...['Operation', 'Outcome', 'Reason given for the retry'].map((name) => el('th', { scope: 'col' }, name)),
            el('th', { scope: 'col', class: 'number' }, 'Count'),
          ),
        ),
        body,
      ),
    ),
  );
}
