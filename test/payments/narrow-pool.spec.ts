import { v7 as uuidv7 } from 'uuid';
import { tally } from '../support/app.js';
import { recordsOf } from '../support/ledger.js';
import { untilBlocked } from '../support/locks.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';
import { CommitProxy } from '../support/proxy.js';

let world: PaymentWorld;
let proxy: CommitProxy;
beforeAll(async () => {
  world = await startPaymentWorld({
    DB_POOL_SIZE: '4',
    PROVIDER_TIMEOUT: '4s',
    IDEMPOTENCY_LEASE: '5s',
    IDEMPOTENCY_RECOVERY_INTERVAL: '200ms',
  });
  proxy = await CommitProxy.start(world.database.url, 'idempotency-insert-running');
});
afterAll(async () => {
  await world.close();
  await proxy.close();
});

it('more payments at once than connections all get their own first answer', async () => {
  const orders = await Promise.all(Array.from({ length: 12 }, () => world.placeOrder()));
  const answers = await Promise.all(orders.map((order) => world.pay(order)));
  expect(tally(answers)).toEqual({ 201: 12 });
  expect(answers.filter(({ headers }) => headers.has('idempotent-replayed'))).toEqual([]);
});

it('an order is not cancelled while a refund of it is under way, and later it is', async () => {
  const [order, key] = [await world.placeOrder(), uuidv7()];
  const payment = await world.pay(order);
  const held = await world.sandbox.hold();
  try {
    expect((await world.send('POST', `/v1/payments/${payment.body['id']}/refunds`, { body: {} })).status).toBe(202);
    expectProblem(await world.cancel(order, { key }), 'payment-in-progress');
    expect(await recordsOf(world.database, key)).toEqual([]);
  } finally {
    await held.release();
  }
  const answer = await world.cancel(order, { key, headers: { prefer: 'wait=20' } });
  const again = answer.status === 409 ? await untilCancelled(order, key) : answer;
  expect([again.status, again.body['status']]).toEqual([200, 'cancelled']);
  expect((await world.stateOf(order)).refunded).toBe(order.total);
});

it.each(['1', '2'])(
  'a payment whose first COMMIT lost its answer is charged without holding a connection, with a pool of %s',
  async (size) => {
    // More patience than the test needs: the provider is held, and nobody may take the payment over meanwhile.
    const patience = { PROVIDER_TIMEOUT: '20s', IDEMPOTENCY_LEASE: '30s' };
    const behind = await world.secondApp({ ...patience, DATABASE_URL: proxy.url, DB_POOL_SIZE: size });
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const held = await world.sandbox.hold();
    proxy.met = 0;
    proxy.next('cut-after');
    const paying = world.pay(order, 'tok_visa', { key, on: behind, headers: { prefer: 'wait=20' } });
    try {
      await untilBlocked(world.sandbox.database);
      expect(proxy.met).toBe(1);
      expect(await openTransactions()).toEqual([]);
    } finally {
      await held.release();
    }
    const payment = await paying;
    expect([payment.status, payment.body['status']]).toEqual([201, 'succeeded']);
    expect(await world.stateOf(order)).toEqual({ order: 'paid', payments: ['succeeded'], amountRefunded: 0, charges: 1, refunded: 0 });
    expect(await recordsOf(world.database, key)).toMatchObject([{ status: 'completed', response_status: 201 }]);
    expect((await world.pay(order, 'tok_visa', { key })).text).toBe(payment.text);
  },
);

/** The last statement of each session that holds a transaction open. */
async function openTransactions(): Promise<string[]> {
  const rows = await world.database.query<{ query: string }>(
    `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
  );
  return rows.map(({ query }) => query);
}

async function untilCancelled(order: Awaited<ReturnType<PaymentWorld['placeOrder']>>, key: string): ReturnType<PaymentWorld['cancel']> {
  for (;;) {
    const answer = await world.cancel(order, { key });
    if (answer.status !== 409) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
