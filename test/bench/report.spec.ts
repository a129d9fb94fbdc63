import { chartOf } from '../../bench/report/chart.js';
import { markdownOf } from '../../bench/report/table.js';
import { resultsOf, type Measured } from '../../bench/results.js';

const sample = (nodeUs: number) => ({ nodeUs, postgresUs: 100, totalUs: nodeUs + 100, perSecond: 1_000, p50: 2, p99: 9, residentMb: 120 });
const rounds = (...nodeUs: number[]) => nodeUs.map(sample);
const seen = { p50: 1, p99: 2, longest: 3, hammerPerSecond: 0 };

const measured: Measured = {
  first: {
    samples: {
      holdfast: rounds(200, 300, 500),
      floor: rounds(100, 100, 200),
      inFlights: rounds(50, 50, 50),
      oneByOne: rounds(100, 100, 100),
    },
    reasons: { nodeIdempotency: 'there is no redis-server on the PATH', pgbench: 'there is no pgbench on the PATH' },
  },
  replays: { hot: rounds(50, 50, 50), cold: rounds(200, 200, 200), static: rounds(50, 50, 50) },
  batches: { single: rounds(300, 300, 300), batched: rounds(20, 20, 60) },
  mix: { samples: rounds(300, 300, 300), statuses: { '201': 90, '422': 10 }, effects: { keys: 80, orders: 80 } },
  payments: {
    samples: { holdfast: rounds(900, 900, 900), floor: rounds(400, 400, 900) },
    providerUs: [80, 90, 70],
    effects: { requests: 30, payments: 30, charges: 30 },
  },
  distance: {
    samples: { 'holdfast 0': rounds(1, 1, 1), 'holdfast 5': rounds(1, 1, 1).map((each) => ({ ...each, p50: 8 })) },
    roundTrips: { 0: 0.1, 1: 1.1, 5: 5.1 },
  },
  hotKey: {
    quiet: seen,
    held: { ...seen, p99: 4, longest: 60 },
    unbounded: { ...seen, p99: 40 },
    crowd200: { ...seen, p99: 5 },
    crowd600: { ...seen, p99: 12 },
  },
};
const results = resultsOf(
  measured,
  {
    cpu: 'A <fast> one & only',
    cores: 2,
    memoryGb: 8,
    platform: 'linux',
    node: 'v20',
    postgres: '18',
    sharedBuffers: '128MB',
    loadAverage: { start: 0.1, end: 1 },
  },
  { rounds: 3, requestsPerRound: 10, connections: 32, baseRows: 1_000, fsync: 'on', synchronous_commit: 'off', full_page_writes: 'on' },
);

it('a ratio is the median of the ratios within a round', () => {
  // 300/200, 400/200, 600/300
  expect(results.spreads.firstVsFloor).toEqual({ median: 2, low: 1.5, high: 2 });
  expect(results.ratios).toMatchObject({
    firstVsFloor: 2,
    hotReplayVsStatic: 1,
    coldReplayVsHot: 2,
    batchedVsSingle: 0.3,
    paymentVsFloor: 2,
  });
});

it('round trips are what the distance adds, in ways there and back as they were measured', () => {
  // (8 - 2) / (5.1 - 0.1)
  expect(results.workloads.distance.holdfast.roundTrips).toEqual({ median: 1.2, low: 1.2, high: 1.2 });
  expect(results.ratios).toMatchObject({ distantRoundTrips: 1.2, fairness200: 2.5, fairness600: 6 });
  expect(results.goals['distantRoundTrips']?.met).toBe(true);
});

it('what could not run is null, with the reason', () => {
  expect(results.ratios.firstVsNodeIdempotency).toBeNull();
  expect(results.reasons.firstVsNodeIdempotency).toBe('there is no redis-server on the PATH');
});

it('goals are judged by what was measured', () => {
  expect(results.goals).toMatchObject({
    firstVsFloor: { met: false },
    coldReplayVsHot: { met: true },
    firstVsNodeIdempotency: { met: null },
  });
  expect(results.goals).toMatchObject({
    hotKeyHurtsNobodyElse: { met: false },
    crowdOf200: { met: true },
    crowdOf600: { met: false },
    durable: { met: false },
    oneOrderPerKey: { met: true },
    noPoolWait: { met: null },
  });
  expect(results.workloads.hotKey.p99Ratio).toEqual({ held: 2, unbounded: 20, crowd200: 2.5, crowd600: 6 });
});

it('the tables are Markdown, with every ratio and every variant', () => {
  const text = markdownOf(results);
  for (const line of text.split('\n').filter((line) => line.startsWith('|'))) expect(line).toMatch(/^\|( .*? \|)+$/);
  expect(text).toContain('| **2** ');
  expect(text).toMatch(/first request ÷ @node-idempotency.*not measured: there is no redis-server/);
  expect(text).toContain('The mix was answered with 90 × 201, 10 × 422; its 80 keys wrote 80 orders.');
});

it('the chart is well-formed, and draws a bar for each variant that was measured', () => {
  const svg = chartOf(results);
  expect(svg).toContain('A &lt;fast> one &amp; only');
  expect(svg.match(/<title>Node/g)).toHaveLength(7);
  expect(svg.match(/<title>Redis/g)).toBeNull();
  const tags = [...svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)].filter(([, , , empty]) => empty === '');
  expect(tags.filter(([, closing]) => closing === '/')).toHaveLength(tags.length / 2);
});
