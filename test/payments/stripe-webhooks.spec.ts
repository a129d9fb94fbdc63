import { createHmac } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { ProviderBooks } from '../../src/payments/provider-books.js';
import type { TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { countOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';
import { startStripeWorld, type StripeServer } from '../support/stripe-server.js';

const WEBHOOK_SECRET = `whsec_${'h'.repeat(32)}`;
let stripe: StripeServer;
let world: Awaited<ReturnType<typeof startStripeWorld>>;
beforeAll(async () => {
  world = await startStripeWorld({ PROVIDER_WEBHOOK_SECRET: WEBHOOK_SECRET, IDEMPOTENCY_RECOVERY_INTERVAL: '200ms' });
  ({ stripe } = world);
});
afterAll(() => world.close());

const events = (): Promise<number> => countOf(world.database, 'provider_events');

/** Signs as Stripe does (Stripe docs, "Verify webhook signatures manually"), and sends. */
function deliver(body: unknown, { secret = WEBHOOK_SECRET, ageSeconds = 0 } = {}): Promise<TestResponse> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const time = Math.floor(Date.now() / 1000) - ageSeconds;
  const signature = createHmac('sha256', secret).update(`${time}.${text}`).digest('hex');
  const headers = { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': `t=${time},v1=${signature}` };
  return world.send('POST', '/v1/provider/webhooks', { as: null, key: null, headers, body: text });
}

const event = (object: object, type = 'payment_intent.succeeded') => ({ id: `evt_${uuidv7()}`, object: 'event', type, data: { object } });

describe('an event of Stripe', () => {
  it('that is signed is taken once', async () => {
    const before = await events();
    const sent = event({ object: 'payment_intent', id: 'pi_unknown', metadata: {} });
    for (let n = 0; n < 3; n += 1) expect((await deliver(sent)).status).toBe(204);
    expect(await events()).toBe(before + 1);
  });

  it.each(['{}', '[]', 'not json', '{"data":{"object":"pi_1"}}', '{"id":7,"type":{},"data":{"object":{"metadata":[]}}}'])(
    'that is signed is taken as far as it is understood: %s',
    async (body) => {
      expect((await deliver(body)).status).toBe(204);
    },
  );

  it('is refused when it is signed by somebody else, too long ago, or not at all', async () => {
    const before = await events();
    const sent = event({ object: 'payment_intent', id: 'pi_1' });
    expectProblem(await deliver(sent, { secret: `whsec_${'x'.repeat(32)}` }), 'invalid-signature');
    expectProblem(await deliver(sent, { ageSeconds: 400 }), 'invalid-signature');
    const body = JSON.stringify(sent);
    expectProblem(await world.send('POST', '/v1/provider/webhooks', { as: null, key: null, body }), 'invalid-signature');
    expect(await events()).toBe(before);
  });

  it('wakes the payment that it is about, which asks Stripe', async () => {
    const order = await world.send('POST', '/v1/orders', { body: { items: [{ productId: '123', quantity: 1 }] } });
    const { id: orderId, total: amount, currency } = order.body;
    stripe.faults.push({ status: 500 }, { status: 500 }, { status: 500 });
    const answer = await world.send('POST', '/v1/payments', { body: { orderId, amount, currency, source: 'tok_visa' } });
    expect(answer.status).toBe(202);
    await world.database.query(
      `UPDATE idempotency_records SET next_run_at = clock_timestamp() + interval '1 hour' WHERE status = 'running'`,
    );
    const [payment] = await world.database.query<{ reference: string }>('SELECT reference FROM payments WHERE order_id IS NOT NULL');
    const metadata = { reference: payment?.reference };
    expect((await deliver(event({ object: 'payment_intent', id: 'pi_early', metadata }, 'payment_intent.created'))).status).toBe(204);
    await eventually('the payment to succeed', async () => (await world.send('GET', `/v1/orders/${orderId}`)).body['status'] === 'paid');
    expect(stripe.intents).toHaveLength(1);
  });

  it('of a dispute, which names the PaymentIntent alone, has the payment looked at again', async () => {
    const order = await world.send('POST', '/v1/orders', { body: { items: [{ productId: '123', quantity: 1 }] } });
    const { id: orderId, total: amount, currency } = order.body;
    const { body: payment } = await world.send('POST', '/v1/payments', { body: { orderId, amount, currency, source: 'tok_visa' } });
    const intent = stripe.intents.at(-1);
    Object.assign(intent ?? {}, { latest_charge: { disputed: true, amount_refunded: 0 } });
    const dispute = { object: 'dispute', id: 'dp_1', charge: 'ch_1', payment_intent: intent?.id, metadata: {} };
    expect((await deliver(event(dispute, 'charge.dispute.created'))).status).toBe(204);
    await world.app.get(ProviderBooks, { strict: false }).check();
    const rows = await world.database.query('SELECT status, review_reason FROM payments WHERE provider_reference = $1', [intent?.id]);
    expect(rows).toEqual([{ status: 'succeeded', review_reason: 'the charge is disputed' }]);
    expect((await world.send('GET', `/v1/payments/${payment['id']}`)).body).toMatchObject({ status: 'succeeded' });
  });

  it('of a refund that failed after it had succeeded, which the sender repeats: its reservation is given back once', async () => {
    const order = await world.send('POST', '/v1/orders', { body: { items: [{ productId: '123', quantity: 1 }] } });
    const { id: orderId, total: amount, currency } = order.body;
    const { body: payment } = await world.send('POST', '/v1/payments', { body: { orderId, amount, currency, source: 'tok_visa' } });
    const { body: made } = await world.send('POST', `/v1/payments/${payment['id']}/refunds`, { body: { amount: 500 } });
    expect(made).toMatchObject({ status: 'succeeded' });
    const refund = stripe.refunds.at(-1);
    Object.assign(refund ?? {}, { status: 'failed', failure_reason: 'lost_or_stolen_card' });
    const sent = event({ ...refund }, 'refund.failed');
    for (let n = 0; n < 3; n += 1) {
      expect((await deliver(sent)).status).toBe(204);
      await world.app.get(ProviderBooks, { strict: false }).check();
    }
    const told = { status: 'failed', failureCode: 'lost_or_stolen_card' };
    expect((await world.send('GET', `/v1/refunds/${made['id']}`)).body).toMatchObject(told);
    const rows = await world.database.query(
      `SELECT amount_refunded, amount_reserved, review_reason FROM payments WHERE provider_reference = $1`,
      [stripe.intents.at(-1)?.id],
    );
    const review_reason = `${made['id']}: it had succeeded and failed later: lost_or_stolen_card`;
    expect(rows).toEqual([{ amount_refunded: '0', amount_reserved: '0', review_reason }]);
    expect(await countOf(world.database, 'events', `type = 'refund.failed'`)).toBe(1);
  });
});
