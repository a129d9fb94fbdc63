import { Stripe } from 'stripe';
import type { ChargeRequest, Found, Outcome, Provider, RefundRequest } from './provider.js';
import { stripeAmount } from './stripe-amount.js';
import { stripeTransport, Unanswered } from './stripe-transport.js';

const HOUR = 3_600_000;

/** How issuers decline what the customer would have to confirm, by 3-D Secure for example (Stripe docs, "Decline codes"). */
const NEEDS_CUSTOMER = new Set(['authentication_required', 'authentication_not_handled']);

/** Refusals that say nothing about the effect: another request holds the key or the object, perhaps an earlier one of ours. */
const IN_FLIGHT = new Set(['idempotency_key_in_use', 'lock_timeout']);

/**
 * Stripe, over PaymentIntents that are confirmed as they are created: one request charges or declines. One that ends in a
 * demand for 3-D Secure is canceled at once, so that nothing stays behind that could be captured later.
 *
 * Stripe keeps the first answer under a key, errors and 500s too, once the request began to execute (API reference,
 * "Idempotent requests"). So an answer means: 2xx and 402 the fact; 400 and 404 nothing happened and the same request will
 * never succeed, hence a decline; 401, 403 and rate limits are refused before anything runs, and the idempotency layer
 * too, so this try did nothing; all else (409, 5xx, "indeterminate" by "Advanced error handling", a key that meets other
 * parameters) is unknown. A stored 500 is repeated for as long as the key lives: then only the look-up tells.
 */
export class StripeProvider implements Provider {
  /** Stripe may remove keys when they are at least 24 hours old (API reference, "Idempotent requests"). */
  readonly keyWindowMs = 24 * HOUR;
  private readonly stripe: Stripe;

  /** `apiHost`: another address than Stripe's own, such as a proxy or a test server; its path is not used. */
  constructor(secretKey: string, apiHost = 'https://api.stripe.com') {
    const { protocol, hostname, port } = new URL(apiHost);
    const insecure = protocol === 'http:';
    this.stripe = new Stripe(secretKey, {
      protocol: insecure ? 'http' : 'https',
      host: hostname,
      port: port || (insecure ? 80 : 443),
      httpClient: stripeTransport,
      // GuardedProvider retries, within one deadline.
      maxNetworkRetries: 0,
      telemetry: false,
    });
  }

  async charge({ reference, amount, currency, source }: ChargeRequest, key: string, timeoutMs: number): Promise<Outcome> {
    const units = stripeAmount(amount, currency);
    if (units === null) return notRepresentable;
    const params: Stripe.PaymentIntentCreateParams = {
      amount: units,
      currency: currency.toLowerCase(),
      ...paymentMethodOf(source),
      confirm: true,
      // Without a return_url. `error_on_requires_action` can't be had with it (changelog 2023-08-16, "Enables automatic
      // payment methods by default"), and what it asks for instead, `payment_method_types`, is gone since 2026-09-30.
      automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
      metadata: { reference },
    };
    const left = countdown(timeoutMs);
    return settled(async () => this.decide(await this.stripe.paymentIntents.create(params, { idempotencyKey: key, timeout: left() }), left));
  }

  async refund({ reference, chargeId, amount, currency }: RefundRequest, key: string, timeoutMs: number): Promise<Outcome> {
    const units = stripeAmount(amount, currency);
    if (units === null) return notRepresentable;
    const params: Stripe.RefundCreateParams = { payment_intent: chargeId, amount: units, metadata: { reference } };
    return settled(async () => outcomeOfRefund(await this.stripe.refunds.create(params, { idempotencyKey: key, timeout: countdown(timeoutMs)() })));
  }

  /**
   * Search lags behind by a minute, by an hour in outages (API reference, "Search PaymentIntents"), so "nothing found" may
   * overlook what was charged within the last hour. That is enough: the caller sends again under the same key, and what is
   * younger than 24 hours the key itself still protects; only what is older must be found here. What search does find is
   * read again by its id, since the index may show an old status. (Listing everything would be consistent, and would
   * page through all of a busy account.) Accounts without search, those in India, get an error, and nothing is concluded.
   */
  async findCharge(reference: string, timeoutMs: number): Promise<Found> {
    const left = countdown(timeoutMs);
    const hits = await this.stripe.paymentIntents.search({ query: `metadata['reference']:'${reference}'`, limit: 100 }, { timeout: left() });
    const outcomes: Outcome[] = [];
    for (const { id, metadata } of hits.data) {
      // Search ignores case.
      if (metadata['reference'] !== reference) continue;
      outcomes.push(await this.decide(await this.stripe.paymentIntents.retrieve(id, {}, { timeout: left() }), left));
    }
    return conclude(outcomes);
  }

  /** The list of one PaymentIntent's refunds is short and consistent. */
  async findRefund(reference: string, chargeId: string, timeoutMs: number): Promise<Found> {
    const left = countdown(timeoutMs);
    const outcomes: Outcome[] = [];
    for (let after: string | undefined, more = true; more; ) {
      const params = { payment_intent: chargeId, limit: 100, ...(after !== undefined && { starting_after: after }) };
      const { data, has_more } = await this.stripe.refunds.list(params, { timeout: left() });
      outcomes.push(...data.filter(({ metadata }) => metadata?.['reference'] === reference).map(outcomeOfRefund));
      after = data.at(-1)?.id;
      more = has_more && after !== undefined;
    }
    return conclude(outcomes);
  }

  /**
   * Closes what waits for a customer whom nobody will ask; its client_secret never left here. Never throws: the
   * PaymentIntent exists, so a call that fails now doesn't mean that nothing was reached.
   */
  private async decide(intent: Stripe.PaymentIntent, left: () => number): Promise<Outcome> {
    if (intent.status !== 'requires_action') return outcomeOfIntent(intent);
    const { cancel, retrieve } = this.stripe.paymentIntents;
    try {
      return outcomeOfIntent(await cancel(intent.id, { cancellation_reason: 'abandoned' }, { timeout: left() }));
    } catch (error) {
      const { reason } = failureOf(error);
      return outcomeOfIntent(intent);
    }
  }
}

/** Not sent at all, on any try, because Stripe would have to round it. */
const notRepresentable: Outcome = { kind: 'declined', code: 'amount_not_supported' };

/** Tokens of Stripe.js become a card for this payment; everything else is the id of a PaymentMethod, or of what counts as one. */
function paymentMethodOf(source: string): Pick<Stripe.PaymentIntentCreateParams, 'payment_method' | 'payment_method_data'> {
  if (!source.startsWith('tok_')) return { payment_method: source };
  // The SDK's types leave out cards, since their numbers must not pass through servers; tokens of cards may.
  return { payment_method_data: { type: 'card', card: { token: source } } as Stripe.PaymentIntentCreateParams.PaymentMethodData };
}

function outcomeOfIntent({ id, status, last_payment_error: error }: Stripe.PaymentIntent): Outcome {
  if (status === 'succeeded') return { kind: 'succeeded', providerReference: id };
  if (status === 'canceled') return { kind: 'declined', code: 'canceled' };
  // Confirmed once and refused. Without an error it was not confirmed yet, or Stripe stopped half-way.
  if (status === 'requires_payment_method' && error) return { kind: 'declined', code: declineCode(error) };
  return { kind: 'unknown', reason: `the PaymentIntent has the status ${status}` };
}

function outcomeOfRefund({ id, status, failure_reason }: Stripe.Refund): Outcome {
  if (status === 'succeeded') return { kind: 'succeeded', providerReference: id };
  if (status === 'failed' || status === 'canceled') return { kind: 'declined', code: failure_reason ?? status };
  return { kind: 'unknown', reason: `the refund has the status ${status}` };
}

/** One success is the answer, whatever else there is; while something is undecided there is none. @throws Error then */
function conclude(outcomes: readonly Outcome[]): Found {
  const undecided = outcomes.find((outcome) => outcome.kind === 'unknown');
  const success = outcomes.find((outcome) => outcome.kind === 'succeeded');
  if (success) return success;
  if (undecided) throw new Error(undecided.reason);
  return outcomes.find((outcome) => outcome.kind === 'declined') ?? null;
}

async function settled(call: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await call();
  } catch (error) {
    return outcomeOfError(error);
  }
}

const { StripeAuthenticationError, StripeCardError, StripeError, StripeInvalidRequestError, StripePermissionError, StripeRateLimitError } =
  Stripe.errors;

/** Reasons hold codes and never Stripe's sentences, which quote the secret key's ends and the customer's data. */
function outcomeOfError(error: unknown): Outcome {
  if (!(error instanceof StripeError)) return { kind: 'unknown', reason: error instanceof Error ? error.message : String(error) };
  if (error.detail instanceof Unanswered) {
    const { kind, reason } = error.detail.exchange;
    return { kind: kind === 'not-sent' ? 'not-reached' : 'unknown', reason };
  }
  const reason = `status ${error.statusCode ?? '?'} ${error.code ?? error.type}`;
  if (error.code !== undefined && IN_FLIGHT.has(error.code)) return { kind: 'unknown', reason };
  if (error instanceof StripeCardError) return { kind: 'declined', code: declineCode(error) };
  if (error instanceof StripeInvalidRequestError) return { kind: 'declined', code: error.code ?? 'invalid_request' };
  const refusedAtTheDoor =
    error instanceof StripeAuthenticationError ||
    error instanceof StripePermissionError ||
    (error instanceof StripeRateLimitError && error.code === 'rate_limit');
  return { kind: refusedAtTheDoor ? 'not-reached' : 'unknown', reason };
}

function declineCode({ code, decline_code }: { code?: string; decline_code?: string }): string {
  if ([code, decline_code].some((each) => each !== undefined && NEEDS_CUSTOMER.has(each))) return 'authentication_required';
  // The SDK writes '' for a decline code that isn't there.
  return decline_code || code || 'card_declined';
}

/** The SDK takes its default of 80 s for a timeout that is no whole number, or zero. */
function whole(timeoutMs: number): number {
  return Math.max(1, Math.ceil(timeoutMs));
}

/** What is left of the time for several requests. @throws Error when nothing is */
function countdown(timeoutMs: number): () => number {
  const deadline = performance.now() + timeoutMs;
  return () => {
    const left = deadline - performance.now();
    if (left <= 0) throw new Error('no answer in time');
    return whole(left);
  };
}
