import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { marked, read, rowsOf } from './markdown.js';

/** What a payment with each token comes to, as the page says: its status, of a decline the code at the provider, and the same of a refund. */
const TOKENS = rowsOf(marked(read('docs/sandbox.md'), 'tokens')).map(([token = '', happens = '', comesTo = '']) => ({
  token,
  status: Number(/^\d{3}/.exec(comesTo)?.[0]),
  code: /^declined: `(\w+)`$/.exec(happens)?.[1],
  refundStatus: Number(/a refund of it (\d{3})/.exec(comesTo)?.[1] ?? 201),
  refundCode: /its refunds are declined: `(\w+)`$/.exec(happens)?.[1] ?? null,
}));

let world: PaymentWorld;
beforeAll(async () => {
  // Longer than the slow token takes, and the one that hangs waits for it.
  world = await startPaymentWorld({ PROVIDER_TIMEOUT: '5s', IDEMPOTENCY_LEASE: '10s', IDEMPOTENCY_RECOVERY_INTERVAL: '30s' });
}, 30_000);
afterAll(() => world.close());

it.each(TOKENS)(
  'a payment with $token is answered $status',
  async ({ token, status, code, refundStatus, refundCode }) => {
    const paid = await world.pay(await world.placeOrder(), token);
    expect([paid.status, paid.body['payment']?.failureCode]).toEqual([status, code]);
    if (status !== 201) return;
    const refunded = await world.refund(String(paid.body['id']));
    expect([refunded.status, (refunded.body['refund'] ?? refunded.body).failureCode]).toEqual([refundStatus, refundCode]);
  },
  20_000,
);
