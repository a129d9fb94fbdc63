import { resolve } from 'node:path';
import { fullPlan } from '../../storm/plan.js';
import { runStorm } from '../../storm/storm.js';
import { scriptsOf } from '../../storm/world.js';
import { startCluster, whyNoCitus, type Cluster } from '../support/citus.js';
import { leftOut } from '../support/debian.js';

const missing = whyNoCitus();
const unlessMissing = missing === null ? it : it.skip;

let cluster: Cluster;
beforeAll(async () => {
  if (missing === null) cluster = await startCluster();
}, 60_000);
afterAll(() => cluster?.stop());

unlessMissing(
  `a short storm over replicas that enter by three servers breaks no rule, and was one${leftOut(missing)}`,
  async () => {
    const { violations, tooFew } = await runStorm(
      fullPlan({ operations: 150, seed: 7 }),
      cluster,
      scriptsOf(resolve(__dirname, '../../dist')),
    );
    expect({ violations, tooFew }).toEqual({ violations: [], tooFew: [] });
  },
  400_000,
);
