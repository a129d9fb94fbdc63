import { ProviderBooks } from '../../src/payments/provider-books.js';
import { uuidOf } from '../../src/kernel/ids.js';
import { ORDER, type TestResponse } from '../support/app.js';
import { ACCOUNT_A } from '../support/ledger.js';
import { startStripeWorld, type StripeServer } from '../support/stripe-server.js';

let stripe: StripeServer;
let world: Awaited<ReturnType<typeof startStripeWorld>>;

beforeAll(async () => {
  world = await startStripeWorld();
  ({ stripe } = world);
});
afterAll(() => world.close());

async function pay(): Promise<TestResponse['body']> {
  const { body: order } = await world.send('POST', '/v1/orders', { body: ORDER });
  const body = { orderId: String(order['id']), amount: 2500, currency: 'EUR', source: 'tok_visa' };
  return (await world.send('POST', '/v1/payments', { body })).body;
}

const refund = async (payment: TestResponse['body']) =>
  (await world.send('POST', `/v1/payments/${payment['id']}/refunds`, { body: { amount: 500 } })).body;

async function rowOf(table: 'payments' | 'refunds', id: unknown) {
  const uuid = uuidOf(table === 'payments' ? 'pay' : 're', String(id));
  const [row] = await world.database.query(`SELECT *, check_at - now() > interval '50 minutes' AS later FROM ${table} WHERE id = $1`, [
    uuid,
  ]);
  if (!row) throw new Error('there is no such row');
  return row;
}

/** News of it, and the run that follows. */
async function lookAgain(table: 'payments' | 'refunds', id: unknown): Promise<void> {
  const books = world.app.get(ProviderBooks, { strict: false });
  await books.lookAgain(ACCOUNT_A, String((await rowOf(table, id))['reference']));
  await books.check();
}

it('what succeeded and stays so is looked at again later, and nothing changes', async () => {
  const payment = await pay();
  const { id } = await refund(payment);
  expect([(await rowOf('payments', payment['id']))['later'], (await rowOf('refunds', id))['later']]).toEqual([true, true]);
  await lookAgain('payments', payment['id']);
  await lookAgain('refunds', id);
  expect(await rowOf('payments', payment['id'])).toMatchObject({ later: true, review_reason: null, amount_refunded: '500' });
  expect(await rowOf('refunds', id)).toMatchObject({ later: true, status: 'succeeded' });
});

it.each(['failed', 'canceled'])(
  'a refund that is %s after it had succeeded gives its reservation back, once, and flags its payment',
  async (status) => {
    const payment = await pay();
    const made = await refund(payment);
    Object.assign(stripe.refunds.at(-1) ?? {}, { status, failure_reason: 'lost_or_stolen_card' });
    for (const _time of [1, 2]) await lookAgain('refunds', made['id']);
    expect((await world.send('GET', `/v1/refunds/${made['id']}`)).body).toMatchObject({
      status: 'failed',
      failureCode: 'lost_or_stolen_card',
    });
    expect(await rowOf('payments', payment['id'])).toMatchObject({
      status: 'succeeded',
      amount_refunded: '0',
      amount_reserved: '0',
      review_reason: `${made['id']}: it had succeeded and failed later: lost_or_stolen_card`,
    });
    expect(await refund(payment)).toMatchObject({ status: 'succeeded' });
  },
);

it.each([
  ['a dispute', { latest_charge: { disputed: true, amount_refunded: 0 } }, 'the charge is disputed'],
  [
    'money that went back without us',
    { latest_charge: { disputed: false, amount_refunded: 700 } },
    'the provider gave 700 back, and 0 are known here',
  ],
])('%s flags the payment and unmakes nothing', async (_name, change, reason) => {
  const payment = await pay();
  Object.assign(stripe.intents.at(-1) ?? {}, change);
  await lookAgain('payments', payment['id']);
  expect(await rowOf('payments', payment['id'])).toMatchObject({ status: 'succeeded', review_reason: reason, check_at: null });
  const { body: order } = await world.send('GET', `/v1/orders/${payment['orderId']}`);
  expect(order).toMatchObject({ status: 'paid' });
});
