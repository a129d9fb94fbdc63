import { startPaymentWorld, type PaymentWorld } from '../../support/payments.js';
import { startProcess, type ApiProcess } from '../../support/process.js';
import { COMMIT_TRIGGERS } from './boundaries.js';
import { DatabaseGate } from './database-gate.js';
import { ProviderGate } from './provider-gate.js';

/** A payment world, and beside its replica one that is to die: whatever that one says to database and provider can be held. */
export interface DoomedWorld {
  world: PaymentWorld;
  victim: ApiProcess;
  database: DatabaseGate;
  provider: ProviderGate;
  close(): Promise<void>;
}

/** Starts it with a deadline and a lease that outlast what is held, and `env` beside; the victim meets nothing for the first time. */
export async function startDoomedWorld(env: Record<string, string> = {}): Promise<DoomedWorld> {
  const world = await startPaymentWorld();
  await world.database.query(COMMIT_TRIGGERS);
  const database = await DatabaseGate.start(world.database.url);
  const provider = await ProviderGate.start(world.sandbox.url);
  const victim = await startProcess(database.url, {
    ...world.env,
    PROVIDER_URL: provider.url,
    PROVIDER_TIMEOUT: '20s',
    IDEMPOTENCY_LEASE: '21s',
    ...env,
  });
  expect((await world.pay(await world.placeOrder(), 'tok_visa', { on: victim })).status).toBe(201);
  return {
    world,
    victim,
    database,
    provider,
    close: async () => {
      await victim.kill('SIGKILL');
      await Promise.all([database.close(), provider.close()]);
      await world.close();
    },
  };
}
