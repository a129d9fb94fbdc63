import { TemporaryPostgres } from '../../local/temporary-postgres.js';
import { v7 as uuidv7 } from 'uuid';
import { publicId } from '../../src/kernel/ids.js';
import { HOLDFAST, measured, orders, type Context } from '../context.js';
import type { Job } from '../loader.js';
import type { Sample } from '../measure.js';
import { ServerMeter } from '../proc.js';
import type { Prepared } from '../requests.js';
import { inRounds, type Variant } from '../rounds.js';
import type { Service } from '../service.js';
import type { World } from '../world.js';

/** How long the provider takes for an answer, in milliseconds. */
export const PROVIDER_MS = 20;

/** Connections that pay: few enough that a payment's time is not that of a queue. */
const PAYING = 16;
/** A payment takes several times as long as an order, and fewer of them tell as much. */
const FEWER = 2;

/** `floor`: the same statements and the same call of the provider by hand on node:http. */
export type PaymentVariant = 'holdfast' | 'floor';

/** Payments that a provider takes part in. */
export interface Payments {
  samples: Partial<Record<PaymentVariant, Sample[]>>;
  /** CPU time of the provider for one payment, its own PostgreSQL's included, in microseconds, round by round. No sample has it. */
  providerUs: number[];
  /** Payments that were asked for, those that succeeded, and charges that the provider made. */
  effects: { requests: number; payments: number; charges: number };
}

/** @throws Error unless each payment was charged exactly once */
export async function payments(context: Context): Promise<Payments> {
  const { world, loader, amounts } = context;
  const { sandbox, elsewhere } = await startProvider(world);
  const env = { PROVIDER_URL: sandbox.url };
  const holdfast = await world.start('holdfast', HOLDFAST, env);
  const floor = await world.start('the payment by hand', 'variants/payment-floor.js', env);
  let requests = 0;
  const providerUs: number[] = [];
  const variant = (name: PaymentVariant, service: Service): Variant<PaymentVariant> => ({
    name,
    run: async (amount, part) => {
      await loader.run(orders(holdfast, { amount, traffic: { kind: 'fresh', keys: 'uuidv7' } }));
      const list = await paymentsOfLatest(world, amount);
      requests += list.length;
      const [before, server] = [sandbox.cpu(), new ServerMeter((await elsewhere.ready).pid)];
      const sample = await measured(context, service, paying(service, list));
      if (part === 'measured') providerUs.push((sandbox.cpu() - before + server.spent()) / amount);
      return sample;
    },
  });
  const samples = await inRounds([variant('holdfast', holdfast), variant('floor', floor)], {
    ...amounts,
    requests: Math.ceil(amounts.requests / FEWER),
  });
  const [succeeded] = await world.query<{ count: string }>(
    `SELECT count(*) FROM payments WHERE status = 'succeeded' AND reference NOT LIKE 'base-%'`,
  );
  const ledger = (await (await fetch(`${sandbox.url}/ledger`)).json()) as { charges: unknown[] };
  await Promise.all([holdfast.stop(), floor.stop(), sandbox.stop()]);
  await elsewhere.end();
  const effects = { requests, payments: Number(succeeded?.count), charges: ledger.charges.length };
  if (effects.payments !== requests || effects.charges !== requests) {
    throw new Error(`${requests} payments were sent; ${effects.payments} succeeded, and ${effects.charges} charges were made`);
  }
  return { samples, providerUs, effects };
}

/** The sandbox on a server of its own: what a provider takes is not what a payment costs. */
export async function startProvider(world: World): Promise<{ sandbox: Service; elsewhere: TemporaryPostgres }> {
  const elsewhere = new TemporaryPostgres('provider', ['holdfast_sandbox']);
  world.keep({ stop: () => elsewhere.end() });
  const sandbox = await world.start('the sandbox', '../sandbox/main.js', {
    SANDBOX_PORT: '0',
    SANDBOX_DATABASE_URL: (await elsewhere.ready).url('holdfast_sandbox'),
  });
  await delayAnswers(sandbox.url);
  return { sandbox, elsewhere };
}

async function delayAnswers(url: string): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/faults`, { method: 'PUT', headers, body: JSON.stringify({ latencyMs: PROVIDER_MS }) });
  if (!answer.ok) throw new Error(`the sandbox takes no latency: ${await answer.text()}`);
}

/** The job that sends these payments, each once. */
export function paying(service: Service, requests: Prepared[]): Job {
  const job = orders(service, { amount: requests.length, traffic: { kind: 'list', requests } });
  return { ...job, path: '/v1/payments', connections: PAYING };
}

/** A payment for each of the orders that were placed last. */
export async function paymentsOfLatest(world: World, amount: number): Promise<Prepared[]> {
  const latest = await world.query<{ id: string }>('SELECT id FROM orders ORDER BY created_at DESC LIMIT $1', [amount]);
  return latest.map(({ id }) => ({
    key: uuidv7(),
    body: JSON.stringify({ orderId: publicId('ord', id), amount: 2_000, currency: 'EUR', source: 'tok_visa' }),
  }));
}
