import { v7 as uuidv7 } from 'uuid';
import { publicId } from '../../src/kernel/ids.js';
import { HOLDFAST, measured, orders, type Context } from '../context.js';
import type { Sample } from '../measure.js';
import type { Prepared } from '../requests.js';
import { inRounds } from '../rounds.js';
import type { World } from '../world.js';

/** How long the provider takes for an answer, in milliseconds. */
export const PROVIDER_MS = 20;

/** Connections that pay: few enough that a payment's time is not that of a queue. */
export const PAYING = 16;
/** A payment takes several times as long as an order, and fewer of them tell as much. */
const FEWER = 2;

/** Payments that a provider takes part in. */
export interface Payments {
  samples: Sample[];
  /** Payments that were asked for, those that succeeded, and charges that the provider made. */
  effects: { requests: number; payments: number; charges: number };
}

/** @throws Error unless each payment was charged exactly once */
export async function payments(context: Context): Promise<Payments> {
  const { world, loader, amounts } = context;
  const sandbox = await world.start('the sandbox', '../sandbox/main.js', {
    SANDBOX_PORT: '0',
    SANDBOX_DATABASE_URL: world.postgres.url('holdfast_sandbox'),
  });
  await delayAnswers(sandbox.url);
  const holdfast = await world.start('holdfast', HOLDFAST, { PROVIDER_URL: sandbox.url });
  let requests = 0;
  const run = async (amount: number): Promise<Sample> => {
    await loader.run(orders(holdfast, { amount, traffic: { kind: 'fresh', keys: 'uuidv7' } }));
    const list = await paymentsOfLatest(world, amount);
    requests += list.length;
    return measured(context, holdfast, {
      ...orders(holdfast, { amount, traffic: { kind: 'list', requests: list } }),
      path: '/v1/payments',
      connections: PAYING,
    });
  };
  const { payments: samples = [] } = await inRounds([{ name: 'payments', run }], {
    ...amounts,
    requests: Math.ceil(amounts.requests / FEWER),
  });
  const [succeeded] = await world.query<{ count: string }>(`SELECT count(*) FROM payments WHERE status = 'succeeded'`);
  const ledger = (await (await fetch(`${sandbox.url}/ledger`)).json()) as { charges: unknown[] };
  await Promise.all([holdfast.stop(), sandbox.stop()]);
  const effects = { requests, payments: Number(succeeded?.count), charges: ledger.charges.length };
  if (effects.payments !== requests || effects.charges !== requests) {
    throw new Error(`${requests} payments were sent; ${effects.payments} succeeded, and ${effects.charges} charges were made`);
  }
  return { samples, effects };
}

async function delayAnswers(url: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/faults`, { method: 'PUT', headers, body: JSON.stringify({ latencyMs: PROVIDER_MS }) });
  if (!answer.ok) throw new Error(`the sandbox takes no latency: ${await answer.text()}`);
}

/** A payment for each of the orders that were placed last. */
export async function paymentsOfLatest(world: World, amount: number): Promise<Prepared[]> {
  const latest = await world.query<{ id: string }>('SELECT id FROM orders ORDER BY created_at DESC LIMIT $1', [amount]);
  return latest.map(({ id }) => ({
    key: uuidv7(),
    body: JSON.stringify({ orderId: publicId('ord', id), amount: 2_000, currency: 'EUR', source: 'tok_visa' }),
  }));
}
