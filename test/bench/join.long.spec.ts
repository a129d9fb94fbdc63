import type { JoinReport } from '../../bench/join.js';
import { run } from '../support/built-process.js';

it('npm run bench:join measures an order through tx and through a repository, with and without the join', async () => {
  const { code, stdout, stderr } = await run('bench/join.js', '--requests 40 --rounds 1 --base-rows 1000 --json'.split(' '));
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('failed')]);
  const { ways, machine } = JSON.parse(stdout) as JoinReport;
  expect(machine.node).toBe(process.version);
  expect(Object.keys(ways)).toEqual(['tx, join: false', 'tx, join: true', 'a repository, join: true']);
  expect(ways['tx, join: false'].nodeRatio).toEqual({ median: 1, low: 1, high: 1 });
  for (const { nodeUs, totalRatio } of Object.values(ways)) {
    expect(nodeUs.low).toBeGreaterThan(0);
    expect(totalRatio.median).toBeGreaterThan(0);
  }
}, 600_000);
