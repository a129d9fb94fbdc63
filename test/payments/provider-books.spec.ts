import { ProviderBooks } from '../../src/payments/provider-books.js';
import { ProviderEventsService } from '../../src/payments/provider-events.service.js';
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
  [
    'both at once',
    { latest_charge: { disputed: true, amount_refunded: 700 } },
    'the charge is disputed; the provider gave 700 back, and 0 are known here',
  ],
  ['an answer about another amount', { amount: 2400 }, 'the provider answered with amount 2400 instead of 2500'],
  ['an answer in another currency', { currency: 'usd' }, 'the provider answered with currency USD instead of EUR'],
  [
    'an answer about another account’s charge',
    { metadata: { reference: 'hf_another', account: 'acct_another' }, latest_charge: { disputed: false, amount_refunded: 9 } },
    expect.stringMatching(/^the provider answered with account acct_another instead of acct_\w+, reference hf_another instead of hf_\w+$/),
  ],
])('%s flags the payment and unmakes nothing', async (_name, change, reason) => {
  const payment = await pay();
  Object.assign(stripe.intents.at(-1) ?? {}, change);
  await lookAgain('payments', payment['id']);
  expect(await rowOf('payments', payment['id'])).toMatchObject({ status: 'succeeded', review_reason: reason, check_at: Infinity });
  const { body: order } = await world.send('GET', `/v1/orders/${payment['orderId']}`);
  expect(order).toMatchObject({ status: 'paid' });
});

/** A payment in whose books something was found, which a person has from now on. */
async function payAndFlag(): Promise<{ payment: TestResponse['body']; intent: (typeof stripe.intents)[number] }> {
  const payment = await pay();
  const intent = stripe.intents.at(-1) ?? { id: 'none' };
  Object.assign(intent, { latest_charge: { disputed: true, amount_refunded: 0 } });
  await lookAgain('payments', payment['id']);
  return { payment, intent };
}

/** An event that names the PaymentIntent alone, and the run that follows. */
async function tellOf(intent: string): Promise<void> {
  const hint = { id: `evt_${crypto.randomUUID()}`, type: 'charge.updated', reference: null, providerReference: intent };
  await world.app.get(ProviderEventsService, { strict: false }).receive(hint);
  await world.app.get(ProviderBooks, { strict: false }).check();
}

describe('a further trouble is told of, by an event that names the PaymentIntent alone,', () => {
  const BOTH = 'the charge is disputed; the provider gave 700 back, and 0 are known here';

  it('while a person has the payment for the first one', async () => {
    const { payment, intent } = await payAndFlag();
    Object.assign(intent, { latest_charge: { disputed: true, amount_refunded: 700 } });
    for (const _time of [1, 2]) await tellOf(intent.id);
    expect(await rowOf('payments', payment['id'])).toMatchObject({ status: 'succeeded', review_reason: BOTH, check_at: Infinity });
  });

  it('when the first one is settled', async () => {
    const { payment, intent } = await payAndFlag();
    await world.database.query('UPDATE payments SET review_reason = NULL WHERE id = $1', [uuidOf('pay', String(payment['id']))]);
    Object.assign(intent, { latest_charge: { disputed: false, amount_refunded: 700 } });
    await tellOf(intent.id);
    expect(await rowOf('payments', payment['id'])).toMatchObject({ review_reason: 'the provider gave 700 back, and 0 are known here' });
  });

  it('of a payment that is too old to be looked at without news', async () => {
    const payment = await pay();
    const intent = stripe.intents.at(-1) ?? { id: 'none' };
    await world.database.query(`UPDATE payments SET created_at = created_at - interval '1 year' WHERE id = $1`, [
      uuidOf('pay', String(payment['id'])),
    ]);
    await lookAgain('payments', payment['id']);
    expect(await rowOf('payments', payment['id'])).toMatchObject({ review_reason: null, check_at: Infinity });
    Object.assign(intent, { latest_charge: { disputed: true, amount_refunded: 0 } });
    await tellOf(intent.id);
    expect(await rowOf('payments', payment['id'])).toMatchObject({ review_reason: 'the charge is disputed' });
  });
});

it('a refund that fails after a person was asked to look at it gives its reservation back all the same', async () => {
  const payment = await pay();
  const made = await refund(payment);
  const there = stripe.refunds.at(-1) ?? { id: 'none' };
  Object.assign(there, { amount: 400 });
  await lookAgain('refunds', made['id']);
  const first = `${made['id']}: the provider answered with amount 400 instead of 500`;
  expect(await rowOf('payments', payment['id'])).toMatchObject({ amount_refunded: '500', review_reason: first });
  Object.assign(there, { amount: 500, status: 'failed', failure_reason: 'expired_or_canceled_card' });
  await lookAgain('refunds', made['id']);
  expect(await rowOf('refunds', made['id'])).toMatchObject({ status: 'failed', failure_code: 'expired_or_canceled_card', check_at: null });
  expect(await rowOf('payments', payment['id'])).toMatchObject({
    amount_refunded: '0',
    amount_reserved: '0',
    review_reason: `${first}; ${made['id']}: it had succeeded and failed later: expired_or_canceled_card`,
  });
});
