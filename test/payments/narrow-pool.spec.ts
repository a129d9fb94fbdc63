import { v7 as uuidv7 } from 'uuid';
import { tally } from '../support/app.js';
import { recordsOf } from '../support/ledger.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
beforeAll(async () => {
  world = await startPaymentWorld({
    DB_POOL_SIZE: '4',
    PROVIDER_TIMEOUT: '4s',
    IDEMPOTENCY_LEASE: '5s',
    IDEMPOTENCY_RECOVERY_INTERVAL: '200ms',
  });
});
afterAll(() => world.close());

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

async function untilCancelled(order: Awaited<ReturnType<PaymentWorld['placeOrder']>>, key: string): ReturnType<PaymentWorld['cancel']> {
  for (;;) {
    const answer = await world.cancel(order, { key });
    if (answer.status !== 409) return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
