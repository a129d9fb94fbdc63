import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import { GuardedProvider } from '../../src/payments/provider/guarded-provider.js';
import { ask, referenceOf } from '../../src/payments/provider/ask.js';
import { stripeAmount } from '../../src/payments/provider/stripe-amount.js';
import { StripeProvider } from '../../src/payments/provider/stripe-provider.js';
import type { StepRun } from '../../src/idempotency/index.js';
import { ORDER, startWorld } from '../support/app.js';
import { StripeServer, type Fault } from '../support/stripe-server.js';

const SECRET = 'sk_test_notarealkey';
const HOUR = 3_600_000;
let stripe: StripeServer;
let provider: StripeProvider;
let key: string;

beforeEach(async () => {
  stripe = await new StripeServer().start();
  provider = new StripeProvider(SECRET, stripe.url);
  key = uuidv7().replaceAll('-', '').padEnd(64, '0');
});

afterEach(() => stripe.close());

const payment = (source = 'tok_visa', money = { amount: 2500, currency: 'EUR' }) => ({ reference: referenceOf(key), source, ...money });
const charge = (source?: string, timeoutMs = 2_000) => provider.charge(payment(source), key, timeoutMs);
const unknown = { kind: 'unknown', reason: expect.any(String) as unknown };
const notReached = { kind: 'not-reached', reason: expect.any(String) as unknown };

/** One more attempt of an operation, as a step makes it. */
function again({ ageMs = 0, attempt = 2, source = 'tok_visa' } = {}) {
  return ask({ ageMs, attempt } as StepRun, provider.keyWindowMs, {
    send: () => charge(source),
    find: () => provider.findCharge(referenceOf(key), 2_000),
  });
}

describe('charges', () => {
  it('charges what was asked for, under our key and reference', async () => {
    expect(await charge()).toEqual({ kind: 'succeeded', providerReference: 'pi_1' });
    expect(stripe.intents).toMatchObject([
      { amount: 2500, currency: 'eur', status: 'succeeded', metadata: { reference: referenceOf(key) } },
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
    expect(await charge()).toEqual({ kind: 'succeeded', providerReference: 'pi_1' });
    expect(stripe.intents).toHaveLength(1);
  });

  it('leaves retries to its caller, even where the SDK would send once more', async () => {
    stripe.faults.push('drop', 'drop');
    const start = performance.now();
    expect(await charge('tok_visa', 300)).toEqual(unknown);
    expect(performance.now() - start).toBeLessThan(250);
    expect(stripe.posts).toHaveLength(1);
  });

  it.each([
    ['tok_chargeDeclined', 'generic_decline'],
    ['tok_chargeDeclinedInsufficientFunds', 'insufficient_funds'],
    ['tok_chargeDeclinedExpiredCard', 'expired_card'],
    ['pm_card_issuerWantsAuthentication', 'authentication_required'],
    ['tok_nobody_knows', 'resource_missing'],
  ])('a declined card is declined: %s', async (source, code) => {
    expect(await charge(source)).toEqual({ kind: 'declined', code });
    expect(await charge(source)).toEqual({ kind: 'declined', code });
    expect(stripe.intents.length).toBeLessThanOrEqual(1);
  });

  it('is unknown while Stripe is processing, until the look-up knows more than the answer under the key', async () => {
    expect(await charge('pm_slow')).toEqual(unknown);
    expect(await again({ attempt: 3, source: 'pm_slow' })).toMatchObject(unknown);
    Object.assign(stripe.intents[0] ?? {}, { status: 'succeeded' });
    expect(await charge('pm_slow')).toEqual(unknown);
    expect(await again({ attempt: 3, source: 'pm_slow' })).toEqual({ kind: 'succeeded', providerReference: 'pi_1' });
  });
});

describe('3-D Secure', () => {
  const declined = { kind: 'declined', code: 'authentication_required' };

  it('a 3-D Secure demand is a decline, and nothing is left to capture', async () => {
    expect(await charge('tok_threeDSecure2Required')).toEqual(declined);
    expect(stripe.intents).toMatchObject([{ status: 'canceled' }]);
  });

  it('is declined by a later attempt when the cancelling is lost, and never counts as not reached', async () => {
    // The first fault is none: it lets the charge through, for the cancelling to meet the second.
    for (const fault of ['drop', 'drop-before'] satisfies Fault[]) {
      stripe.faults.push(undefined, fault);
      key = uuidv7();
      expect(await charge('tok_threeDSecure2Required')).toEqual(unknown);
      expect(await charge('tok_threeDSecure2Required')).toEqual(declined);
      expect(await charge('tok_threeDSecure2Required')).toEqual(declined);
    }
    expect(stripe.intents).toMatchObject([{ status: 'canceled' }, { status: 'canceled' }]);
  });

  it('is closed by the look-up, too', async () => {
    stripe.faults.push('drop');
    expect(await charge('tok_threeDSecure2Required')).toEqual(unknown);
    stripe.forgetKeys();
    expect(await again({ ageMs: 25 * HOUR, source: 'tok_threeDSecure2Required' })).toEqual(declined);
    expect(stripe.intents).toMatchObject([{ status: 'canceled' }]);
  });
});

describe('what an answer means', () => {
  it.each<[string, Fault, object]>([
    ['the key is in use', { status: 409, code: 'idempotency_key_in_use' }, unknown],
    ['an object is locked', { status: 429, code: 'lock_timeout' }, unknown],
    ['the key met other parameters', { status: 400, type: 'idempotency_error' }, unknown],
    ['an outage', { status: 503, type: 'api_error' }, unknown],
    ['a dependency failed', { status: 424, type: 'api_error' }, unknown],
    ['a page of a proxy', 'proxy-page', unknown],
    ['the connection ended', 'drop-before', unknown],
    ['too many requests', { status: 429, code: 'rate_limit' }, notReached],
    ['a wrong secret key', { status: 401 }, notReached],
    ['a secret key without the right', { status: 403 }, notReached],
    ['a request that is wrong', { status: 400, code: 'amount_too_small' }, { kind: 'declined', code: 'amount_too_small' }],
    ['a request that is wrong in no known way', { status: 400 }, { kind: 'declined', code: 'invalid_request' }],
  ])('%s', async (_name, fault, outcome) => {
    stripe.faults.push(fault);
    expect(await charge()).toEqual(outcome);
    expect(stripe.posts).toHaveLength(1);
  });

  it('never quotes Stripe, whose sentences mention secrets', async () => {
    stripe.faults.push({ status: 401 }, { status: 500 });
    expect(JSON.stringify([await charge(), await charge()])).not.toContain('sk_test');
  });

  it('a 500 that Stripe remembers is settled by the look-up', async () => {
    stripe.faults.push('effect-and-500');
    expect(await charge()).toEqual(unknown);
    expect(await again({ attempt: 2 })).toEqual(unknown);
    expect(await again({ attempt: 3 })).toEqual({ kind: 'succeeded', providerReference: 'pi_1' });
    expect(stripe.intents).toHaveLength(1);
  });
});

describe('not reached only when no byte was sent', () => {
  it.each([
    ['nobody listens', 'http://127.0.0.1:1'],
    ['no such host', 'http://stripe.invalid'],
  ])('%s', async (_name, url) => {
    provider = new StripeProvider(SECRET, url);
    expect(await charge()).toEqual(notReached);
    await expect(provider.findCharge('hf_1', 1_000)).rejects.toThrow(/^looking up a charge failed: E/);
  });

  it('no TLS at the other end', async () => {
    provider = new StripeProvider(SECRET, stripe.url.replace('http:', 'https:'));
    expect(await charge()).toEqual(notReached);
    expect(stripe.requests).toEqual([]);
  });

  it('a kept-alive connection that ends without an answer is in doubt', async () => {
    expect(await charge()).toMatchObject({ kind: 'succeeded' });
    stripe.faults.push('drop-before');
    expect(await provider.charge(payment(), uuidv7(), 1_000)).toEqual(unknown);
  });

  it('an answer that is cut off is in doubt', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-length': 1_000 }).write('{"id":');
      setTimeout(() => response.destroy(), 20);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    provider = new StripeProvider(SECRET, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(await charge()).toEqual(unknown);
    server.close();
  });
});

describe('looks up by reference before anything is sent again once the key may be forgotten', () => {
  beforeEach(async () => {
    stripe.faults.push('drop');
    expect(await charge()).toEqual(unknown);
    stripe.forgetKeys();
  });

  it('and finds what was charged', async () => {
    expect(await again({ ageMs: 22 * HOUR })).toEqual({ kind: 'succeeded', providerReference: 'pi_1' });
    expect(stripe.posts).toHaveLength(1);
  });

  it('and finds that it was declined', async () => {
    Object.assign(stripe.intents[0] ?? {}, { status: 'requires_payment_method', last_payment_error: { code: 'card_declined' } });
    expect(await again({ ageMs: 22 * HOUR })).toEqual({ kind: 'declined', code: 'card_declined' });
  });

  it.each([
    ['search is down', () => (stripe.searchStatus = 500)],
    ['search is not to be had', () => (stripe.searchStatus = 400)],
    ['what is found is undecided', () => Object.assign(stripe.intents[0] ?? {}, { status: 'requires_payment_method' })],
  ])('and sends nothing and concludes nothing while %s', async (_name, prepare) => {
    prepare();
    expect(await again({ ageMs: 22 * HOUR })).toEqual({ ...unknown, review: expect.any(String) as unknown });
    expect(stripe.posts).toHaveLength(1);
  });

  it('and charges when there is nothing', async () => {
    stripe.intents.length = 0;
    expect(await again({ ageMs: 22 * HOUR })).toEqual({ kind: 'succeeded', providerReference: 'pi_1' });
    expect(stripe.intents).toHaveLength(1);
  });

  it('and takes no reference for another that differs in case', async () => {
    expect(await provider.findCharge(referenceOf(key).toUpperCase().replace('HF_', 'hf_X'), 1_000)).toBeNull();
    const [intent] = stripe.intents;
    Object.assign(intent ?? {}, { metadata: { reference: 'hf_AB' } });
    expect(await provider.findCharge('hf_ab', 1_000)).toBeNull();
    expect(await provider.findCharge('hf_AB', 1_000)).toMatchObject({ kind: 'succeeded' });
  });
});

it('an index that lags behind does no harm while the key is known', async () => {
  stripe.faults.push('drop');
  stripe.unindexed.add('pi_1');
  expect(await charge()).toEqual(unknown);
  expect(await again({ attempt: 3 })).toEqual({ kind: 'succeeded', providerReference: 'pi_1' });
  expect(stripe.intents).toHaveLength(1);
});

describe('refunds', () => {
  const refund = (amount = 1000, refundKey = `${key}r`, chargeId = 'pi_1') =>
    provider.refund({ reference: `hf_${refundKey}`, chargeId, amount, currency: 'EUR' }, refundKey, 1_000);

  beforeEach(async () => {
    await charge();
  });

  it('refunds once', async () => {
    stripe.faults.push('drop');
    expect(await refund()).toEqual(unknown);
    expect(await refund()).toEqual({ kind: 'succeeded', providerReference: 're_1' });
    stripe.forgetKeys();
    expect(await provider.findRefund(`hf_${key}r`, 'pi_1', 1_000)).toEqual({ kind: 'succeeded', providerReference: 're_1' });
    expect(stripe.refunds).toMatchObject([{ amount: 1000, payment_intent: 'pi_1' }]);
  });

  it('finds one among many, and no other', async () => {
    for (let n = 0; n < 130; n++) expect(await refund(1, `${key}${n}`)).toMatchObject({ kind: 'succeeded' });
    expect(await provider.findRefund(`hf_${key}0`, 'pi_1', 1_000)).toEqual({ kind: 'succeeded', providerReference: 're_1' });
    expect(await provider.findRefund(`hf_${key}`, 'pi_1', 1_000)).toBeNull();
  });

  it('declines what Stripe refuses', async () => {
    expect(await refund(2501)).toEqual({ kind: 'declined', code: 'charge_already_refunded' });
    expect(await refund(1, 'other', 'pi_99')).toEqual({ kind: 'declined', code: 'resource_missing' });
  });

  it.each(['failed', 'canceled'])('a refund that is %s is declined', async (status) => {
    stripe.refundStatus = status;
    expect(await refund()).toEqual({ kind: 'declined', code: status });
  });

  it('is unknown while it is pending', async () => {
    stripe.refundStatus = 'pending';
    expect(await refund()).toEqual(unknown);
    await expect(provider.findRefund(`hf_${key}r`, 'pi_1', 1_000)).rejects.toThrow('pending');
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
    expect(outcome).toEqual({ kind: 'declined', code: 'amount_not_supported' });
    expect(stripe.requests).toEqual([]);
  });
});

it('survives a lost answer and an outage inside one guarded call', async () => {
  stripe.faults.push('drop', { status: 503, type: 'api_error' });
  expect(await new GuardedProvider(provider, 2_000).charge(payment(), key)).toEqual({ kind: 'succeeded', providerReference: 'pi_1' });
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
