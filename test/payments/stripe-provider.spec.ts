import { GuardedProvider } from '../../src/payments/provider/guarded-provider.js';
import { referenceOf } from '../../src/payments/provider/ask.js';
import { stripeAmount } from '../../src/payments/provider/stripe-amount.js';
import { StripeProvider } from '../../src/payments/provider/stripe-provider.js';
import { v7 as uuidv7 } from 'uuid';
import { ORDER, startWorld } from '../support/app.js';
import { StripeServer, type Fault } from '../support/stripe-server.js';

const SECRET = 'sk_test_notarealkey';
let stripe: StripeServer;
let provider: StripeProvider;
let key: string;

beforeEach(async () => {
  stripe = await new StripeServer().start();
  provider = new StripeProvider(SECRET, stripe.url);
  key = uuidv7().replaceAll('-', '').padEnd(64, '0');
});

afterEach(() => stripe.close());

const payment = (source = 'tok_visa', money = { amount: 2500, currency: 'EUR' }) => ({
  account: 'acct_1',
  reference: referenceOf(key),
  source,
  origin: { order: 'ord_1', payment: 'pay_1', operation: 'op_1' },
  ...money,
});
const charge = (source?: string, timeoutMs = 2_000) => provider.charge(payment(source), key, timeoutMs);
const unknown = { kind: 'unknown', reason: expect.any(String) as unknown };

describe('charges', () => {
  it('charges what was asked for, under our key and reference', async () => {
    expect(await charge()).toMatchObject({ kind: 'succeeded', providerReference: 'pi_1' });
    expect(stripe.intents).toMatchObject([
      {
        amount: 2500,
        currency: 'eur',
        status: 'succeeded',
        metadata: { reference: referenceOf(key), account: 'acct_1', order: 'ord_1', payment: 'pay_1', operation: 'op_1' },
      },
    ]);
    expect(stripe.posts).toMatchObject([{ path: '/v1/payment_intents', key, form: { 'payment_method_data[card][token]': 'tok_visa' } }]);
  });

  it('takes the id of a PaymentMethod for what it is', async () => {
    expect(await charge('pm_card_visa')).toMatchObject({ kind: 'succeeded' });
    expect(stripe.posts).toMatchObject([{ form: { payment_method: 'pm_card_visa' } }]);
  });

  it.each<Fault>(['hang', 'drop'])('charges once when the answer is lost: %s', async (fault) => {
    stripe.faults.push(fault);
    expect(await charge('tok_visa', 300)).toEqual(unknown);
    expect(await charge()).toMatchObject({ kind: 'succeeded', providerReference: 'pi_1' });
    expect(stripe.intents).toHaveLength(1);
  });

  it('leaves retries to its caller, even where the SDK would send once more', async () => {
    stripe.faults.push('drop', 'drop');
    expect(await charge('tok_visa', 10_000)).toEqual(unknown);
    expect(stripe.posts).toHaveLength(1);
  });

  it.each([
    ['tok_chargeDeclined', 'generic_decline'],
    ['tok_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['tok_chargeDeclinedExpiredCard', 'expired_card'],
    ['pm_card_issuerWantsAuthentication', 'authentication_required'],
    ['tok_nobody_knows', 'resource_missing'],
  ])('a declined card is declined: %s', async (source, code) => {
    expect(await charge(source)).toMatchObject({ kind: 'declined', code });
    expect(await charge(source)).toMatchObject({ kind: 'declined', code });
    expect(stripe.intents.length).toBeLessThanOrEqual(1);
  });
});

describe('3-D Secure', () => {
  const declined = { kind: 'declined', code: 'authentication_required' };

  it('a 3-D Secure demand is a decline, and nothing is left to capture', async () => {
    expect(await charge('tok_threeDSecure2Required')).toMatchObject(declined);
    expect(stripe.intents).toMatchObject([{ status: 'canceled' }]);
  });

  it('is declined by a later attempt when the cancelling is lost, and never counts as not reached', async () => {
    // The first fault is none: it lets the charge through, for the cancelling to meet the second.
    for (const fault of ['drop', 'drop-before', { status: 429, code: 'rate_limit' }] satisfies Fault[]) {
      stripe.faults.push(undefined, fault);
      key = uuidv7();
      expect(await charge('tok_threeDSecure2Required')).toEqual(unknown);
      expect(await charge('tok_threeDSecure2Required')).toMatchObject(declined);
      expect(await charge('tok_threeDSecure2Required')).toMatchObject(declined);
    }
    expect(stripe.intents.map(({ status }) => status)).toEqual(['canceled', 'canceled', 'canceled']);
  });
});

describe('refunds', () => {
  const asked = (amount = 1000, refundKey = `${key}r`, chargeId = 'pi_1') => ({
    account: 'acct_1',
    reference: `hf_${refundKey}`,
    chargeId,
    amount,
    currency: 'EUR',
  });
  const refund = (amount = 1000, refundKey = `${key}r`, chargeId = 'pi_1') =>
    provider.refund(asked(amount, refundKey, chargeId), refundKey, 1_000);
  const find = (refundKey = `${key}r`, known: string | null = null) => provider.findRefund(asked(1, refundKey), known, 1_000);

  beforeEach(async () => {
    await charge();
  });

  it('refunds once', async () => {
    stripe.faults.push('drop');
    expect(await refund()).toEqual(unknown);
    expect(await refund()).toMatchObject({ kind: 'succeeded', providerReference: 're_1' });
    stripe.forgetKeys();
    expect(await find()).toMatchObject({ kind: 'succeeded', providerReference: 're_1' });
    expect(stripe.refunds).toMatchObject([{ amount: 1000, payment_intent: 'pi_1' }]);
  });

  it('finds one among many, and no other', async () => {
    for (let n = 0; n < 130; n++) expect(await refund(1, `${key}${n}`)).toMatchObject({ kind: 'succeeded' });
    expect(await find(`${key}0`)).toMatchObject({ kind: 'succeeded', providerReference: 're_1' });
    expect(await find(key)).toBeNull();
  });

  it('declines what Stripe refuses', async () => {
    expect(await refund(2501)).toMatchObject({ kind: 'declined', code: 'charge_already_refunded' });
    expect(await refund(1, 'other', 'pi_99')).toMatchObject({ kind: 'declined', code: 'resource_missing' });
  });

  it.each(['failed', 'canceled'])('a refund that is %s is declined', async (status) => {
    stripe.refundStatus = status;
    expect(await refund()).toMatchObject({ kind: 'declined', code: status });
  });

  it.each(['pending', 'requires_action'])('that is %s is so until it is decided, by its id', async (status) => {
    stripe.refundStatus = status;
    const pending = { kind: 'pending', providerReference: 're_1', reason: `the refund has the status ${status}` };
    for (const reading of [await refund(), await find(), await find(key, 're_1')]) expect(reading).toMatchObject(pending);
    Object.assign(stripe.refunds[0] ?? {}, { status: 'succeeded' });
    expect(await find(key, 're_1')).toMatchObject({ kind: 'succeeded', providerReference: 're_1' });
    expect(stripe.posts).toHaveLength(2);
  });
});

describe('amounts', () => {
  it.each([
    ['EUR', 2500, 2500],
    ['JPY', 500, 500],
    ['HUF', 1045, 1045],
    ['ISK', 5, 500],
    ['UGX', 5, 500],
    ['MGA', 500, 5],
    ['MGA', 501, null],
    ['KWD', 5120, 5120],
    ['KWD', 5124, null],
  ])('%s %i is %p for Stripe', (currency, amount, units) => {
    expect(stripeAmount(amount, currency)).toBe(units);
  });

  it('sends nothing that would have to be rounded', async () => {
    const outcome = await provider.charge(payment('tok_visa', { amount: 5124, currency: 'KWD' }), key, 1_000);
    expect(outcome).toMatchObject({ kind: 'declined', code: 'amount_not_supported' });
    expect(stripe.requests).toEqual([]);
  });
});

it('survives a lost answer and an outage inside one guarded call', async () => {
  stripe.faults.push('drop', { status: 503, type: 'api_error' });
  expect(await new GuardedProvider(provider, 2_000).charge(payment(), key)).toMatchObject({ kind: 'succeeded', providerReference: 'pi_1' });
  expect(stripe.intents).toHaveLength(1);
});

it('pays an order through the whole application, once', async () => {
  const world = await startWorld({ PROVIDER: 'stripe', STRIPE_SECRET_KEY: SECRET, STRIPE_API_HOST: stripe.url });
  try {
    const { body: order } = await world.send('POST', '/v1/orders', { body: ORDER });
    const body = { orderId: order.id as string, amount: 2500, currency: 'EUR', source: 'tok_visa' };
    stripe.faults.push('drop');
    const first = await world.send('POST', '/v1/payments', { key, body });
    expect(first.body).toMatchObject({ status: 'succeeded', providerReference: 'pi_1' });
    expect(first.status).toBe(201);
    const replay = await world.send('POST', '/v1/payments', { key, body });
    expect([replay.status, replay.text, replay.headers.get('idempotent-replayed')]).toEqual([201, first.text, 'true']);
    expect(stripe.intents).toMatchObject([{ amount: 2500, currency: 'eur' }]);
    const refund = await world.send('POST', `/v1/payments/${first.body.id as string}/refunds`, { body: { amount: 500 } });
    expect([refund.status, refund.body.status]).toEqual([201, 'succeeded']);
    expect(stripe.refunds).toMatchObject([{ amount: 500, payment_intent: 'pi_1' }]);
  } finally {
    await world.close();
  }
});
