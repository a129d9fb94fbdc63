import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { ProviderBooks } from '../../src/payments/provider-books.js';
import { uuidOf } from '../../src/kernel/ids.js';
import { ORDER, type TestApp, type TestResponse } from '../support/app.js';
import { auditWorld } from '../support/audit.js';
import { HAPPENED, decide, reviewOf } from '../support/decisions.js';
import { eventually } from '../support/eventually.js';
import { countOf, recordsOf, stockOf } from '../support/ledger.js';
import { WAIT, untilFinal, useTwoReplicas, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
let replica: TestApp;
useTwoReplicas((...started) => ([world, replica] = started));

const PAST = 'Sun, 06 Nov 1994 08:49:37 GMT';
const until = (deadline: string): Record<string, string> => ({ 'request-deadline': deadline });
const soon = { ...WAIT, ...until('1') };
const afterwards = (): Promise<void> => sleep(1_100);

const placeBy = (deadline: string, key = uuidv7(), on: TestApp = world): Promise<TestResponse> =>
  on.send('POST', '/v1/orders', { key, body: ORDER, headers: until(deadline) });

const finalAnswer = (order: PlacedOrder, key: string, on: TestApp = replica): Promise<TestResponse> =>
  untilFinal(() => world.pay(order, 'tok_visa', { key, on, headers: { prefer: 'wait=5' } }));

const paymentsOf = (order: PlacedOrder) =>
  world.database.query(
    'SELECT status, failure_code, amount_refunded::int AS refunded, amount_reserved::int AS reserved, review_reason FROM payments WHERE order_id = $1 ORDER BY id',
    [uuidOf('ord', order.id)],
  );

/** Nothing is charged that was not given back, the order has its stock, and another payment pays it. */
async function expectNetZero(order: PlacedOrder, answer: TestResponse, charges: number): Promise<void> {
  expectProblem(answer, 'deadline-passed');
  expect(answer.body['payment']).toMatchObject({
    status: 'failed',
    failureCode: 'deadline_passed',
    amountRefunded: charges * order.total,
  });
  expect(await world.stateOf(order)).toEqual({
    order: 'pending',
    payments: ['failed'],
    amountRefunded: charges * order.total,
    charges,
    refunded: charges * order.total,
  });
  expect(await stockOf(world.database, order.productId)).toBe(999);
  // The provider may have been refused so often that it is left alone for a while: 503, and the same key.
  const key = uuidv7();
  await eventually('the order to be paid', async () => (await world.pay(order, 'tok_visa', { key, headers: WAIT })).status === 201);
  expect(await world.stateOf(order)).toMatchObject({ order: 'paid', charges: charges + 1 });
}

describe('a request that arrives after its deadline', () => {
  it('places no order, stored and replayed on every replica', async () => {
    const key = uuidv7();
    const before = await countOf(world.database, 'orders');
    const first = await placeBy(PAST, key);
    expectProblem(first, 'deadline-passed');
    // It is no part of what the key stands for.
    const again = await placeBy('60', key, replica);
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([409, first.text, 'true']);
    expect((await world.send('POST', '/v1/orders', { key, body: ORDER })).text).toBe(first.text);
    expect(await countOf(world.database, 'orders')).toBe(before);
    expect(await recordsOf(world.database, key)).toMatchObject([{ response_status: 409 }]);
  });

  it('makes no payment and asks nobody', async () => {
    const order = await world.placeOrder();
    const key = uuidv7();
    expectProblem(await world.pay(order, 'tok_visa', { key, headers: until(PAST) }), 'deadline-passed');
    expect(await paymentsOf(order)).toEqual([]);
    expect(await world.chargesOf(order)).toEqual([]);
    expectProblem(await world.pay(order, 'tok_visa', { key }), 'deadline-passed');
    expect((await world.pay(order)).status).toBe(201);
  });
});

it('one that arrives in time is executed as ever, and the deadline of the first one counts', async () => {
  for (const deadline of [
    '1',
    '86400',
    new Date(Date.now() + 5_000).toUTCString(),
    'Sunday, 06-Nov-44 08:49:37 GMT',
    'Sun Nov  6 08:49:37 2044',
  ]) {
    const key = uuidv7();
    const first = await placeBy(deadline, key);
    expect(first.status).toBe(201);
    expect((await placeBy(PAST, key)).text).toBe(first.text);
  }
  const order = await world.placeOrder();
  expect((await world.pay(order, 'tok_visa', { headers: until('30') })).status).toBe(201);
});

it.each([
  '0',
  '86401',
  '-1',
  '1.5',
  '1e3',
  '',
  'soon',
  '2044-11-06T08:49:37Z',
  'Mon, 06 Nov 1994 08:49:37 GMT',
  'Tue, 30 Feb 2044 08:49:37 GMT',
  '5, 6',
])('a malformed one is refused and leaves the key unused: "%s"', async (deadline) => {
  const key = uuidv7();
  const order = await world.placeOrder();
  for (const answer of [await placeBy(deadline, key), await world.pay(order, 'tok_visa', { key, headers: until(deadline) })]) {
    expectProblem(answer, 'invalid-request');
    expect(answer.body['errors']).toMatchObject([{ pointer: '/Request-Deadline' }]);
  }
  expect((await world.pay(order, 'tok_visa', { key })).status).toBe(201);
  // A stored answer is replayed, whatever else is wrong.
  expect((await world.pay(order, 'tok_visa', { key, headers: until(deadline) })).status).toBe(201);
});

it('other routes don’t read it', async () => {
  const body = { subject: 'a', description: 'b', priority: 'low' };
  expect((await world.send('POST', '/v1/tickets', { body, headers: until('nonsense') })).status).toBe(201);
});

describe('a charge that is known after the deadline', () => {
  it('is refunded, and the order is paid under a new key', async () => {
    const order = await world.placeOrder();
    const key = uuidv7();
    const provider = await world.sandbox.hold();
    const first = world.pay(order, 'tok_visa', { key, headers: soon });
    await afterwards();
    await provider.release();
    await first;
    await expectNetZero(order, await finalAnswer(order, key), 1);
  });

  it('is 202 until the provider tells', async () => {
    const order = await world.placeOrder();
    const key = uuidv7();
    await world.faults({ error500: 1 });
    await world.pay(order, 'tok_visa', { key, headers: until('1') });
    await world.faults({ refuse: 1 });
    await afterwards();
    await world.passInterval();
    expect((await world.pay(order, 'tok_visa', { key })).status).toBe(202);
    expect(await paymentsOf(order)).toMatchObject([{ status: 'processing' }]);
    expectProblem(await world.pay(order, 'tok_visa', { headers: { prefer: 'handling=lenient' } }), 'payment-in-progress');
    await world.faults({});
    const answer = await finalAnswer(order, key);
    await expectNetZero(order, answer, (await world.chargesOf(order)).length);
  });

  it('flags the payment where its refund is refused', async () => {
    const order = await world.placeOrder();
    const key = uuidv7();
    const provider = await world.sandbox.hold();
    const first = world.pay(order, 'tok_refund_declined', { key, headers: soon });
    await afterwards();
    await provider.release();
    await first;
    const answer = await eventually('a final answer', async () => {
      const { status, body } = await world.pay(order, 'tok_refund_declined', { key, headers: { prefer: 'wait=5' } });
      return status === 202 ? undefined : { status, body };
    });
    expect(answer).toMatchObject({ status: 409, body: { code: 'deadline-passed' } });
    expect(await reviewOf(world, String(answer.body['payment'].id))).toMatch(/declined to refund/);
  });

  it('of which a person decides that it happened is refunded as well', async () => {
    const order = await world.placeOrder();
    const key = uuidv7();
    await world.faults({ refuse: 1 });
    const operation = await eventually('it to be asked', async () => {
      const answer = await world.pay(order, 'tok_visa', { key, headers: until('3') });
      return answer.status === 202 ? String(answer.headers.get('operation-id')) : undefined;
    });
    await eventually('it to be flagged', async () => ((await paymentsOf(order))[0]?.['review_reason'] ? true : undefined));
    await sleep(3_100);
    expect((await decide(world, operation, HAPPENED)).status).toBe(200);
    await world.faults({});
    expectProblem(await finalAnswer(order, key), 'deadline-passed');
    expect(await paymentsOf(order)).toMatchObject([{ status: 'failed', failure_code: 'deadline_passed' }]);
  });
});

describe('a charge that was not sent before the deadline', () => {
  it('is not sent any more by who takes over, and the provider is asked for it', async () => {
    const order = await world.placeOrder();
    const key = uuidv7();
    // Lost on its way: the provider did nothing, and the service can't know.
    await world.faults({ refuse: 1 });
    await eventually('it to be asked', async () => (await world.pay(order, 'tok_visa', { key, headers: until('2') })).status === 202);
    await sleep(2_100);
    const asked = (await world.ledger()).requests.filter(({ method }) => method === 'POST').length;
    await world.faults({});
    await expectNetZero(order, await finalAnswer(order, key), 0);
    // That was the new payment's.
    expect((await world.ledger()).requests.filter(({ method }) => method === 'POST').length).toBe(asked + 1);
  });

  it('and shows all the same is refunded by the look at the books, once', async () => {
    const order = await world.placeOrder();
    const key = uuidv7();
    await world.faults({ refuse: 1 });
    await eventually('it to be asked', async () => (await world.pay(order, 'tok_visa', { key, headers: until('2') })).status === 202);
    await sleep(2_100);
    await world.faults({});
    expectProblem(await finalAnswer(order, key), 'deadline-passed');
    const [row] = await world.database.query<{ reference: string }>('SELECT reference FROM payments WHERE order_id = $1', [
      uuidOf('ord', order.id),
    ]);
    await world.sandbox.database.query(
      `INSERT INTO charges (id, key, reference, amount, currency, source, created_at) VALUES ($1, $2, $3, $4, 'EUR', 'tok_visa', now())`,
      [`ch_late${uuidv7()}`, uuidv7(), row?.reference, order.total],
    );
    await world.database.query('UPDATE payments SET check_at = now() WHERE order_id = $1 AND check_at IS NOT NULL', [
      uuidOf('ord', order.id),
    ]);
    await Promise.all([world, replica].map(({ app }) => app.get(ProviderBooks).check()));
    await eventually('it to be refunded', async () => ((await world.refundsOf(order)).length === 1 ? true : undefined));
    await eventually('the refund to be written down', async () =>
      (await paymentsOf(order))[0]?.['refunded'] === order.total ? true : undefined,
    );
    expect(await world.stateOf(order)).toMatchObject({ order: 'pending', payments: ['failed'], charges: 1, refunded: order.total });
  });
});

it('the audit finds nothing but what is flagged', async () => {
  const { differences } = await auditWorld(world);
  const kinds = differences.map(({ kind }) => kind);
  expect(kinds.filter((kind) => kind !== 'charge-though-failed')).toEqual([]);
});
