// oxlint-disable-next-line import/no-named-as-default -- its CommonJS build, which Jest loads, has the default export only
import Stripe from 'stripe';
import type { FoundReading, NotReached, Reading, Said, StandingReading, Unknown } from './provider.js';
import { amountFromStripe } from './stripe-amount.js';
import { Unanswered } from './stripe-transport.js';

const {
  StripeAuthenticationError,
  StripeCardError,
  StripeError,
  StripeIdempotencyError,
  StripeInvalidRequestError,
  StripePermissionError,
  StripeRateLimitError,
} = Stripe.errors;

/** Why a PaymentIntent was canceled, where Holdfast did it: nobody would have answered the demand for 3-D Secure. */
export const UNANSWERED_DEMAND = 'abandoned';

/** How issuers decline what the customer would have to confirm (Stripe docs, "Decline codes"). */
const NEEDS_CUSTOMER = new Set(['authentication_required', 'authentication_not_handled']);

/** Refusals that say nothing about the effect: another request holds the key or the object, perhaps an earlier one of ours. */
const IN_FLIGHT = new Set(['idempotency_key_in_use', 'lock_timeout']);

type There = Exclude<FoundReading, null>;

export function readingOfIntent(intent: Stripe.PaymentIntent): There {
  const { id, status, cancellation_reason, last_payment_error: error } = intent;
  const said = saidOf(intent);
  if (status === 'succeeded') return { kind: 'succeeded', providerReference: id, mayChange: true, said };
  if (status === 'canceled') {
    return { kind: 'declined', code: cancellation_reason === UNANSWERED_DEMAND ? 'authentication_required' : 'canceled', said };
  }
  // Tried once, and refused. Without an error it was not tried yet, or Stripe stopped half-way.
  if (status === 'requires_payment_method' && error) return { kind: 'declined', code: declineCode(error), said };
  const reason = `the PaymentIntent has the status ${status}`;
  if (status === 'processing') return { kind: 'pending', providerReference: id, reason, said };
  return { kind: 'unknown', reason, answered: true };
}

/** A refund without a word about its success is under way: `pending`, or `requires_action` of the customer. */
export function readingOfRefund(refund: Stripe.Refund): There {
  const { id, status, failure_reason, payment_intent: intent } = refund;
  const chargeId = typeof intent === 'string' ? intent : intent?.id;
  const said: Said = { ...saidOf(refund), ...(chargeId !== undefined && { chargeId }) };
  if (status === 'succeeded') return { kind: 'succeeded', providerReference: id, mayChange: true, said };
  if (status === 'failed' || status === 'canceled') return { kind: 'declined', code: failure_reason ?? status, said };
  return { kind: 'pending', providerReference: id, reason: `the refund has the status ${status}`, said };
}

/** How a PaymentIntent that succeeded stands, read with its latest charge. */
export function standingOf(intent: Stripe.PaymentIntent): StandingReading {
  const { status, currency, latest_charge: charge } = intent;
  const said = saidOf(intent);
  if (status !== 'succeeded') return { trouble: `the charge had succeeded, and is ${status} now`, returned: 0, said };
  if (charge === null || typeof charge === 'string') return { trouble: null, returned: 0, said };
  const returned = amountFromStripe(charge.amount_refunded, currency.toUpperCase());
  return { trouble: charge.disputed ? 'the charge is disputed' : null, returned, said };
}

/** What was made before the account was sent along has none. */
function saidOf({ amount, currency, metadata }: Pick<Stripe.Refund, 'amount' | 'currency' | 'metadata'>): Said {
  const iso = currency.toUpperCase();
  const account = metadata?.['account'];
  return {
    reference: metadata?.['reference'] ?? 'none',
    amount: amountFromStripe(amount, iso),
    currency: iso,
    ...(account !== undefined && { account }),
  };
}

/**
 * What an error of a POST means. Stripe keeps the first answer under a key, errors and 500s too, once the request began
 * to execute (API reference, "Idempotent requests"; docs, "Advanced error handling"):
 *
 * - 402 is the fact of a decline. 400 and 404: nothing happened, and the same request will never succeed, so these decline.
 * - 401, 403 and rate limits are answered before anything runs, and before the key is looked at: this try did nothing.
 * - The rest is unknown: 409, an object that is locked, a key that meets other parameters, 5xx ("treat the result as
 *   indeterminate"; a stored 500 comes again as long as the key lives, then only the look-up tells), answers that aren't Stripe's.
 */
export function readingOfError(error: unknown): Reading {
  const reason = reasonOf(error);
  if (!(error instanceof StripeError)) return { kind: 'unknown', reason };
  if (error.detail instanceof Unanswered && !error.detail.sent) return { kind: 'not-reached', reason };
  if (error.code !== undefined && IN_FLIGHT.has(error.code)) return { kind: 'unknown', reason };
  if (error instanceof StripeCardError) {
    return { kind: 'declined', code: declineCode(error), said: error.payment_intent ? saidOf(error.payment_intent) : {} };
  }
  if (error instanceof StripeIdempotencyError) return { kind: 'unknown', reason, answered: true, otherParameters: true };
  if (error instanceof StripeInvalidRequestError) return { kind: 'declined', code: error.code ?? 'invalid_request', said: {} };
  const refusedAtTheDoor =
    error instanceof StripeAuthenticationError ||
    error instanceof StripePermissionError ||
    (error instanceof StripeRateLimitError && error.code === 'rate_limit');
  return refusedAtTheDoor ? ({ kind: 'not-reached', reason } satisfies NotReached) : ({ kind: 'unknown', reason } satisfies Unknown);
}

/** In codes; never in Stripe's sentences, which quote the ends of the secret key and what the customer entered. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof StripeError)) return error instanceof Error ? error.message : String(error);
  if (error.detail instanceof Unanswered) return error.detail.message;
  return error.statusCode === undefined ? error.type : `status ${error.statusCode} ${error.code ?? error.type}`;
}

/**
 * What all that goes by one reference comes to: a success, whatever else there is; the one that is pending, where all else is
 * refused. @throws Error while more is open, so that none of it is followed alone
 */
export function conclude(readings: readonly There[]): FoundReading {
  const success = readings.find(({ kind }) => kind === 'succeeded');
  if (success) return success;
  const [open, ...more] = readings.filter(({ kind }) => kind === 'unknown' || kind === 'pending');
  if (open?.kind === 'pending' && more.length === 0) return open;
  if (open) throw new Error('reason' in open ? open.reason : open.kind);
  return readings.find(({ kind }) => kind === 'declined') ?? null;
}

function declineCode({ code, decline_code }: { code?: string; decline_code?: string }): string {
  // The SDK writes '' for a decline code that isn't there.
  const word = decline_code || code || 'card_declined';
  return NEEDS_CUSTOMER.has(word) || (code !== undefined && NEEDS_CUSTOMER.has(code)) ? 'authentication_required' : word;
}
