import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type Stripe from 'stripe';
import { readingOfIntent, readingOfRefund, standingOf } from '../../src/payments/provider/stripe-outcome.js';

/** What becomes of each status of a PaymentIntent that Stripe publishes (`payment_intent.status` of its OpenAPI document). */
const INTENTS: Record<string, string> = {
  succeeded: 'succeeded',
  processing: 'pending',
  canceled: 'declined',
  // It is refused where there is an error, and not tried where there is none.
  requires_payment_method: 'unknown',
  requires_confirmation: 'unknown',
  // Closed before it is read; where that fails, nothing is known.
  requires_action: 'unknown',
  requires_capture: 'unknown',
};

/** `payment_intent.cancellation_reason`. We give the first one, for a demand that nobody answered. */
const CANCELLATIONS: Record<string, string> = {
  abandoned: 'authentication_required',
  automatic: 'canceled',
  duplicate: 'canceled',
  expired: 'canceled',
  failed_invoice: 'canceled',
  fraudulent: 'canceled',
  requested_by_customer: 'canceled',
  void_invoice: 'canceled',
};

/** The statuses of a refund, which the document has in words. */
const REFUNDS: Record<string, string> = {
  pending: 'pending',
  requires_action: 'pending',
  succeeded: 'succeeded',
  failed: 'declined',
  canceled: 'declined',
};

/** The types of the SDK, which Stripe makes from that document. */
function published(file: string): string {
  const main = createRequire(join(process.cwd(), 'package.json')).resolve('stripe');
  return readFileSync(join(dirname(main), 'resources', file), 'utf8');
}

const wordsIn = (text: string | undefined, quote: string): string[] => (text ?? '').split(quote).filter((_, at) => at % 2 === 1);
const enumeration = (name: string): string[] =>
  wordsIn(new RegExp(`type ${name} = (.*);`).exec(published('PaymentIntents.d.ts'))?.[1], "'").sort();

const intent = (members: object): Stripe.PaymentIntent =>
  ({ id: 'pi_1', amount: 100, currency: 'eur', metadata: {}, cancellation_reason: null, last_payment_error: null, ...members }) as never;
const refund = (status: string | null): Stripe.Refund =>
  ({ id: 're_1', amount: 100, currency: 'eur', metadata: {}, payment_intent: 'pi_1', status }) as never;

it('these are all that Stripe publishes', () => {
  expect(enumeration('Status')).toEqual(Object.keys(INTENTS).sort());
  expect(enumeration('CancellationReason')).toEqual(Object.keys(CANCELLATIONS).sort());
  const [sentence] = /Status of the refund\. This can be .*?\./.exec(published('Refunds.d.ts')) ?? [];
  expect(wordsIn(sentence, '`').sort()).toEqual(Object.keys(REFUNDS).sort());
});

it.each(Object.entries(INTENTS))('a PaymentIntent that is %s: %s', (status, kind) => {
  expect(readingOfIntent(intent({ status })).kind).toBe(kind);
});

it.each(Object.entries(CANCELLATIONS))('one that is canceled as %s is declined as %s', (cancellation_reason, code) => {
  expect(readingOfIntent(intent({ status: 'canceled', cancellation_reason }))).toMatchObject({ kind: 'declined', code });
});

it.each(['api_error', 'card_error', 'idempotency_error', 'invalid_request_error'])(
  'one that waits for another payment method after %s is declined, and nothing else is by its error',
  (type) => {
    const last_payment_error = { type, code: 'some_code' };
    for (const [status, kind] of Object.entries(INTENTS)) {
      const expected = status === 'requires_payment_method' ? 'declined' : kind;
      expect([status, readingOfIntent(intent({ status, last_payment_error })).kind]).toEqual([status, expected]);
    }
  },
);

it.each(Object.entries(REFUNDS))('a refund that is %s: %s', (status, kind) => {
  expect(readingOfRefund(refund(status)).kind).toBe(kind);
});

it('a status that Stripe adds later is no success, and no refusal', () => {
  expect(readingOfIntent(intent({ status: 'requires_patience' })).kind).toBe('unknown');
  expect([readingOfRefund(refund('requires_patience')).kind, readingOfRefund(refund(null)).kind]).toEqual(['pending', 'pending']);
});

it('a charge that had succeeded is in trouble in every other status', () => {
  for (const status of Object.keys(INTENTS)) {
    const { trouble } = standingOf(intent({ status, latest_charge: { disputed: false, amount_refunded: 0 } }));
    expect([status, trouble === null]).toEqual([status, status === 'succeeded']);
  }
});
