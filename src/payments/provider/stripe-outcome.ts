// oxlint-disable-next-line import/no-named-as-default -- its CommonJS build, which Jest loads, has the default export only
import Stripe from 'stripe';
import type { Found, Outcome } from './provider.js';
import { Unanswered } from './stripe-transport.js';

const { StripeAuthenticationError, StripeCardError, StripeError, StripeInvalidRequestError, StripePermissionError, StripeRateLimitError } =
  Stripe.errors;

/** Why a PaymentIntent was canceled, where Holdfast did it: nobody would have answered the demand for 3-D Secure. */
export const UNANSWERED_DEMAND = 'abandoned';

/** How issuers decline what the customer would have to confirm (Stripe docs, "Decline codes"). */
const NEEDS_CUSTOMER = new Set(['authentication_required', 'authentication_not_handled']);

/** Refusals that say nothing about the effect: another request holds the key or the object, perhaps an earlier one of ours. */
const IN_FLIGHT = new Set(['idempotency_key_in_use', 'lock_timeout']);

type Intent = Pick<Stripe.PaymentIntent, 'id' | 'status' | 'cancellation_reason' | 'last_payment_error'>;

export function outcomeOfIntent({ id, status, cancellation_reason, last_payment_error: error }: Intent): Outcome {
  if (status === 'succeeded') return { kind: 'succeeded', providerReference: id };
  if (status === 'canceled') {
    return { kind: 'declined', code: cancellation_reason === UNANSWERED_DEMAND ? 'authentication_required' : 'canceled' };
  }
  // Tried once, and refused. Without an error it was not tried yet, or Stripe stopped half-way.
  if (status === 'requires_payment_method' && error) return { kind: 'declined', code: declineCode(error) };
  return { kind: 'unknown', reason: `the PaymentIntent has the status ${status}`, answered: true };
}

export function outcomeOfRefund({ id, status, failure_reason }: Pick<Stripe.Refund, 'id' | 'status' | 'failure_reason'>): Outcome {
  if (status === 'succeeded') return { kind: 'succeeded', providerReference: id };
  if (status === 'failed' || status === 'canceled') return { kind: 'declined', code: failure_reason ?? status };
  return { kind: 'unknown', reason: `the refund has the status ${status}`, answered: true };
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
export function outcomeOfError(error: unknown): Outcome {
  const reason = reasonOf(error);
  if (!(error instanceof StripeError)) return { kind: 'unknown', reason };
  if (error.detail instanceof Unanswered && !error.detail.sent) return { kind: 'not-reached', reason };
  if (error.code !== undefined && IN_FLIGHT.has(error.code)) return { kind: 'unknown', reason };
  if (error instanceof StripeCardError) return { kind: 'declined', code: declineCode(error) };
  if (error instanceof StripeInvalidRequestError) return { kind: 'declined', code: error.code ?? 'invalid_request' };
  const refusedAtTheDoor =
    error instanceof StripeAuthenticationError ||
    error instanceof StripePermissionError ||
    (error instanceof StripeRateLimitError && error.code === 'rate_limit');
  return { kind: refusedAtTheDoor ? 'not-reached' : 'unknown', reason };
}

/** In codes; never in Stripe's sentences, which quote the ends of the secret key and what the customer entered. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof StripeError)) return error instanceof Error ? error.message : String(error);
  if (error.detail instanceof Unanswered) return error.detail.message;
  return error.statusCode === undefined ? error.type : `status ${error.statusCode} ${error.code ?? error.type}`;
}

/** What all that goes by one reference comes to: a success, whatever else there is; no answer while something is open. @throws Error then */
export function conclude(outcomes: readonly Outcome[]): Found {
  const success = outcomes.find((outcome) => outcome.kind === 'succeeded');
  if (success) return success;
  const open = outcomes.find((outcome) => outcome.kind === 'unknown');
  if (open) throw new Error(open.reason);
  return outcomes.find((outcome) => outcome.kind === 'declined') ?? null;
}

function declineCode({ code, decline_code }: { code?: string; decline_code?: string }): string {
  // The SDK writes '' for a decline code that isn't there.
  const word = decline_code || code || 'card_declined';
  return NEEDS_CUSTOMER.has(word) || (code !== undefined && NEEDS_CUSTOMER.has(code)) ? 'authentication_required' : word;
}
