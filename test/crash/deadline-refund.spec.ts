import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { uuidOf } from '../../src/kernel/ids.js';
import type { TestResponse } from '../support/app.js';
import { countOf, stockOf } from '../support/ledger.js';
import { WAIT, untilFinal, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { BOUNDARIES, type Boundary } from './support/boundaries.js';
import { startDoomedWorld, type DoomedWorld } from './support/victim.js';

/** Long enough that each charge is under way before the deadline, in milliseconds. */
const DEADLINE_MS = 5_000;

const REFUNDS: Pick<Boundary, 'name' | 'arm'>[] = [
  { name: 'before the refund is sent', arm: async ({ provider }, { amount }) => ({ reached: provider.hold(amount, 'before', 'refunds') }) },
  {
    name: 'after the refund, its answer lost',
    arm: async ({ provider }, { amount }) => ({ reached: provider.hold(amount, 'after', 'refunds') }),
  },
  ...BOUNDARIES.filter(({ name }) => name === 'inside the settling commit'),
];

let doomed: DoomedWorld;
let world: PaymentWorld;
let struck: Map<string, { order: PlacedOrder; key: string }>;

/** Charges whose answers come after their deadline bring the victim to every boundary of the refund; there it is killed. */
beforeAll(async () => {
  doomed = await startDoomedWorld();
  const { victim, database, provider } = doomed;
  ({ world } = doomed);
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
afterAll(() => doomed.close());

const finalAnswer = (order: PlacedOrder, key: string): Promise<TestResponse> =>
  untilFinal(() => world.pay(order, 'tok_visa', { key, headers: WAIT }));

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
