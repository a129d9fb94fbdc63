import { runEndToEnd } from '../support/end-to-end.js';
import { startPaymentWorld } from '../support/payments.js';
import { startProcess } from '../support/process.js';

it('the end-to-end suite passes against a replica in a process of its own', async () => {
  const world = await startPaymentWorld();
  const replica = await startProcess(world.database.url, { PROVIDER_URL: world.sandbox.url });
  try {
    expect(await runEndToEnd(replica.url)).toMatch(/Tests: +\d+ passed, /);
  } finally {
    await replica.kill('SIGKILL');
    await world.close();
  }
}, 120_000);
