import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import type { StepRun } from '../../src/idempotency/index.js';
import { ask, referenceOf } from '../../src/payments/provider/ask.js';
import { StripeProvider } from '../../src/payments/provider/stripe-provider.js';
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

const origin = { order: 'ord_1', payment: 'pay_1', operation: 'op_1' };
const payment = (source = 'tok_visa') => ({
  account: 'acct_1',
  reference: referenceOf(key),
  source,
  amount: 2500,
  currency: 'EUR',
  origin,
});
const charge = (source?: string, timeoutMs = 2_000) => provider.charge(payment(source), key, timeoutMs);
const unknown = { kind: 'unknown', reason: expect.any(String) as unknown };
const notReached = { kind: 'not-reached', reason: expect.any(String) as unknown };

/** One more attempt of an operation, as a step makes it. */
function again({ ageMs = 0, attempt = 2, source = 'tok_visa', known = null as string | null } = {}) {
  return ask({ ageMs, attempt } as StepRun, provider.keyWindowMs, {
    known: known !== null,
    send: () => charge(source),
    find: () => provider.findCharge(payment(source), known, 2_000),
  });
}

describe('what an answer means', () => {
  it.each<[string, Fault, object]>([
    ['the key is in use', { status: 409, code: 'idempotency_key_in_use' }, unknown],
    ['an object is locked', { status: 429, code: 'lock_timeout' }, unknown],
    ['an object is locked, as an invalid request', { status: 400, code: 'lock_timeout' }, unknown],
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
    expect(await charge()).toMatchObject(outcome);
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
    expect(await again({ attempt: 3 })).toMatchObject({ kind: 'succeeded', providerReference: 'pi_1' });
    expect(stripe.intents).toHaveLength(1);
  });
});

describe('not reached only when no byte was sent', () => {
  it.each([
    ['nobody listens', 'http://127.0.0.1:1'],
    // A label that is too long is refused without asking anybody: a name server that is silent would be a test of it.
    ['no such host', `http://${'a'.repeat(64)}.invalid`],
  ])('%s', async (_name, url) => {
    provider = new StripeProvider(SECRET, url);
    expect(await charge()).toEqual(notReached);
    await expect(provider.findCharge(payment(), null, 1_000)).rejects.toThrow(/^looking up a charge failed: E/);
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
    expect(await again({ ageMs: 22 * HOUR })).toMatchObject({ kind: 'succeeded', providerReference: 'pi_1' });
    expect(stripe.posts).toHaveLength(1);
  });

  it('and finds that it was declined', async () => {
    Object.assign(stripe.intents[0] ?? {}, { status: 'requires_payment_method', last_payment_error: { code: 'card_declined' } });
    expect(await again({ ageMs: 22 * HOUR })).toMatchObject({ kind: 'declined', code: 'card_declined' });
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
    expect(await again({ ageMs: 22 * HOUR })).toMatchObject({ kind: 'succeeded', providerReference: 'pi_1' });
    expect(stripe.intents).toHaveLength(1);
  });

  it('and takes no reference for another that differs in case', async () => {
    const find = (reference: string) => provider.findCharge({ ...payment(), reference }, null, 1_000);
    expect(await find(referenceOf(key).toUpperCase().replace('HF_', 'hf_X'))).toBeNull();
    const [intent] = stripe.intents;
    Object.assign(intent ?? {}, { metadata: { reference: 'hf_AB' } });
    expect(await find('hf_ab')).toBeNull();
    expect(await find('hf_AB')).toMatchObject({ kind: 'succeeded' });
  });
});

describe('the look-up', () => {
  it('what is processing is pending, until the look-up by its id knows more than the answer under the key', async () => {
    const pending = { kind: 'pending', providerReference: 'pi_1' };
    expect(await charge('pm_slow')).toMatchObject(pending);
    expect(await again({ attempt: 3, source: 'pm_slow' })).toMatchObject(pending);
    Object.assign(stripe.intents[0] ?? {}, { status: 'succeeded' });
    expect(await charge('pm_slow')).toMatchObject(pending);
    const before = stripe.requests.length;
    expect(await again({ ageMs: 25 * HOUR, known: 'pi_1', source: 'pm_slow' })).toMatchObject({
      kind: 'succeeded',
      providerReference: 'pi_1',
    });
    expect(stripe.requests.slice(before)).toMatchObject([{ method: 'GET', path: '/v1/payment_intents/pi_1' }]);
  });

  it('a demand for 3-D Secure is closed by the look-up, too', async () => {
    stripe.faults.push('drop');
    expect(await charge('tok_threeDSecure2Required')).toEqual(unknown);
    stripe.forgetKeys();
    expect(await again({ ageMs: 25 * HOUR, source: 'tok_threeDSecure2Required' })).toMatchObject({
      kind: 'declined',
      code: 'authentication_required',
    });
    expect(stripe.intents).toMatchObject([{ status: 'canceled' }]);
  });

  it('an index that lags behind does no harm while the key is known', async () => {
    stripe.faults.push('drop');
    stripe.unindexed.add('pi_1');
    expect(await charge()).toEqual(unknown);
    expect(await again({ attempt: 3 })).toMatchObject({ kind: 'succeeded', providerReference: 'pi_1' });
    expect(stripe.intents).toHaveLength(1);
  });
});
