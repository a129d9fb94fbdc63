import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { atOnce, KEY_B, tally, type TestApp, type TestResponse } from '../support/app.js';
import { start, type Running } from '../support/built-process.js';
import { eventually } from '../support/eventually.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { WAIT, useTwoReplicas, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
let replica: TestApp;
useTwoReplicas((...started) => ([world, replica] = started));

const either = (n: number): TestApp => (n % 2 ? world : replica);
const PAID = { order: 'paid', payments: ['succeeded'], amountRefunded: 0, charges: 1, refunded: 0 };
const UNPAID = { order: 'pending', payments: [], amountRefunded: 0, charges: 0, refunded: 0 };

/** As SIGTERM does it on every replica, only that they go on answering. */
function close(closing: boolean): void {
  for (const { app } of [world, replica]) app.get(Lifecycle).closing = closing;
}

/** Expects that the key has one stored answer and that both replicas replay exactly its bytes. */
async function expectReplays(first: TestResponse, order: PlacedOrder, source: string, key: string): Promise<void> {
  for (const on of [world, replica]) {
    const again = await world.pay(order, source, { key, on });
    expect([again.status, again.text]).toEqual([first.status, first.text]);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.headers.has('retry-after')).toBe(false);
    for (const name of ['location', 'operation-id', 'content-type']) expect(again.headers.get(name)).toBe(first.headers.get(name));
  }
  expect((await recordsOf(world.database, key)).map(({ status }) => status)).toEqual(['completed']);
}

describe('a payment', () => {
  it('is answered 201 with its Location, and is what GET shows; the order is paid', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const answer = await world.pay(order, 'tok_visa', { key });
    expect(answer.status).toBe(201);
    const [charge] = await world.chargesOf(order);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^pay_[0-9a-z]{26}$/),
      orderId: order.id,
      status: 'succeeded',
      amount: order.total,
      currency: 'EUR',
      amountRefunded: 0,
      failureCode: null,
      providerReference: charge?.id,
      version: 2,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updatedAt: expect.any(String),
    });
    expect(answer.headers.get('location')).toBe(`/v1/payments/${answer.body['id']}`);
    expect((await world.send('GET', String(answer.headers.get('location')))).text).toBe(answer.text);
    expect(charge).toMatchObject({ amount: order.total, currency: 'EUR', source: 'tok_visa' });
    expect(await world.stateOf(order)).toEqual(PAID);
    await expectReplays(answer, order, 'tok_visa', key);
  });

  it("doesn't tell the provider the client's key", async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.pay(order, 'tok_visa', { key });
    expect(JSON.stringify(await world.ledger())).not.toContain(key);
  });

  it.each(['tok_visa', 'tok_mastercard', 'tok_drop_after', 'tok_drop_before', 'tok_error_500'])(
    'with %s is one charge at once, for faults that pass are dealt with inside the request',
    async (source) => {
      const [order, key] = [await world.placeOrder(), uuidv7()];
      const answer = await world.pay(order, source, { key });
      expect(answer.status).toBe(201);
      expect(await world.stateOf(order)).toEqual(PAID);
      await expectReplays(answer, order, source, key);
    },
  );

  it.each(['tok_hang_after', 'tok_slow'])('with %s is 202 first, then 201 under the same key, with one charge', async (source) => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const first = await world.pay(order, source, { key });
    expect(first.status).toBe(202);
    expect(first.body).toMatchObject({ orderId: order.id, status: 'processing', amount: order.total, providerReference: null });
    expect(first.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
    expect(first.headers.has('idempotency-expires')).toBe(false);
    expect(first.headers.get('location')).toBe(`/v1/operations/${first.headers.get('operation-id')}`);
    expect((await world.send('GET', String(first.headers.get('location')))).body).toMatchObject({
      id: first.headers.get('operation-id'),
      resource: `/v1/payments/${first.body['id']}`,
    });
    const last = await world.pay(order, source, { key, headers: WAIT });
    expect([last.status, last.body['id'], last.body['status']]).toEqual([201, first.body['id'], 'succeeded']);
    expect(last.headers.get('operation-id')).toBe(first.headers.get('operation-id'));
    expect(await world.stateOf(order)).toEqual(PAID);
    await expectReplays(last, order, source, key);
  });

  it('whose client never comes back reaches its end by itself', async () => {
    const order = await world.placeOrder();
    const first = await world.pay(order, 'tok_hang_after');
    expect(first.status).toBe(202);
    await eventually('the recoverer to finish it', async () => (await world.stateOf(order)).order === 'paid');
    expect(await world.stateOf(order)).toEqual(PAID);
  });

  it('is not taken over by a process that closes', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    close(true);
    try {
      expect((await world.pay(order, 'tok_hang_after', { key })).status).toBe(202);
      const due = `UPDATE idempotency_records SET next_run_at = now() - interval '1 minute' WHERE key = $1 AND lease_until IS NULL`;
      await world.database.query(due, [key]);
      // Timers of one process fire in order: each of the replicas, whose interval is 200 ms, comes to look several times.
      await sleep(1_000);
      expect(await recordsOf(world.database, key)).toMatchObject([{ status: 'running', attempt: 1, lease_until: null }]);
      const [row] = await world.database.query(`SELECT next_run_at < now() AS due FROM idempotency_records WHERE key = $1`, [key]);
      expect(row).toEqual({ due: true });
    } finally {
      close(false);
    }
    await eventually('the recoverer to finish it', async () => (await world.stateOf(order)).order === 'paid');
    expect(await world.stateOf(order)).toEqual(PAID);
    expect(await recordsOf(world.database, key)).toMatchObject([{ status: 'completed', attempt: 2 }]);
  });

  it('with Prefer: wait waits through the 202', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const answer = await world.pay(order, 'tok_hang_after', { key, headers: WAIT });
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([201, 'wait=20']);
    await expectReplays(answer, order, 'tok_hang_after', key);
  });

  it('that the provider can neither confirm nor deny stays processing, is flagged, and settles once it can', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.faults({ refuse: 1 });
    expect((await world.pay(order, 'tok_visa', { key })).status).toBe(202);
    const flagged = (): Promise<number> => countOf(world.database, 'payments', 'review_reason IS NOT NULL AND amount = $1', [order.total]);
    await eventually('the payment to be flagged for review', async () => (await flagged()) === 1);
    expect(await world.stateOf(order)).toEqual({ ...UNPAID, payments: ['processing'] });
    await world.faults({});
    const answer = await world.pay(order, 'tok_visa', { key, headers: WAIT });
    expect(answer.status).toBe(201);
    expect([await world.stateOf(order), await flagged()]).toEqual([PAID, 0]);
  });
});

describe('a decline', () => {
  it.each([
    ['tok_declined', 'card_declined'],
    ['tok_insufficient_funds', 'insufficient_funds'],
    ['tok_3ds', 'authentication_required'],
    ['tok_authentication_required', 'authentication_required'],
    ['tok_unheard_of', 'invalid_token'],
  ])('of %s is stored with its payment and replayed; a new key may pay', async (source, failureCode) => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const answer = await world.pay(order, source, { key });
    expectProblem(answer, 'payment-declined');
    expect(answer.body['payment']).toMatchObject({ status: 'failed', failureCode, orderId: order.id, providerReference: null });
    expect((await world.send('GET', `/v1/payments/${answer.body['payment'].id}`)).body).toEqual(answer.body['payment']);
    expect(await world.stateOf(order)).toEqual({ ...UNPAID, payments: ['failed'] });
    await expectReplays(answer, order, source, key);
    expect((await world.pay(order, 'tok_visa')).status).toBe(201);
    expect(await world.stateOf(order)).toEqual({ ...PAID, payments: ['failed', 'succeeded'] });
  });
});

describe('an order is paid once', () => {
  it('by twenty keys at once: one charge; the others are told that one is in flight, which is not stored, or that it is paid', async () => {
    const order = await world.placeOrder();
    const keys = Array.from({ length: 20 }, () => uuidv7());
    // Each is meant, so that none is a possible duplicate of another.
    const headers = { prefer: 'handling=lenient' };
    const answers = await atOnce(20, (n) => world.pay(order, 'tok_visa', { key: keys[n] ?? null, headers, on: either(n) }));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    for (const [n, answer] of answers.entries()) {
      if (answer.status === 201) continue;
      const passing = answer.body['code'] === 'payment-in-progress';
      expectProblem(answer, passing ? 'payment-in-progress' : 'order-not-payable');
      expect(await recordsOf(world.database, keys[n] ?? '')).toHaveLength(passing ? 0 : 1);
    }
    expect(await world.stateOf(order)).toEqual(PAID);
  });

  it('by twenty keys at once of which the first is declined: still at most one charge', async () => {
    const order = await world.placeOrder();
    const answers = await atOnce(20, (n) => world.pay(order, n % 2 ? 'tok_visa' : 'tok_declined', { headers: WAIT, on: either(n >> 1) }));
    const made = answers.filter(({ status }) => status === 201).length;
    expect(made).toBeLessThanOrEqual(1);
    const state = await world.stateOf(order);
    expect([state.charges, state.order]).toEqual([made, made ? 'paid' : 'pending']);
    expect(state.payments.filter((status) => status !== 'failed')).toHaveLength(made);
  });

  it('by fifty equal requests over two replicas: one charge, one payment, one answer', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const answers = await atOnce(50, (n) => world.pay(order, 'tok_visa', { key, on: either(n) }));
    for (const answer of answers) if (answer.status !== 201) expectProblem(answer, 'idempotency-request-in-progress');
    const later = await atOnce(50, (n) => world.pay(order, 'tok_visa', { key, on: either(n), headers: WAIT }));
    expect(tally(later)).toEqual({ 201: 50 });
    const made = [...answers, ...later].filter(({ status }) => status === 201);
    expect(new Set(made.map(({ text }) => text)).size).toBe(1);
    expect(made.filter(({ headers }) => !headers.has('idempotent-replayed')).length).toBeLessThanOrEqual(1);
    expect(await world.stateOf(order)).toEqual(PAID);
  });

  it('by fifty equal requests whose outcome is unknown at first: one charge, one payment, one answer', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const answers = await atOnce(50, (n) => world.pay(order, 'tok_hang_after', { key, on: either(n), headers: n % 5 ? {} : WAIT }));
    expect(Object.keys(tally(answers)).every((status) => ['201', '202', '409'].includes(status))).toBe(true);
    const last = await world.pay(order, 'tok_hang_after', { key, headers: WAIT });
    for (const answer of answers) if (answer.status === 201) expect(answer.text).toBe(last.text);
    expect(await world.stateOf(order)).toEqual(PAID);
    await expectReplays(last, order, 'tok_hang_after', key);
  });

  it('while a payment waits for the provider another one is refused, and may come once that one has failed', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const held = await world.sandbox.hold();
    try {
      expect((await world.pay(order, 'tok_declined')).status).toBe(202);
      expectProblem(await world.pay(order, 'tok_visa', { key }), 'payment-in-progress');
      expect(await recordsOf(world.database, key)).toEqual([]);
    } finally {
      await held.release();
    }
    const answer = await eventually('the same key to pay', async () => {
      const again = await world.pay(order, 'tok_visa', { key });
      return again.body['code'] !== 'payment-in-progress' && again;
    });
    expect(answer.status).toBe(201);
    expect(await world.stateOf(order)).toEqual({ ...PAID, payments: ['failed', 'succeeded'] });
  });
});

describe('a payment is refused, without a call of the provider,', () => {
  const calls = async (): Promise<number> => (await world.ledger()).requests.length;

  it.each([
    ['another amount', { amount: 1 }],
    ['another currency', { currency: 'USD' }],
  ])('with %s than the order has', async (_what, wrong) => {
    const [order, key, before] = [await world.placeOrder(), uuidv7(), await calls()];
    const answer = await world.pay(order, 'tok_visa', { key, ...wrong });
    expectProblem(answer, 'amount-mismatch');
    expect((await world.pay(order, 'tok_visa', { key, ...wrong })).text).toBe(answer.text);
    expect([await calls(), await world.stateOf(order)]).toEqual([before, UNPAID]);
  });

  it('when the order is paid or cancelled already', async () => {
    const [paid, cancelled] = [await world.placeOrder(), await world.placeOrder()];
    await world.pay(paid);
    await world.cancel(cancelled);
    const before = await calls();
    for (const order of [paid, cancelled]) {
      const key = uuidv7();
      const answer = await world.pay(order, 'tok_mastercard', { key });
      expectProblem(answer, 'order-not-payable');
      await expectReplays(answer, order, 'tok_mastercard', key);
    }
    expect(await calls()).toBe(before);
  });

  it('when the order is another account’s or none at all', async () => {
    const order = await world.placeOrder();
    const key = uuidv7();
    expectProblem(await world.pay(order, 'tok_visa', { as: KEY_B, key }), 'not-found');
    expectProblem(await world.pay({ ...order, id: 'ord_nonsense' }), 'not-found');
    expect(await world.stateOf(order)).toEqual(UNPAID);
  });

  it.each([0, -1, 1.5, 1e12, '100', null])('with the amount %p', async (amount) => {
    const order = await world.placeOrder();
    expectProblem(await world.pay(order, 'tok_visa', { amount: amount as number }), 'invalid-request');
    expect(await world.stateOf(order)).toEqual(UNPAID);
  });
});

describe('a card number', () => {
  const CARDS = ['4242424242424242', 'tok_4242424242424242', 'tok_4242_4242_4242_4242', 'card 4242 4242 4242 4242', 4_242_424_242_424_242];
  let api: Running;
  let url: string;
  beforeAll(async () => {
    api = start('src/main.js', [], {
      NODE_ENV: 'test',
      LOG_LEVEL: 'trace',
      PORT: '0',
      ...world.database.env,
      MIGRATE: 'false',
      ...world.env,
    });
    url = await eventually('the process to listen', () => /listening on (http:[^"]+)/.exec(api.output())?.[1], 20_000);
  });
  afterAll(() => api.stop());

  it.each(CARDS)('as the source (%p) is refused, and neither stored nor echoed nor logged', async (source) => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const answer = await world.pay(order, source as string, { key, on: { url } });
    expectProblem(answer, 'invalid-request');
    expect(answer.text + JSON.stringify([...answer.headers])).not.toMatch(/4242 ?4242/);
    expect(await recordsOf(world.database, key)).toEqual([]);
    expect(await world.stateOf(order)).toEqual(UNPAID);
    expect(api.output()).toMatch(/listening/);
    expect(api.output()).not.toMatch(/4242 ?4242/);
  });
});

describe('a provider that was surely not reached', () => {
  /** Expects that nothing tells of the request, and that its key may be used for something else. */
  async function expectNothingLeft(answer: TestResponse, order: PlacedOrder, key: string): Promise<void> {
    expectProblem(answer, 'provider-unavailable');
    expect(await world.stateOf(order)).toEqual(UNPAID);
    expect(await recordsOf(world.database, key)).toEqual([]);
    const { rows } = await timelineOf(answer);
    expect(rows).toBe(0);
    expectProblem(await world.send('GET', `/v1/operations/${answer.body['operationId'] ?? 'op_none'}`), 'not-found');
  }

  async function timelineOf(answer: TestResponse): Promise<{ rows: number }> {
    expect(answer.headers.has('idempotency-expires')).toBe(false);
    const orphans = `NOT EXISTS (SELECT FROM idempotency_records r WHERE r.account_id = t.account_id AND r.operation_id = t.operation_id)`;
    return { rows: await countOf(world.database, 'idempotency_timeline t', orphans) };
  }

  it('is 503 and leaves nothing behind: the key may come with another body', async () => {
    const [order, other, key] = [await world.placeOrder(), await world.placeOrder(), uuidv7()];
    await expectNothingLeft(await world.pay(order, 'tok_unavailable', { key }), order, key);
    const answer = await world.pay(other, 'tok_visa', { key });
    expect([answer.status, answer.headers.has('idempotent-replayed')]).toEqual([201, false]);
    expect([await world.stateOf(order), await world.stateOf(other)]).toEqual([UNPAID, PAID]);
  });

  it('also when nothing listens at its address; the same request pays once it is back', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.stopSandbox();
    const answer = await world.pay(order, 'tok_visa', { key }).finally(() => world.restartSandbox());
    await expectNothingLeft(answer, order, key);
    expect((await world.pay(order, 'tok_visa', { key })).status).toBe(201);
    expect(await world.stateOf(order)).toEqual(PAID);
  });

  it('for equal requests at once: each is 503 or in progress, none has an effect', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const answers = await atOnce(10, (n) => world.pay(order, 'tok_unavailable', { key, on: either(n) }));
    for (const answer of answers) {
      expectProblem(answer, answer.status === 503 ? 'provider-unavailable' : 'idempotency-request-in-progress');
    }
    expect([await world.stateOf(order), await recordsOf(world.database, key)]).toEqual([UNPAID, []]);
  });
});

describe('where late requests are executed', () => {
  it('a key that moved money is refused after its window all the same, since the provider remembers it', async () => {
    const forgetful = await world.secondApp({ IDEMPOTENCY_LATE_REQUESTS: 'execute', IDEMPOTENCY_WINDOW: '4s' });
    const [sold, other, payKey, refundKey, cancelKey] = [await world.placeOrder(), await world.placeOrder(), uuidv7(), uuidv7(), uuidv7()];
    const pay = (order: PlacedOrder): Promise<TestResponse> => world.pay(order, 'tok_visa', { key: payKey, on: forgetful });
    const refund = (payment: unknown): Promise<TestResponse> =>
      world.refund(String(payment), { amount: 1 }, { key: refundKey, on: forgetful });
    const cancel = (order: PlacedOrder): Promise<TestResponse> => world.cancel(order, { key: cancelKey, on: forgetful });
    const payment = (await pay(sold)).body['id'];
    expect([(await refund(payment)).status, (await cancel(sold)).status]).toEqual([201, 200]);
    await sleep(4_100);
    expectProblem(await pay(other), 'idempotency-key-expired');
    expect(await world.stateOf(other)).toEqual(UNPAID);
    const paid = await world.pay(other);
    expectProblem(await refund(paid.body['id']), 'idempotency-key-expired');
    expectProblem(await cancel(other), 'idempotency-key-expired');
    expect(await world.stateOf(other)).toEqual(PAID);
  });
});

describe('reading payments', () => {
  it('goes by order and status, newest first, and shows an account its own alone', async () => {
    const order = await world.placeOrder();
    const declined = (await world.pay(order, 'tok_declined')).body['payment'];
    const paid = (await world.pay(order, 'tok_visa')).body;
    const list = (query: string, as?: string): Promise<TestResponse> =>
      world.send('GET', `/v1/payments?orderId=${order.id}${query}`, as ? { as } : {});
    expect((await list('')).body).toEqual({ data: [paid, declined], nextCursor: null });
    expect((await list('&status=failed')).body['data']).toEqual([declined]);
    expect((await list('&limit=1')).body).toEqual({ data: [paid], nextCursor: expect.any(String) });
    expect((await list('', KEY_B)).body['data']).toEqual([]);
    expectProblem(await world.send('GET', `/v1/payments/${paid['id']}`, { as: KEY_B }), 'not-found');
  });
});
