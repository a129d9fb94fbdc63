import { uuidOf } from '../../src/kernel/ids.js';
import { v7 as uuidv7 } from 'uuid';
import { KEY_B, atOnce, type TestResponse } from '../support/app.js';
import { countOf } from '../support/ledger.js';
import { startPaymentWorld, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
beforeEach(async () => {
  world = await startPaymentWorld();
});
afterEach(() => world.close());

const charges = async (): Promise<number> => (await world.ledger()).requests.filter(({ path }) => path === '/charges').length;

async function declineTimes(order: PlacedOrder, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) expectProblem(await world.pay(order, 'tok_declined'), 'payment-declined');
}

/** Moves the declines of an order back in time. */
async function age(order: PlacedOrder, by: string): Promise<void> {
  await world.database.query(`UPDATE payments SET updated_at = updated_at - $2::interval WHERE order_id = $1`, [
    uuidOf('ord', order.id),
    by,
  ]);
}

function expectBraked(answer: TestResponse, atMostSeconds: number): void {
  expectProblem(answer, 'rate-limited');
  const seconds = Number(answer.headers.get('retry-after'));
  expect(seconds).toBeGreaterThan(atMostSeconds - 60);
  expect(seconds).toBeLessThanOrEqual(atMostSeconds);
}

describe('ten declines of one order in an hour', () => {
  it('and the provider is not asked any more, nothing is stored, and the key can be used when the hour is over', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await declineTimes(order, 10);
    const asked = await charges();
    expectBraked(await world.pay(order, 'tok_visa', { key }), 3_600);
    expect(await charges()).toBe(asked);
    expect(await world.stateOf(order)).toMatchObject({
      order: 'pending',
      payments: Array.from({ length: 10 }, () => 'failed'),
      charges: 0,
    });
    expect(await countOf(world.database, 'idempotency_records', `key = '${key}'`)).toBe(0);
    await age(order, '61 minutes');
    expect((await world.pay(order, 'tok_visa', { key })).status).toBe(201);
    expect(await world.stateOf(order)).toMatchObject({ order: 'paid', charges: 1 });
  });

  it('stop neither other orders, nor a replay of a decline, nor cancelling', async () => {
    const [order, other, key] = [await world.placeOrder(), await world.placeOrder(), uuidv7()];
    const first = await world.pay(order, 'tok_declined', { key });
    await declineTimes(order, 9);
    expectBraked(await world.pay(order), 3_600);
    const again = await world.pay(order, 'tok_declined', { key });
    expect([again.status, again.text]).toEqual([402, first.text]);
    expect((await world.pay(other)).status).toBe(201);
    expect((await world.cancel(order)).status).toBe(200);
  });

  it('are ten by many connections as well', async () => {
    const order = await world.placeOrder();
    for (let round = 0; round < 12; round += 1) await atOnce(5, () => world.pay(order, 'tok_declined'));
    expect(await world.stateOf(order)).toMatchObject({ payments: Array.from({ length: 10 }, () => 'failed') });
    expectBraked(await world.pay(order), 3_600);
  });
});

it('sixty declines of one account in a minute, and the provider is not asked any more; others are', async () => {
  const orders = await Promise.all(Array.from({ length: 7 }, () => world.placeOrder()));
  const [last, ...braked] = orders as [PlacedOrder, ...PlacedOrder[]];
  await Promise.all(braked.map((order) => declineTimes(order, 10)));
  const asked = await charges();
  expectBraked(await world.pay(last), 60);
  expect(await charges()).toBe(asked);
  const others = await world.placeOrder({ as: KEY_B });
  expect((await world.pay(others, 'tok_visa', { as: KEY_B })).status).toBe(201);
  await Promise.all(braked.map((order) => age(order, '61 seconds')));
  expect((await world.pay(last)).status).toBe(201);
});
