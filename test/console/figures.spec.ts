import { Counter, Registry } from 'prom-client';
import { readExposition, sumOf } from '../../src/console/browser/exposition.js';
import { History, METRIC } from '../../src/console/browser/figures.js';
import { duration, figure, money } from '../../src/console/browser/format.js';
import { METRICS } from '../../src/observability/metrics.js';

describe('money', () => {
  const of = (amount: number, currency: string): string => money(amount, currency).replaceAll(' ', ' ');

  it.each([
    [2_500, 'EUR', '25.00'],
    [1, 'EUR', '0.01'],
    [2_500, 'JPY', '2,500'],
    // In coins the forint has no hundredths; in ISO 4217, and in the API, it has.
    [250_000, 'HUF', '2,500.00'],
    [2_500, 'BHD', '2.500'],
    [2_500, 'IQD', '2.500'],
    [25_000, 'CLF', '2.5000'],
    [999_999_999_999, 'USD', '9,999,999,999.99'],
  ])('%d in the minor unit of %s is %s', (amount, currency, shown) => {
    expect(of(amount, currency)).toContain(shown);
    expect(of(amount, currency).replaceAll(/[^\d.,]/g, '')).toBe(shown);
  });

  it('of what is no currency is shown as it is', () => {
    expect(money(5, 'no currency')).toBe('5 no currency');
  });
});

it.each([
  [undefined, '–'],
  [0, '0 s'],
  [0.0042, '4.2 ms'],
  [0.25, '250 ms'],
  [12.34, '12.3 s'],
  [185, '3 min 5 s'],
  [7_200, '2 h'],
  [360_000, '4 d 4 h'],
])('%s seconds are %s', (seconds, shown) => {
  expect(duration(seconds)).toBe(shown);
});

it('what is not known is a dash', () => {
  expect([figure(undefined), figure(Number.NaN), figure(0)]).toEqual(['–', '–', '0']);
});

describe('the metrics', () => {
  it('are read as prom-client writes them, whatever a label holds', async () => {
    const registry = new Registry();
    const counter = new Counter({ name: 'a_total', help: 'with\nlines', labelNames: ['of', 'more'], registers: [registry] });
    const odd = String.raw`a "quoted" \ and` + '\n, } line';
    counter.inc({ of: odd, more: 'x' }, 2.5);
    counter.inc({ of: 'b', more: 'y' }, 1e21);
    const samples = readExposition(await registry.metrics());
    expect(samples.get('a_total')).toEqual([
      { labels: { of: odd, more: 'x' }, value: 2.5 },
      { labels: { of: 'b', more: 'y' }, value: 1e21 },
    ]);
    expect(sumOf(samples, 'a_total', ({ more }) => more === 'x')).toBe(2.5);
    expect(sumOf(samples, 'b_total')).toBeUndefined();
  });

  const at = (started: number, lines: string[]): ReturnType<typeof readExposition> =>
    readExposition([`process_start_time_seconds ${started}`, ...lines].join('\n'));
  const requests = (outcome: string, count: number): string =>
    `idempotency_requests_total{operation="o",outcome="${outcome}",retry_reason=""} ${count}`;

  it('become rates between two looks, and none across a restart', () => {
    const history = new History();
    history.add(100, at(1, [requests('executed', 5)]));
    history.add(110, at(1, [requests('executed', 25), requests('replayed', 10), requests('in-progress', 1), requests('anything', 3)]));
    history.add(120, at(115, [requests('executed', 4)]));
    expect(history.points.map(({ rates }) => rates)).toEqual([
      undefined,
      { executed: 2, replayed: 1, 'told to wait': 0.1, 'refused or failed': 0.3 },
      undefined,
    ]);
    expect(history.requestLines()).toEqual([{ operation: 'o', outcome: 'executed', retryReason: '', count: 4 }]);
  });

  it('are those that the service declares', () => {
    // Node's own metrics are prom-client's to declare.
    const own = Object.values(METRIC).filter((name) => !name.startsWith('process_'));
    const declared = Object.entries(METRICS).flatMap(([name, { type }]) =>
      type === 'histogram' ? [`${name}_sum`, `${name}_count`] : [name],
    );
    expect(declared).toEqual(expect.arrayContaining(own));
  });

  it('that a server does not have are unknown, not zero', () => {
    const history = new History();
    history.add(100, at(1, []));
    expect(history.points[0]).toMatchObject({ running: undefined, oldest: undefined, forReview: undefined, poolWait: undefined });
  });
});
