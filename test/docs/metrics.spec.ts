import { METRICS, type Declaration } from '../../src/observability/metrics.js';
import { marked, read, rowsOf } from './markdown.js';

const page = read('docs/metrics.md');
const declared: [string, Declaration][] = Object.entries(METRICS);

const labelsOf = ({ labels }: Declaration): string =>
  Object.entries(labels)
    .map(([label, values]) => `\`${label}\` (${typeof values === 'string' ? values : values.map((value) => `\`${value}\``).join(', ')})`)
    .join('; ') || '–';
const shown = (text: string): string => text.replaceAll('`', '');

it('every metric is listed with its type, unit, origin, labels and meaning, and no other', () => {
  const cells = declared.map(([name, metric]) => [name, metric.type, metric.unit, metric.of, labelsOf(metric), metric.help]);
  expect(rowsOf(marked(page, 'metrics')).map((row) => row.map(shown))).toEqual(cells.map((row) => row.map(shown)));
});

it('every outcome of a request is explained', () => {
  expect(rowsOf(marked(page, 'outcomes')).map(([outcome]) => outcome)).toEqual(METRICS.idempotency_requests_total.labels.outcome);
});

it.each(declared)('%s is named as Prometheus recommends', (name, { type, unit, labels }) => {
  expect(name).toMatch(/^(idempotency|payments|webhooks|database|holdfast)_[a-z]+(_[a-z]+)*$/);
  expect(name.endsWith('_total')).toBe(type === 'counter');
  if (unit === 'seconds' || unit === 'bytes') expect(name).toMatch(new RegExp(`_${unit}$`));
  for (const label of Object.keys(labels)) expect(label).toMatch(/^[a-z]+(_[a-z]+)*$/);
  expect(Object.keys(labels)).not.toEqual(expect.arrayContaining([expect.stringMatching(/account|key$/)]));
});
