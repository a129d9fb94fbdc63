import { v7 as uuidv7 } from 'uuid';
import { Operations } from '../../src/idempotency/index.js';
import { uuidOf } from '../../src/kernel/ids.js';
import { ORDER, type TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A, recordsOf } from '../support/ledger.js';
import { startStripeWorld, type StripeServer } from '../support/stripe-server.js';

let stripe: StripeServer;
let world: Awaited<ReturnType<typeof startStripeWorld>>;

beforeAll(async () => {
  world = await startStripeWorld({ IDEMPOTENCY_RECOVERY_INTERVAL: '200ms' });
  ({ stripe } = world);
});
afterAll(() => world.close());

async function pay(source: string, key = uuidv7()): Promise<TestResponse> {
  const { body: order } = await world.send('POST', '/v1/orders', { body: ORDER });
  return world.send('POST', '/v1/payments', { key, body: { orderId: String(order['id']), amount: 2500, currency: 'EUR', source } });
}

const requestsFor = (id: string) => stripe.requests.filter(({ path }) => path.endsWith(`/${id}`)).length;
const lastIntent = () => stripe.intents.at(-1) ?? { id: 'none' };
const lastRefund = () => stripe.refunds.at(-1) ?? { id: 'none' };

/** When the recoverer comes again, in milliseconds from when it parked. */
async function pauseOf(key: string): Promise<number> {
  const [row] = await world.database.query<{ pause: number }>(
    `SELECT extract(epoch FROM next_run_at - clock_timestamp())::float8 * 1000 AS pause FROM idempotency_records WHERE key = $1`,
    [key],
  );
  return row?.pause ?? 0;
}

const makeOld = (key: string, age: string) =>
  world.database.query(
    `UPDATE idempotency_records SET created_at = created_at - $2::interval, next_run_at = clock_timestamp() WHERE key = $1`,
    [key, age],
  );

describe('a charge that is pending at the provider', () => {
  it('is read by its id, never sent again, and settled once it is decided', async () => {
    const key = uuidv7();
    const answer = await pay('pm_slow', key);
    expect([answer.status, answer.body['status']]).toEqual([202, 'processing']);
    const { id } = lastIntent();
    const shown = await world.send('GET', `/v1/payments/${answer.body['id']}`);
    expect(shown.body).toMatchObject({ status: 'processing', providerReference: id });
    await eventually('the recoverer to ask twice', async () => requestsFor(id) >= 2);
    Object.assign(lastIntent(), { status: 'succeeded' });
    await eventually(
      'it to be settled',
      async () => (await world.send('GET', `/v1/payments/${answer.body['id']}`)).body['status'] === 'succeeded',
    );
    expect(stripe.posts.filter(({ path }) => path === '/v1/payment_intents')).toHaveLength(stripe.intents.length);
    expect(stripe.requests.filter(({ path }) => path.endsWith('/search'))).toEqual([]);
    expect(await recordsOf(world.database, key)).toMatchObject([{ status: 'completed', response_status: 201 }]);
  });

  it('may be declined in the end', async () => {
    const answer = await pay('pm_slow');
    Object.assign(lastIntent(), { status: 'requires_payment_method', last_payment_error: { code: 'insufficient_funds' } });
    const declined = await eventually('it to be declined', async () => {
      const { body } = await world.send('GET', `/v1/payments/${answer.body['id']}`);
      return body['status'] === 'failed' && body;
    });
    expect(declined).toMatchObject({ failureCode: 'insufficient_funds' });
  });

  it('is asked for in pauses that grow to hours, and is a matter for a person after days', async () => {
    const key = uuidv7();
    const answer = await pay('pm_slow', key);
    const { id } = lastIntent();
    const review = async () => {
      const [row] = await world.database.query(`SELECT review_reason FROM payments WHERE id = $1`, [
        uuidOf('pay', String(answer.body['id'])),
      ]);
      return row?.['review_reason'];
    };
    for (const [age, least, most] of [
      ['2 hours', 0.7, 1.3],
      ['22 hours', 4.4, 7.6],
      ['3 days', 4.4, 7.6],
    ] as const) {
      expect(await review()).toBeNull();
      const before = requestsFor(id);
      await makeOld(key, age);
      await eventually('it to be asked for and parked', async () => requestsFor(id) === before + 1 && (await pauseOf(key)) > 1_000_000);
      const hours = (await pauseOf(key)) / 3_600_000;
      expect([hours > least, hours < most]).toEqual([true, true]);
    }
    await eventually('it to be flagged', async () => (await review()) !== null);
    expect(await review()).toMatch(/^undecided at the provider for 4 days/);
    // A hint ends the pause.
    const [record] = await recordsOf(world.database, key);
    Object.assign(lastIntent(), { status: 'succeeded' });
    await world.app.get(Operations).wake(ACCOUNT_A, String(record?.operation_id));
    await eventually('it to be settled, without the flag', async () => (await recordsOf(world.database, key))[0]?.status === 'completed');
    expect(await review()).toBeNull();
  });
});

describe('a refund that is pending at the provider', () => {
  afterEach(() => (stripe.refundStatus = 'succeeded'));

  it.each([
    ['succeeded', { status: 'succeeded', failureCode: null }, 500],
    ['failed', { status: 'failed', failureCode: 'failed' }, 0],
  ])('is read by its id, and %s when it is decided', async (status, becomes, amountRefunded) => {
    const payment = await pay('tok_visa');
    stripe.refundStatus = 'pending';
    const answer = await world.send('POST', `/v1/payments/${payment.body['id']}/refunds`, { body: { amount: 500 } });
    expect([answer.status, answer.body['status']]).toEqual([202, 'processing']);
    const { id } = lastRefund();
    await eventually('the recoverer to ask twice', async () => requestsFor(id) >= 2);
    Object.assign(lastRefund(), { status });
    const refund = await eventually('it to be settled', async () => {
      const { body } = await world.send('GET', `/v1/refunds/${answer.body['id']}`);
      return body['status'] !== 'processing' && body;
    });
    expect(refund).toMatchObject(becomes);
    expect((await world.send('GET', `/v1/payments/${payment.body['id']}`)).body).toMatchObject({ amountRefunded });
    expect(stripe.posts.filter(({ path }) => path === '/v1/refunds')).toHaveLength(stripe.refunds.length);
  });
});
