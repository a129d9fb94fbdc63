import { v7 as uuidv7 } from 'uuid';
import { uuidOf } from '../../src/kernel/ids.js';
import { atOnce, KEY_B, tally, type TestApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { WAIT, useTwoReplicas, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
let replica: TestApp;
useTwoReplicas((...started) => ([world, replica] = started));

const either = (n: number): TestApp => (n % 2 ? world : replica);

async function paid(total?: number, source?: string): Promise<{ order: PlacedOrder; payment: string }> {
  const order = await world.placeOrder(total === undefined ? {} : { total });
  const answer = await world.pay(order, source);
  expect(answer.status).toBe(201);
  return { order, payment: String(answer.body['id']) };
}

/** What the payment says was refunded, what the rows sum up to, and what the provider gave back: one number. */
async function expectRefunded(order: PlacedOrder, payment: string, amount: number): Promise<void> {
  expect((await world.send('GET', `/v1/payments/${payment}`)).body).toMatchObject({ status: 'succeeded', amountRefunded: amount });
  const state = await world.stateOf(order);
  expect([state.amountRefunded, state.refunded, state.charges]).toEqual([amount, amount, 1]);
}

describe('a refund', () => {
  it('of a part, then of the rest, gives back exactly the payment', async () => {
    const { order, payment } = await paid();
    const key = uuidv7();
    const part = await world.refund(payment, { amount: 300, reason: 'a scratch' }, { key });
    expect(part.status).toBe(201);
    expect(part.body).toEqual({
      id: expect.stringMatching(/^re_[0-9a-z]{26}$/),
      paymentId: payment,
      amount: 300,
      currency: 'EUR',
      status: 'succeeded',
      reason: 'a scratch',
      failureCode: null,
      version: 2,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect(part.headers.get('location')).toBe(`/v1/refunds/${part.body['id']}`);
    expect((await world.send('GET', `/v1/refunds/${part.body['id']}`)).text).toBe(part.text);
    await expectRefunded(order, payment, 300);
    const rest = await world.refund(payment);
    expect([rest.status, rest.body['amount'], rest.body['reason']]).toEqual([201, order.total - 300, null]);
    await expectRefunded(order, payment, order.total);
    const again = await world.refund(payment, { amount: 300, reason: 'a scratch' }, { key, on: replica });
    expect([again.text, again.headers.get('idempotent-replayed')]).toEqual([part.text, 'true']);
    await expectRefunded(order, payment, order.total);
  });

  it('of more than is left, or of nothing that is left, is refused and stored', async () => {
    const { order, payment } = await paid();
    const key = uuidv7();
    const more = await world.refund(payment, { amount: order.total + 1 }, { key });
    expectProblem(more, 'refund-exceeds-payment');
    await world.refund(payment);
    expectProblem(await world.refund(payment), 'refund-exceeds-payment');
    expectProblem(await world.refund(payment, { amount: 1 }), 'refund-exceeds-payment');
    expect((await world.refund(payment, { amount: order.total + 1 }, { key })).text).toBe(more.text);
    await expectRefunded(order, payment, order.total);
  });

  it.each([0, -1, 1.5, '1', 1e12])('with the amount %p is no valid request', async (amount) => {
    const { order, payment } = await paid();
    expectProblem(await world.refund(payment, { amount }), 'invalid-request');
    await expectRefunded(order, payment, 0);
  });

  it('never exceeds the payment, whatever twenty refunds race for it over two replicas', async () => {
    const { order, payment } = await paid(100_000);
    const answers = await atOnce(20, (n) => world.refund(payment, { amount: 15_000, reason: `${n}` }, { on: either(n), headers: WAIT }));
    for (const answer of answers) if (answer.status !== 201) expectProblem(answer, 'refund-exceeds-payment');
    expect(tally(answers)).toEqual({ 201: 6, 409: 14 });
    await expectRefunded(order, payment, 90_000);
  });

  it('never exceeds the payment either when twenty ask for the rest at once while the provider loses answers', async () => {
    const { order, payment } = await paid();
    await world.faults({ dropAfter: 0.5 });
    const answers = await atOnce(20, (n) => world.refund(payment, {}, { on: either(n), headers: WAIT }));
    expect(tally(answers)).toEqual({ 201: 1, 409: 19 });
    await expectRefunded(order, payment, order.total);
  });

  it('sent fifty times at once with one key is one refund', async () => {
    const { order, payment } = await paid();
    const key = uuidv7();
    const answers = await atOnce(50, (n) => world.refund(payment, { amount: 200 }, { key, on: either(n), headers: WAIT }));
    expect(tally(answers)).toEqual({ 201: 50 });
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    await expectRefunded(order, payment, 200);
  });

  it('whose outcome is unknown is 202 and holds its part of the payment; the same key then gives the final answer', async () => {
    const { order, payment } = await paid();
    const key = uuidv7();
    await world.faults({ hangAfter: 1 });
    const first = await world.refund(payment, {}, { key });
    expect([first.status, first.body['status']]).toEqual([202, 'processing']);
    expect(first.headers.get('location')).toBe(`/v1/operations/${first.headers.get('operation-id')}`);
    expectProblem(await world.refund(payment, { amount: 1 }), 'refund-exceeds-payment');
    await world.faults({});
    const last = await world.refund(payment, {}, { key, headers: WAIT });
    expect([last.status, last.body['id'], last.body['status']]).toEqual([201, first.body['id'], 'succeeded']);
    await expectRefunded(order, payment, order.total);
  });

  it('whose client never comes back reaches its end by itself', async () => {
    const { order, payment } = await paid();
    await world.faults({ hangAfter: 1 });
    expect((await world.refund(payment)).status).toBe(202);
    await world.faults({});
    await eventually('the recoverer to finish it', async () => (await world.stateOf(order)).amountRefunded === order.total, 8_000);
    await expectRefunded(order, payment, order.total);
  });

  it('while the provider is surely not reached is 503 and leaves nothing: the key may come with another body', async () => {
    const { order, payment } = await paid();
    const key = uuidv7();
    await world.stopSandbox();
    const answer = await world.refund(payment, {}, { key }).finally(() => world.restartSandbox());
    expectProblem(answer, 'provider-unavailable');
    expect(await recordsOf(world.database, key)).toEqual([]);
    expect(await countOf(world.database, 'refunds', 'payment_id = $1', [uuidOf('pay', payment)])).toBe(0);
    expect((await world.refund(payment, { amount: 5 }, { key })).status).toBe(201);
    await expectRefunded(order, payment, 5);
  });
});

describe('a refund that the provider declines', () => {
  const UNRESERVED = { amount_reserved: 0, amount_refunded: 0 };
  async function rowOf(payment: string) {
    const [row] = await world.database.query<{ amount_reserved: number; amount_refunded: number; review_reason: string | null }>(
      'SELECT amount_reserved::float8, amount_refunded::float8, review_reason FROM payments WHERE id = $1',
      [uuidOf('pay', payment)],
    );
    return row;
  }

  it('is 402 refund-declined with the refund as it stands, asked of the provider once and replayed with the same bytes', async () => {
    const { payment } = await paid(undefined, 'tok_refund_declined');
    const key = uuidv7();
    const answer = await world.refund(payment, { amount: 300, reason: 'a scratch' }, { key });
    expectProblem(answer, 'refund-declined');
    const { refund } = answer.body;
    expect(refund).toMatchObject({
      paymentId: payment,
      amount: 300,
      status: 'failed',
      reason: 'a scratch',
      failureCode: 'refund_declined',
    });
    expect((await world.send('GET', `/v1/refunds/${refund.id}`)).body).toEqual(refund);
    const operation = await world.send('GET', `/v1/operations/${answer.body['operationId']}`);
    expect(operation.body).toMatchObject({ status: 'completed', response: { status: 402 }, resource: `/v1/refunds/${refund.id}` });
    const asked = async (): Promise<number> => (await world.ledger()).requests.filter(({ path }) => path === '/refunds').length;
    const before = await asked();
    for (const on of [world, replica]) {
      const again = await world.refund(payment, { amount: 300, reason: 'a scratch' }, { key, on });
      expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([402, answer.text, 'true']);
    }
    expect(await asked()).toBe(before);
  });

  it('gives its part of the payment back, so that the whole may be asked for under a new key, and flags nothing', async () => {
    const { order, payment } = await paid(undefined, 'tok_refund_declined');
    const key = uuidv7();
    const first = await world.refund(payment, {}, { key });
    expectProblem(first, 'refund-declined');
    expect(await rowOf(payment)).toEqual({ ...UNRESERVED, review_reason: null });
    const second = await world.refund(payment);
    expectProblem(second, 'refund-declined');
    expect(second.body['refund'].id).not.toBe(first.body['refund'].id);
    expect(await rowOf(payment)).toEqual({ ...UNRESERVED, review_reason: null });
    await world.sandbox.database.query(`UPDATE charges SET source = 'tok_visa' WHERE amount = $1`, [order.total]);
    expect((await world.refund(payment)).status).toBe(201);
    expect((await world.refund(payment, {}, { key })).text).toBe(first.text);
    await expectRefunded(order, payment, order.total);
  });

  it('whose answer was lost is 202 first, then 402 under the same key', async () => {
    const { payment } = await paid(undefined, 'tok_refund_declined');
    const key = uuidv7();
    await world.faults({ hangAfter: 1 });
    const first = await world.refund(payment, {}, { key });
    expect(first.status).toBe(202);
    await world.faults({});
    const last = await world.refund(payment, {}, { key, headers: WAIT });
    expectProblem(last, 'refund-declined');
    expect(last.body['refund'].id).toBe(first.body['id']);
    expect(await rowOf(payment)).toEqual({ ...UNRESERVED, review_reason: null });
  });

  it('sent twenty times at once with one key is one refusal', async () => {
    const { payment } = await paid(undefined, 'tok_refund_declined');
    const key = uuidv7();
    const answers = await atOnce(20, (n) => world.refund(payment, {}, { key, on: either(n), headers: WAIT }));
    expect(tally(answers)).toEqual({ 402: 20 });
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await countOf(world.database, 'refunds', 'payment_id = $1', [uuidOf('pay', payment)])).toBe(1);
  });

  it.each([
    ['gave the charge back already', 'refund_exceeds_charge', giveBackBehindOurBack],
    ['knows no such charge', 'charge_not_found', forgetCharge],
  ])('because it %s is refused in the same way, and the payment is flagged, since its books differ', async (_why, code, differ) => {
    const { order, payment } = await paid();
    await differ(order);
    const key = uuidv7();
    const answer = await world.refund(payment, {}, { key });
    expectProblem(answer, 'refund-declined');
    const { refund } = answer.body;
    expect(refund).toMatchObject({ amount: order.total, status: 'failed', failureCode: code });
    const review = `${refund.id}: the provider's books differ, it declined to refund: ${code}`;
    expect(await rowOf(payment)).toEqual({ ...UNRESERVED, review_reason: review });
    expect((await world.refund(payment, {}, { key, on: replica })).text).toBe(answer.text);
  });
});

/** The provider loses the charge, as one does whose key is another account's. */
async function forgetCharge(order: PlacedOrder): Promise<void> {
  await world.sandbox.database.query('DELETE FROM charges WHERE amount = $1', [order.total]);
}

/** The whole charge is refunded at the provider by somebody else, so that it declines our refund. */
async function giveBackBehindOurBack(order: PlacedOrder): Promise<void> {
  const [charge] = await world.chargesOf(order);
  const answer = await fetch(`${world.sandbox.url}/refunds`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': uuidv7() },
    body: JSON.stringify({ reference: uuidv7(), chargeId: charge?.id, amount: order.total }),
  });
  expect(answer.status).toBe(201);
}

describe('there is nothing to refund', () => {
  it('of a payment that failed', async () => {
    const order = await world.placeOrder();
    const declined = (await world.pay(order, 'tok_declined')).body['payment'].id as string;
    expectProblem(await world.refund(declined), 'refund-exceeds-payment');
    expectProblem(await world.refund(declined, { amount: 1 }), 'refund-exceeds-payment');
  });

  it('of a payment that is still processing', async () => {
    const order = await world.placeOrder();
    const held = await world.sandbox.hold();
    try {
      const processing = await world.pay(order);
      expect(processing.status).toBe(202);
      expectProblem(await world.refund(String(processing.body['id'])), 'refund-exceeds-payment');
    } finally {
      await held.release();
    }
    await eventually('the payment to succeed', async () => (await world.stateOf(order)).order === 'paid');
    expect(await world.refundsOf(order)).toEqual([]);
  });

  it('of another account’s payment, which is not found, as is its refund', async () => {
    const { order, payment } = await paid();
    const foreign = await world.refund(payment, {}, { as: KEY_B });
    expectProblem(foreign, 'not-found');
    const refund = await world.refund(payment, { amount: 1 });
    expectProblem(await world.send('GET', `/v1/refunds/${refund.body['id']}`, { as: KEY_B }), 'not-found');
    expectProblem(await world.refund('pay_nonsense'), 'not-found');
    await expectRefunded(order, payment, 1);
  });
});
