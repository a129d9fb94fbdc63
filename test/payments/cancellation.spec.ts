import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { uuidOf } from '../../src/kernel/ids.js';
import { addApiKey } from '../support/api-keys.js';
import { atOnce, KEY_B, tally, type TestApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { recordsOf, stockOf } from '../support/ledger.js';
import { untilBlocked } from '../support/locks.js';
import { WAIT, useTwoReplicas, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
let replica: TestApp;
useTwoReplicas((...started) => ([world, replica] = started));

const FULL_STOCK = 1_000;
const stock = (order: PlacedOrder): Promise<number> => stockOf(world.database, order.productId);

/** Why the order's payment is to be looked at. */
async function reviewOf(order: PlacedOrder): Promise<string | null | undefined> {
  const found = world.database.query<{ review_reason: string | null }>('SELECT review_reason FROM payments WHERE order_id = $1', [
    uuidOf('ord', order.id),
  ]);
  return (await found)[0]?.review_reason;
}

/** Expects a cancelled order whose money and stock went back, whatever was charged. */
async function expectUndone(order: PlacedOrder, payments: string[], charged = payments.includes('succeeded')): Promise<void> {
  const money = charged ? order.total : 0;
  expect(await world.stateOf(order)).toEqual({
    order: 'cancelled',
    payments,
    amountRefunded: money,
    charges: charged ? 1 : 0,
    refunded: money,
  });
  expect(await stock(order)).toBe(FULL_STOCK);
}

describe('cancelling an order', () => {
  it('that is unpaid gives its stock back, once, and calls no provider', async () => {
    const [order, key, before] = [await world.placeOrder(), uuidv7(), (await world.ledger()).requests.length];
    expect(await stock(order)).toBe(FULL_STOCK - 1);
    const answer = await world.cancel(order, { key });
    expect([answer.status, answer.body['status'], answer.body['version']]).toEqual([200, 'cancelled', 2]);
    const shown = await world.send('GET', `/v1/orders/${order.id}`);
    expect([shown.text, shown.headers.get('etag')]).toEqual([answer.text, answer.headers.get('etag')]);
    const again = await world.cancel(order, { key, on: replica });
    expect([again.text, again.headers.get('idempotent-replayed')]).toEqual([answer.text, 'true']);
    await expectUndone(order, []);
    expect((await world.ledger()).requests).toHaveLength(before);
  });

  it('that is paid refunds it', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.pay(order);
    const answer = await world.cancel(order, { key });
    expect([answer.status, answer.body['status']]).toEqual([200, 'cancelled']);
    await expectUndone(order, ['succeeded']);
    expect((await world.cancel(order, { key, on: replica })).text).toBe(answer.text);
    await expectUndone(order, ['succeeded']);
  });

  it('that is partly refunded refunds the rest', async () => {
    const order = await world.placeOrder();
    const payment = await world.pay(order);
    await world.refund(String(payment.body['id']), { amount: 400 });
    expect((await world.cancel(order)).status).toBe(200);
    await expectUndone(order, ['succeeded']);
    expect((await world.refundsOf(order)).map(({ amount }) => amount)).toEqual([400, order.total - 400]);
  });

  it('that is refunded already calls for no further refund', async () => {
    const order = await world.placeOrder();
    const payment = await world.pay(order);
    await world.refund(String(payment.body['id']));
    expect((await world.cancel(order)).status).toBe(200);
    await expectUndone(order, ['succeeded']);
    expect(await world.refundsOf(order)).toHaveLength(1);
  });

  it('after a decline has nothing to refund', async () => {
    const order = await world.placeOrder();
    await world.pay(order, 'tok_declined');
    expect((await world.cancel(order)).status).toBe(200);
    await expectUndone(order, ['failed']);
  });

  it('whose refund the provider declines is 200 all the same, and the payment is flagged: its money should have gone back', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.pay(order, 'tok_refund_declined');
    const answer = await world.cancel(order, { key });
    expect([answer.status, answer.body['status']]).toEqual([200, 'cancelled']);
    expect((await world.cancel(order, { key, on: replica })).text).toBe(answer.text);
    expect(await world.stateOf(order)).toMatchObject({ order: 'cancelled', payments: ['succeeded'], amountRefunded: 0, refunded: 0 });
    expect(await reviewOf(order)).toMatch(/^re_\w+: the provider declined to refund: refund_declined$/);
  });

  it('that is cancelled already is refused, and the refusal is stored', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.cancel(order);
    const answer = await world.cancel(order, { key });
    expectProblem(answer, 'order-not-cancellable');
    expect((await world.cancel(order, { key })).text).toBe(answer.text);
    await expectUndone(order, []);
  });

  it('of another account is not found', async () => {
    const order = await world.placeOrder();
    expectProblem(await world.cancel(order, { as: KEY_B }), 'not-found');
    expect(await world.stateOf(order)).toMatchObject({ order: 'pending' });
  });

  it('while the provider is slow is 202, the order cancelled at once; the same key then answers 200', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.pay(order);
    await world.faults({ hangAfter: 1 });
    const first = await world.cancel(order, { key });
    expect([first.status, first.body['status']]).toEqual([202, 'cancelled']);
    expect(first.headers.get('location')).toBe(`/v1/operations/${first.headers.get('operation-id')}`);
    expectProblem(await world.cancel(order), 'order-not-cancellable');
    expectProblem(await world.pay(order, 'tok_mastercard'), 'order-not-payable');
    await world.faults({});
    const last = await world.cancel(order, { key, headers: WAIT });
    expect([last.status, last.body['status'], last.headers.get('etag')]).toEqual([200, 'cancelled', expect.any(String)]);
    await expectUndone(order, ['succeeded']);
  });

  it('whose client never comes back is refunded by itself, also when the provider was down', async () => {
    const order = await world.placeOrder();
    await world.pay(order);
    await world.stopSandbox();
    const answer = await world.cancel(order).finally(() => world.restartSandbox());
    expect(answer.status).toBe(202);
    await eventually('the refund to be made', async () => (await world.stateOf(order)).amountRefunded === order.total, 8_000);
    await expectUndone(order, ['succeeded']);
  });

  it('fifty times at once with one key is one cancellation and one refund', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.pay(order);
    const answers = await atOnce(50, (n) => world.cancel(order, { key, on: n % 2 ? world : replica, headers: WAIT }));
    expect(tally(answers)).toEqual({ 200: 50 });
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    await expectUndone(order, ['succeeded']);
  });

  it('with twenty keys at once is one cancellation and one refund', async () => {
    const order = await world.placeOrder();
    await world.pay(order);
    const answers = await atOnce(20, (n) => world.cancel(order, { on: n % 2 ? world : replica, headers: WAIT }));
    expect(tally(answers)).toEqual({ 200: 1, 409: 19 });
    await expectUndone(order, ['succeeded']);
  });
});

describe('cancelling with an API key that may not move money', () => {
  let clerk: string;
  beforeAll(async () => {
    clerk = await addApiKey(world.database, ['orders:read', 'orders:write']);
  });

  const expectUntouched = async (order: PlacedOrder, version: number): Promise<void> => {
    expect(await world.stateOf(order)).toEqual({ order: 'paid', payments: ['succeeded'], amountRefunded: 0, charges: 1, refunded: 0 });
    expect(await world.refundsOf(order)).toEqual([]);
    expect(await stock(order)).toBe(FULL_STOCK - 1);
    expect((await world.send('GET', `/v1/orders/${order.id}`)).body['version']).toBe(version);
  };

  it('cancels an unpaid order, and replays that', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const answer = await world.cancel(order, { key, as: clerk });
    expect([answer.status, answer.body['status']]).toEqual([200, 'cancelled']);
    expect((await world.cancel(order, { key, as: clerk, on: replica })).text).toBe(answer.text);
    await expectUndone(order, []);
  });

  it('is 403 for a paid order; nothing is written, and the key is unused', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.pay(order);
    const { version } = (await world.send('GET', `/v1/orders/${order.id}`)).body;
    for (const on of [world, replica]) {
      const answer = await world.cancel(order, { key, as: clerk, on });
      expectProblem(answer, 'insufficient-scope');
      expect(answer.body['detail']).toContain('payments:write');
      expect(await recordsOf(world.database, key)).toEqual([]);
    }
    await expectUntouched(order, version as number);
    // With the scope the same key does it.
    expect((await world.cancel(order, { key })).status).toBe(200);
    await expectUndone(order, ['succeeded']);
  });

  it('also with payments:write alone it is 403: the route’s own scope is missing', async () => {
    const order = await world.placeOrder();
    expectProblem(await world.cancel(order, { as: await addApiKey(world.database, ['payments:write']) }), 'insufficient-scope');
    const both = await addApiKey(world.database, ['orders:write', 'payments:write']);
    await world.pay(order);
    expect((await world.cancel(order, { as: both })).status).toBe(200);
    await expectUndone(order, ['succeeded']);
  });

  it('of a paid order whose money is back already cancels it: no money moves', async () => {
    const order = await world.placeOrder();
    await world.refund(String((await world.pay(order)).body['id']));
    expect((await world.cancel(order, { as: clerk })).status).toBe(200);
    await expectUndone(order, ['succeeded']);
  });

  it('is not told the answer of a cancellation that refunded, nor takes one over', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.pay(order);
    await world.faults({ hangAfter: 1 });
    expect((await world.cancel(order, { key })).status).toBe(202);
    for (const headers of [{}, WAIT]) expectProblem(await world.cancel(order, { key, as: clerk, headers }), 'insufficient-scope');
    await world.faults({});
    const done = await world.cancel(order, { key, headers: WAIT });
    expect(done.status).toBe(200);
    for (const on of [world, replica]) expectProblem(await world.cancel(order, { key, as: clerk, on }), 'insufficient-scope');
    expect((await world.cancel(order, { key, on: replica })).text).toBe(done.text);
  });

  it('is decided by the order as it stands under its lock, also when it becomes paid meanwhile', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const uuid = uuidOf('ord', order.id);
    const payer = new Client(world.database.url);
    await payer.connect();
    try {
      await payer.query('BEGIN');
      await payer.query(`UPDATE orders SET status = 'paid' WHERE id = $1`, [uuid]);
      await payer.query(
        `INSERT INTO payments (account_id, id, order_id, operation_id, status, amount, currency, source, reference, provider_reference, created_at, updated_at)
         SELECT account_id, gen_random_uuid(), id, gen_random_uuid(), 'succeeded', total, currency, 'tok_visa', 'raced', 'ch_raced', now(), now()
           FROM orders WHERE id = $1`,
        [uuid],
      );
      const cancelling = world.cancel(order, { key, as: clerk });
      await untilBlocked(world.database);
      await payer.query('COMMIT');
      expectProblem(await cancelling, 'insufficient-scope');
    } finally {
      await payer.end();
    }
    expect([await recordsOf(world.database, key), await stock(order)]).toEqual([[], FULL_STOCK - 1]);
    expect(await world.stateOf(order)).toMatchObject({ order: 'paid', amountRefunded: 0 });
  });
});

describe('cancelling while a payment is in flight', () => {
  it('is refused for now, which is not stored; later the same key cancels and refunds', async () => {
    const [order, payKey, key] = [await world.placeOrder(), uuidv7(), uuidv7()];
    const held = await world.sandbox.hold();
    try {
      expect((await world.pay(order, 'tok_visa', { key: payKey })).status).toBe(202);
      expectProblem(await world.cancel(order, { key }), 'payment-in-progress');
      expect(await recordsOf(world.database, key)).toEqual([]);
      expect(await stock(order)).toBe(FULL_STOCK - 1);
    } finally {
      await held.release();
    }
    expect((await world.pay(order, 'tok_visa', { key: payKey, headers: WAIT })).status).toBe(201);
    const answer = await world.cancel(order, { key });
    expect([answer.status, answer.body['status']]).toEqual([200, 'cancelled']);
    await expectUndone(order, ['succeeded']);
  });

  it('ends in one of two states: paid with its money, or cancelled without', async () => {
    const seen = new Set<string>();
    for (let round = 0; round < 20; round += 1) {
      const order = await world.placeOrder();
      const source = ['tok_visa', 'tok_drop_after', 'tok_error_500', 'tok_hang_after'][round % 4] ?? '';
      const pay = () => world.pay(order, source, { headers: WAIT });
      const cancel = () => world.cancel(order, { headers: WAIT, on: replica });
      // The first two rounds are no race, so that what is seen in the end is not chance.
      const cancelledFirst = round === 0 ? await cancel() : undefined;
      const paidFirst = round === 1 ? await pay() : undefined;
      const [payment, cancellation] = await Promise.all([
        paidFirst ?? sleep(round % 3 === 0 ? round : 0).then(pay),
        cancelledFirst ?? sleep(round % 3 === 1 ? round : 0).then(cancel),
      ]);
      const state = await world.stateOf(order);
      seen.add(`${payment.status} ${cancellation.status}`);
      if (state.order === 'paid') {
        expectProblem(cancellation, 'payment-in-progress');
        expect(payment.status).toBe(201);
        expect(state).toEqual({ order: 'paid', payments: ['succeeded'], amountRefunded: 0, charges: 1, refunded: 0 });
        expect(await stock(order)).toBe(FULL_STOCK - 1);
      } else {
        expect(cancellation.status).toBe(200);
        if (payment.status !== 201) expectProblem(payment, 'order-not-payable');
        await expectUndone(order, state.payments);
      }
    }
    expect(seen.size).toBeGreaterThan(1);
  });
});

describe('a charge that succeeds after its order was cancelled', () => {
  /** What no request can do any more, since a cancellation waits for the payment: the order is cancelled under the charge. */
  async function payUnderCancellation(order: PlacedOrder, key: string, source = 'tok_visa'): Promise<void> {
    const held = await world.sandbox.hold();
    try {
      expect((await world.pay(order, source, { key })).status).toBe(202);
      await world.database.query(`UPDATE orders SET status = 'cancelled' WHERE id = $1`, [uuidOf('ord', order.id)]);
    } finally {
      await held.release();
    }
  }

  it('is refunded, and its key answers 409 order-not-payable with the refunded payment', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await payUnderCancellation(order, key);
    const answer = await world.pay(order, 'tok_visa', { key, headers: WAIT });
    expectProblem(answer, 'order-not-payable');
    expect(answer.body['payment']).toMatchObject({ orderId: order.id, status: 'succeeded', amountRefunded: order.total });
    expect((await world.pay(order, 'tok_visa', { key, on: replica })).text).toBe(answer.text);
    expect(await world.stateOf(order)).toEqual({
      order: 'cancelled',
      payments: ['succeeded'],
      amountRefunded: order.total,
      charges: 1,
      refunded: order.total,
    });
  });

  it('is answered in the same way where the provider declines to refund it, and the payment is flagged', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await payUnderCancellation(order, key, 'tok_refund_declined');
    const answer = await world.pay(order, 'tok_refund_declined', { key, headers: WAIT });
    expectProblem(answer, 'order-not-payable');
    expect(answer.body['payment']).toMatchObject({ orderId: order.id, status: 'succeeded', amountRefunded: 0 });
    expect(await reviewOf(order)).toMatch(/^re_\w+: the provider declined to refund: refund_declined$/);
  });

  it('is refunded also when nobody asks again and the provider loses the refund’s answer', async () => {
    const order = await world.placeOrder();
    await world.faults({ dropAfter: 0.7 });
    await payUnderCancellation(order, uuidv7());
    await eventually('the refund to be made', async () => (await world.stateOf(order)).amountRefunded === order.total, 15_000);
    expect(await world.stateOf(order)).toMatchObject({ charges: 1, refunded: order.total });
  });
});
