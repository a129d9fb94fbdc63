import type { AroundReport } from '../../bench/around.js';
import type { JoinReport } from '../../bench/join.js';
import type { SharesReport } from '../../bench/shares.js';
import type { StatementsReport } from '../../bench/statements.js';
import { run } from '../support/built-process.js';

const AMOUNTS = '--requests 40 --rounds 1 --base-rows 1000 --json'.split(' ');

async function reportOf<R>(script: string): Promise<R> {
  const { code, stdout, stderr } = await run(script, AMOUNTS);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('failed')]);
  return JSON.parse(stdout) as R;
}

it('npm run bench:join measures an order through tx and through a repository, with and without the join', async () => {
  const { ways, machine } = await reportOf<JoinReport>('bench/join.js');
  expect(machine.node).toBe(process.version);
  expect(Object.keys(ways)).toEqual(['tx, join: false', 'tx, join: true', 'a repository, join: true']);
  expect(ways['tx, join: false'].nodeRatio).toEqual({ median: 1, low: 1, high: 1 });
  for (const { nodeUs, totalRatio } of Object.values(ways)) {
    expect(nodeUs.low).toBeGreaterThan(0);
    expect(totalRatio.median).toBeGreaterThan(0);
  }
}, 600_000);

it('npm run bench:around measures what lies around the core, of first requests, of replays and of an account alone', async () => {
  const { workloads } = await reportOf<AroundReport>('bench/around.js');
  const names = ['as shipped', 'without metrics and logs', 'without limits and turns', 'with traces'];
  expect(Object.values(workloads).map((ways) => Object.keys(ways).toSorted())).toEqual(
    [names, names, names].map((list) => list.toSorted()),
  );
  for (const way of Object.values(workloads).flatMap((ways) => Object.values(ways))) expect(way.paceRatio.median).toBeGreaterThan(0);
}, 600_000);

it('npm run bench:shares says where the whole time of first requests and of replays goes', async () => {
  const { shares } = await reportOf<SharesReport>('bench/shares.js');
  expect(Object.keys(shares)).toEqual(['a first request', 'a replay']);
  for (const parts of Object.values(shares)) {
    expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBeCloseTo(1);
    expect(Math.min(...Object.values(parts))).toBeGreaterThan(0);
  }
}, 600_000);

it('npm run bench:statements lists what an order and a payment have the server do', async () => {
  const { requests } = await reportOf<StatementsReport>('bench/statements.js');
  expect(Object.keys(requests)).toEqual(['an order with two items', 'a payment']);
  for (const [table, list] of [
    ['orders', requests['an order with two items']],
    ['payments', requests['a payment']],
  ] as const)
    expect(list?.find(({ text }) => text.startsWith(`INSERT INTO ${table} `))?.times).toBe(1);
}, 600_000);
