import { resolve } from 'node:path';
import { fullPlan } from '../../storm/plan.js';
import { runStorm } from '../../storm/storm.js';
import { Server, scriptsOf } from '../../storm/world.js';

let server: Server;
beforeAll(async () => {
  server = await Server.start();
}, 60_000);
afterAll(() => server.stop());

it('a short storm breaks no rule, and was one: enough was injected', async () => {
  const { violations, tooFew } = await runStorm(
    fullPlan({ operations: 150, seed: 7 }),
    server,
    scriptsOf(resolve(__dirname, '../../dist')),
  );
  expect({ violations, tooFew }).toEqual({ violations: [], tooFew: [] });
}, 240_000);
