import { v7 as uuidv7 } from 'uuid';
import { KEY_B, type TestApp, type TestResponse } from '../support/app.js';
import { recordsOf } from '../support/ledger.js';
import { hold, untilBlocked } from '../support/locks.js';
import { WAIT, useTwoReplicas, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
let replica: TestApp;
useTwoReplicas((...started) => ([world, replica] = started));

const LENIENT = { prefer: 'handling=lenient' };

/** Expects the refusal with its Link, and nothing else of it executed. */
function expectDuplicate(answer: TestResponse, of: TestResponse): void {
  expectProblem(answer, 'possible-duplicate');
  const first = String(of.headers.get('operation-id'));
  expect(answer.headers.get('link')).toBe(`</v1/operations/${first}>; rel="related"`);
  expect(answer.headers.get('operation-id')).toMatch(/^op_/);
  expect(answer.headers.get('operation-id')).not.toBe(first);
}

/** As if the two minutes had passed for everything so far. */
async function passWindow(): Promise<void> {
  await world.database.query(`UPDATE idempotency_records SET duplicate_until = clock_timestamp() WHERE duplicate_until IS NOT NULL`);
}

describe('one payment under two keys', () => {
  it('at the same instant on two replicas is one payment and one refusal that names it, however often', async () => {
    for (let round = 0; round < 5; round += 1) {
      const order = await world.placeOrder();
      const answers = await Promise.all([world, replica].map((on) => world.pay(order, 'tok_visa', { on, headers: WAIT })));
      const [paid, refused] = answers.sort((one, other) => one.status - other.status) as [TestResponse, TestResponse];
      expect(paid.status).toBe(201);
      expectDuplicate(refused, paid);
      expect(await world.stateOf(order)).toMatchObject({ payments: ['succeeded'], charges: 1 });
    }
  });

  it('of which the first has not committed yet waits for it, and is told of it', async () => {
    const order = await world.placeOrder();
    const held = await hold(world.database, 'LOCK TABLE payments IN EXCLUSIVE MODE');
    const first = world.pay(order, 'tok_visa', { headers: WAIT });
    await untilBlocked(world.database);
    const second = world.pay(order, 'tok_visa', { on: replica, headers: WAIT });
    await held.release();
    expect((await first).status).toBe(201);
    expectDuplicate(await second, await first);
  });

  it('is refused while the first one runs, before it is said that a payment is under way', async () => {
    const order = await world.placeOrder();
    const provider = await world.sandbox.hold();
    const first = await world.pay(order, 'tok_visa');
    expect(first.status).toBe(202);
    expectDuplicate(await world.pay(order, 'tok_visa', { on: replica }), first);
    // Another payment of the order is no duplicate, and is told as before.
    expectProblem(await world.pay(order, 'tok_mastercard'), 'payment-in-progress');
    await provider.release();
  });

  it('is stored: the same key gets the same bytes, on both replicas and when the first one no longer counts', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const first = await world.pay(order);
    const refused = await world.pay(order, 'tok_visa', { key });
    expectDuplicate(refused, first);
    await passWindow();
    for (const on of [world, replica]) {
      // Also where it is said later that it is meant: that takes a new key.
      const again = await world.pay(order, 'tok_visa', { key, on, headers: LENIENT });
      expect([again.status, again.text, again.headers.get('link')]).toEqual([409, refused.text, refused.headers.get('link')]);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
    }
    expect(await recordsOf(world.database, key)).toMatchObject([{ status: 'completed' }]);
    expect(await world.stateOf(order)).toMatchObject({ payments: ['succeeded'], charges: 1 });
  });
});

describe('no possible duplicate is', () => {
  const passed = async (order: PlacedOrder, options: Parameters<PaymentWorld['pay']>[2] = {}): Promise<TestResponse> => {
    const answer = await world.pay(order, 'tok_visa', { headers: WAIT, ...options });
    // The order is paid, and the request came as far as that.
    expectProblem(answer, 'order-not-payable');
    return answer;
  };

  it('a retry with a new key after a decline', async () => {
    const order = await world.placeOrder();
    for (let n = 0; n < 2; n += 1) expectProblem(await world.pay(order, 'tok_declined', { headers: WAIT }), 'payment-declined');
  });

  it('a refusal, whoever is refused', async () => {
    const order = await world.placeOrder();
    for (let n = 0; n < 2; n += 1) expectProblem(await world.pay(order, 'tok_visa', { amount: 1 }), 'amount-mismatch');
  });

  it('one that is said to be meant, and the answer says that it was heard', async () => {
    const order = await world.placeOrder();
    await world.pay(order);
    const answer = await passed(order, { headers: { prefer: 'wait=5, handling=lenient' } });
    expect(answer.headers.get('preference-applied')).toBe('wait=5, handling=lenient');
    expectProblem(await world.pay(order, 'tok_visa', { headers: { prefer: 'handling=strict' } }), 'possible-duplicate');
  });

  it('a payment that is meant is one that others repeat', async () => {
    const order = await world.placeOrder();
    const first = await world.pay(order, 'tok_visa', { headers: LENIENT });
    expectDuplicate(await world.pay(order), first);
  });

  it('one after the window', async () => {
    const order = await world.placeOrder();
    const first = await world.pay(order);
    const [row] = await world.database.query<{ seconds: number }>(
      `SELECT extract(epoch FROM duplicate_until - created_at)::float8 AS seconds FROM idempotency_records WHERE resource = $1`,
      [`/v1/payments/${first.body['id']}`],
    );
    expect(row).toEqual({ seconds: 120 });
    await passWindow();
    await passed(order);
  });

  it('one of a payment that was given back; of a part it is', async () => {
    const order = await world.placeOrder();
    const first = await world.pay(order);
    const id = String(first.body['id']);
    expect((await world.refund(id, { amount: 1 }, { headers: WAIT })).status).toBe(201);
    expectDuplicate(await world.pay(order), first);
    expect((await world.refund(id, {}, { headers: WAIT })).status).toBe(201);
    await passed(order);
  });

  it('one of a payment that was given back by cancelling', async () => {
    const order = await world.placeOrder();
    await world.pay(order);
    expect((await world.cancel(order, { headers: WAIT })).status).toBe(200);
    await passed(order);
  });

  it("another account's", async () => {
    const order = await world.placeOrder();
    await world.pay(order);
    expectProblem(await world.pay(order, 'tok_visa', { as: KEY_B }), 'not-found');
  });

  it('one of another endpoint: those write nothing for it', async () => {
    const body = { subject: 'twice', description: 'the same', priority: 'low' };
    const [one, other] = [uuidv7(), uuidv7()];
    for (const key of [one, other]) expect((await world.send('POST', '/v1/tickets', { key, body, headers: LENIENT })).status).toBe(201);
    const rows = await world.database.query(`SELECT duplicate_until FROM idempotency_records WHERE key = ANY ($1)`, [[one, other]]);
    expect(rows).toEqual([{ duplicate_until: null }, { duplicate_until: null }]);
  });
});
