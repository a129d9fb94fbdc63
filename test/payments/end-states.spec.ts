import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { END_STATES, type End } from '../../src/payments/end-states.js';
import { uuidOf } from '../../src/kernel/ids.js';
import type { TestApp } from '../support/app.js';
import { DID_NOT, HAPPENED, decide, flagPayment } from '../support/decisions.js';
import { eventually } from '../support/eventually.js';
import { recordsOf, stockOf } from '../support/ledger.js';
import { hold } from '../support/locks.js';
import { loseTo, reconciled } from '../support/restores.js';
import { WAIT, useTwoReplicas, type PaymentWorld, type PlacedOrder } from '../support/payments.js';

let world: PaymentWorld;
let replica: TestApp;
useTwoReplicas((...started) => ([world, replica] = started));

/** Brings a payment of the order to its end, under a key that is returned. */
const WAYS: Record<End, (order: PlacedOrder) => Promise<string>> = {
  succeeded: (order) => paid(order, 'tok_visa'),
  declined: (order) => paid(order, 'tok_insufficient_funds'),
  'order-cancelled': async (order) => {
    const key = uuidv7();
    const provider = await world.sandbox.hold();
    const answer = world.pay(order, 'tok_visa', { key, headers: WAIT });
    const isOpen = async (): Promise<boolean> => (await world.stateOf(order)).payments.length === 1;
    await eventually('the payment to be under way', isOpen);
    // No client can cancel it meanwhile; an operator's hand in the tables can.
    await world.database.query(`UPDATE orders SET status = 'cancelled' WHERE id = $1`, [uuidOf('ord', order.id)]);
    await world.database.query('UPDATE products SET stock = stock + 1 WHERE id = $1', [order.productId]);
    await provider.release();
    await answer;
    return key;
  },
  'decided-happened': (order) => decided(order, HAPPENED),
  'decided-did-not-happen': (order) => decided(order, DID_NOT),
  'deadline-passed': async (order) => {
    const key = uuidv7();
    const provider = await world.sandbox.hold();
    const answer = world.pay(order, 'tok_visa', { key, headers: { ...WAIT, 'request-deadline': '1' } });
    await sleep(1_100);
    await provider.release();
    await answer;
    return key;
  },
  'adopted-after-restore': (order) => restored(order, 'adopt'),
  'refunded-after-restore': (order) => restored(order, 'refund'),
};

async function restored(order: PlacedOrder, decision: 'adopt' | 'refund'): Promise<string> {
  const key = await loseTo(world, order);
  await reconciled(world, decision);
  await world.pay(order, 'tok_visa', { key, headers: WAIT });
  return key;
}

async function paid(order: PlacedOrder, source: string): Promise<string> {
  const key = uuidv7();
  await world.pay(order, source, { key, headers: WAIT });
  return key;
}

async function decided(order: PlacedOrder, body: unknown): Promise<string> {
  const { key, operation } = await flagPayment(world, order);
  expect((await decide(world, operation, body)).status).toBe(200);
  await world.faults({});
  return key;
}

describe.each(Object.entries(END_STATES))('%s', (name, state) => {
  let order: PlacedOrder;
  let key: string;
  beforeAll(async () => {
    order = await world.placeOrder();
    key = await WAYS[name as End](order);
  });

  it('leaves payment, order and stock as the table says', async () => {
    const [row] = await world.database.query(
      `SELECT p.status, p.failure_code, o.status AS order, p.check_at IS NOT NULL AS asked_again, p.review_reason
         FROM payments p JOIN orders o ON o.account_id = p.account_id AND o.id = p.order_id WHERE o.id = $1`,
      [uuidOf('ord', order.id)],
    );
    expect(row).toEqual({
      status: state.payment,
      failure_code: state.failureCode === 'provider' ? 'insufficient_funds' : state.failureCode,
      order: state.order,
      // The sandbox's books never change.
      asked_again: state.askedAgain === 'always',
      review_reason: null,
    });
    expect(await stockOf(world.database, order.productId)).toBe(state.stock === 'reserved' ? 999 : 1_000);
  });

  it('has the key answer that, on every replica, byte for byte', async () => {
    const source = name === 'declined' ? 'tok_insufficient_funds' : 'tok_visa';
    const [record] = await recordsOf(world.database, key);
    for (const on of [world, replica]) {
      const answer = await world.pay(order, source, { key, on });
      expect([answer.status, answer.body['code'] ?? null, answer.text]).toEqual([state.answer, state.code, String(record?.response_body)]);
    }
  });

  it('counts as the order\u2019s one payment, or not', async () => {
    const insert = `INSERT INTO payments (account_id, id, order_id, operation_id, status, amount, currency, source, reference, created_at, updated_at)
      SELECT account_id, gen_random_uuid(), order_id, operation_id, 'processing', amount, currency, source, gen_random_uuid()::text, now(), now()
        FROM payments WHERE order_id = $1`;
    const second = hold(world.database, insert, [uuidOf('ord', order.id)]).then(async (held) => held.release());
    if (state.countsAsOne) await expect(second).rejects.toMatchObject({ constraint: 'payments_one_per_order_idx' });
    else await expect(second).resolves.toBeUndefined();
  });

  it('lets the next payment under a new key through, or not', async () => {
    const charges = (await world.chargesOf(order)).length;
    const next = await world.pay(order, 'tok_visa', { headers: { prefer: `${WAIT.prefer}, handling=lenient` } });
    expect([next.status, next.body['code'] ?? null]).toEqual(state.nextPayment ? [409, state.nextPayment] : [201, null]);
    expect(await world.chargesOf(order)).toHaveLength(charges + (state.nextPayment ? 0 : 1));
    expect((await world.stateOf(order)).order).toBe(state.nextPayment ? state.order : 'paid');
  });
});
