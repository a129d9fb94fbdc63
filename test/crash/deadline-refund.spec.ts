import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { uuidOf } from '../../src/kernel/ids.js';
import type { TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { countOf, stockOf } from '../support/ledger.js';
import { WAIT, startPaymentWorld, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { startProcess, type ApiProcess } from '../support/process.js';
import { BOUNDARIES, COMMIT_TRIGGERS, type Boundary } from './support/boundaries.js';
import { DatabaseGate } from './support/database-gate.js';
import { ProviderGate } from './support/provider-gate.js';

/** Long enough that each charge is under way before the deadline, in milliseconds. */
const DEADLINE_MS = 5_000;
/** Until whoever comes back gets a final answer: a lease, and a busy machine. */
const FINAL_MS = 30_000;

const REFUNDS: Pick<Boundary, 'name' | 'arm'>[] = [
  { name: 'before the refund is sent', arm: async ({ provider }, { amount }) => ({ reached: provider.hold(amount, 'before', 'refunds') }) },
  {
    name: 'after the refund, its answer lost',
    arm: async ({ provider }, { amount }) => ({ reached: provider.hold(amount, 'after', 'refunds') }),
  },
  ...BOUNDARIES.filter(({ name }) => name === 'inside the settling commit'),
];

let world: PaymentWorld;
let victim: ApiProcess;
let database: DatabaseGate;
let provider: ProviderGate;
let struck: Map<string, { order: PlacedOrder; key: string }>;

/** Charges whose answers come after their deadline bring the victim to every boundary of the refund; there it is killed. */
beforeAll(async () => {
  world = await startPaymentWorld();
  await world.database.query(COMMIT_TRIGGERS);
  database = await DatabaseGate.start(world.database.url);
  provider = await ProviderGate.start(world.sandbox.url);
  victim = await startProcess(database.url, {
    ...world.env,
    PROVIDER_URL: provider.url,
    PROVIDER_TIMEOUT: '20s',
    IDEMPOTENCY_LEASE: '21s',
  });
  // So that it meets nothing for the first time.
  expect((await world.pay(await world.placeOrder(), 'tok_visa', { on: victim })).status).toBe(201);
  const wanted = [];
  for (const boundary of REFUNDS) wanted.push({ boundary, order: await world.placeOrder(), key: uuidv7() });
  const deadline = new Date(Date.now() + DEADLINE_MS);
  const gates = { databaseUrl: world.database.url, database, provider };
  const charges = await Promise.all(
    wanted.map(async ({ boundary, order, key }) => {
      const charge = provider.hold(order.total, 'before');
      void world
        .pay(order, 'tok_visa', { key, headers: { 'request-deadline': deadline.toUTCString() }, on: victim })
        .catch(() => undefined);
      await charge;
      const { reached } = await boundary.arm(gates, { key, orderUuid: uuidOf('ord', order.id) ?? '', amount: order.total });
      return { charge, reached };
    }),
  );
  await sleep(Math.max(0, deadline.getTime() - Date.now()) + 500);
  for (const { charge } of charges) (await charge).release();
  const held = await Promise.all(charges.map(({ reached }) => reached));
  await victim.kill('SIGKILL');
  for (const each of held) each.release();
  struck = new Map(wanted.map(({ boundary, order, key }) => [boundary.name, { order, key }]));
  // Nobody waits for the lease of a process that is dead.
  await world.database.query(`UPDATE idempotency_records SET lease_until = now(), next_run_at = now() WHERE status = 'running'`);
}, 120_000);
afterAll(async () => {
  await victim.kill('SIGKILL');
  await Promise.all([database.close(), provider.close()]);
  await world.close();
});

const finalAnswer = (order: PlacedOrder, key: string): Promise<TestResponse> =>
  eventually(
    'a final answer',
    async () => {
      const answer = await world.pay(order, 'tok_visa', { key, headers: WAIT });
      return answer.status !== 202 && answer.body['retry'] !== 'same-key' && answer;
    },
    FINAL_MS,
  );

it.each(REFUNDS.map(({ name }) => name))('kill -9 %s, after the deadline: the charge goes back once, and the key says so', async (name) => {
  const { order, key } = struck.get(name) ?? { order: await world.placeOrder(), key: '' };
  const answer = await finalAnswer(order, key);
  expect(answer).toMatchObject({ status: 409, body: { code: 'deadline-passed', payment: { amountRefunded: order.total } } });
  expect(await world.stateOf(order)).toEqual({
    order: 'pending',
    payments: ['failed'],
    amountRefunded: order.total,
    charges: 1,
    refunded: order.total,
  });
  expect(await world.refundsOf(order)).toHaveLength(1);
  expect(await countOf(world.database, 'refunds', `amount = $1 AND status = 'succeeded'`, [order.total])).toBe(1);
  expect(await countOf(world.database, 'payments', 'review_reason IS NOT NULL')).toBe(0);
  expect(await stockOf(world.database, order.productId)).toBe(999);
  // It can be paid under a new key.
  expect((await world.pay(order, 'tok_visa', { headers: WAIT })).status).toBe(201);
  expect(await world.stateOf(order)).toMatchObject({ order: 'paid', charges: 2, refunded: order.total });
});
