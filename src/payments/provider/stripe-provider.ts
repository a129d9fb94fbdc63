// oxlint-disable-next-line import/no-named-as-default -- its CommonJS build, which Jest loads, has the default export only
import Stripe from 'stripe';
import {
  countdown,
  type ChargeRequest,
  type FoundReading,
  type NewCharge,
  type Provider,
  type Reading,
  type RefundRequest,
  type StandingReading,
} from './provider.js';
import { stripeAmount } from './stripe-amount.js';
import { stripeClient } from './stripe-client.js';
import { conclude, readingOfError, readingOfIntent, readingOfRefund, reasonOf, standingOf, UNANSWERED_DEMAND } from './stripe-outcome.js';

const HOUR = 3_600_000;

/** Not sent, on any try: Stripe would have to round it. */
const NOT_REPRESENTABLE: Reading = { kind: 'declined', code: 'amount_not_supported', said: {} };

/**
 * Stripe, over PaymentIntents that are confirmed as they are created. One that ends in a demand for 3-D Secure is canceled
 * at once: Holdfast has nobody to ask, and nothing stays behind that could be captured later.
 */
export class StripeProvider implements Provider {
  /** Stripe may remove keys when they are at least 24 hours old (API reference, "Idempotent requests"). */
  readonly keyWindowMs = 24 * HOUR;
  private readonly stripe: Stripe;

  /** `apiHost`: as `stripeClient` takes it. */
  constructor(secretKey: string | undefined, apiHost?: string) {
    this.stripe = stripeClient(secretKey, apiHost);
  }

  async charge({ account, reference, amount, currency, source, origin }: NewCharge, key: string, timeoutMs: number): Promise<Reading> {
    const units = stripeAmount(amount, currency);
    if (units === null) return NOT_REPRESENTABLE;
    const left = timeouts(timeoutMs);
    try {
      const params: Stripe.PaymentIntentCreateParams = {
        amount: units,
        currency: currency.toLowerCase(),
        ...paymentMethodOf(source),
        confirm: true,
        // Spares a return_url. It excludes `error_on_requires_action` (changelog 2023-08-16, "Enables automatic payment
        // methods by default"), which wants `payment_method_types`, and those are gone since 2026-09-30.
        automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
        metadata: { reference, account, ...origin },
      };
      const intent = await this.stripe.paymentIntents.create(params, { idempotencyKey: key, timeout: left() });
      return await this.decide(intent, left);
    } catch (error) {
      return readingOfError(error);
    }
  }

  async refund({ account, reference, chargeId, amount, currency }: RefundRequest, key: string, timeoutMs: number): Promise<Reading> {
    const units = stripeAmount(amount, currency);
    if (units === null) return NOT_REPRESENTABLE;
    const left = timeouts(timeoutMs);
    try {
      const params: Stripe.RefundCreateParams = { payment_intent: chargeId, amount: units, metadata: { reference, account } };
      return readingOfRefund(await this.stripe.refunds.create(params, { idempotencyKey: key, timeout: left() }));
    } catch (error) {
      return readingOfError(error);
    }
  }

  /**
   * Search lags by a minute, in outages by an hour (API reference, "Search PaymentIntents"), so what was charged within
   * the last hour may be overlooked. That does no harm: the caller sends again under the same key, and the key itself
   * protects what is younger than 24 hours; only what is older must be found here. What search finds is read again by its
   * id, since the index may show an old status. A list of all PaymentIntents would be consistent, but a look-up would page
   * through all of a busy account. Where there is no search (India), this throws, and nothing is concluded.
   */
  async findCharge({ reference }: ChargeRequest, known: string | null, timeoutMs: number): Promise<FoundReading> {
    const left = timeouts(timeoutMs);
    try {
      if (known !== null) return await this.decide(await this.stripe.paymentIntents.retrieve(known, {}, { timeout: left() }), left);
      const hits = await this.stripe.paymentIntents.search(
        { query: `metadata['reference']:'${reference}'`, limit: 100 },
        { timeout: left() },
      );
      const readings: Exclude<FoundReading, null>[] = [];
      // Search ignores case.
      for (const { id } of hits.data.filter(({ metadata }) => metadata['reference'] === reference)) {
        readings.push(await this.decide(await this.stripe.paymentIntents.retrieve(id, {}, { timeout: left() }), left));
      }
      return conclude(readings);
    } catch (error) {
      throw new Error(`looking up a charge failed: ${reasonOf(error)}`, { cause: error });
    }
  }

  async standing(_request: ChargeRequest, id: string, timeoutMs: number): Promise<StandingReading> {
    return standingOf(await this.stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] }, { timeout: timeouts(timeoutMs)() }));
  }

  /** The refunds of one PaymentIntent are few, and their list is consistent. */
  async findRefund({ reference, chargeId }: RefundRequest, known: string | null, timeoutMs: number): Promise<FoundReading> {
    const left = timeouts(timeoutMs);
    try {
      if (known !== null) return readingOfRefund(await this.stripe.refunds.retrieve(known, {}, { timeout: left() }));
      const readings: Exclude<FoundReading, null>[] = [];
      for (let after: string | undefined, more = true; more;) {
        const params = { payment_intent: chargeId, limit: 100, ...(after !== undefined && { starting_after: after }) };
        const { data, has_more } = await this.stripe.refunds.list(params, { timeout: left() });
        readings.push(...data.filter(({ metadata }) => metadata?.['reference'] === reference).map((refund) => readingOfRefund(refund)));
        after = data.at(-1)?.id;
        more = has_more && after !== undefined;
      }
      return conclude(readings);
    } catch (error) {
      throw new Error(`looking up a refund failed: ${reasonOf(error)}`, { cause: error });
    }
  }

  /**
   * The outcome of a PaymentIntent, which is closed where it waits for a customer; its client_secret never left this
   * process, so nobody can go on with it meanwhile. Never throws: there is a PaymentIntent, so a call that fails now is no
   * sign that Stripe was not reached.
   */
  private async decide(intent: Stripe.PaymentIntent, left: () => number): Promise<Exclude<FoundReading, null>> {
    if (intent.status !== 'requires_action') return readingOfIntent(intent);
    try {
      const closed = await this.stripe.paymentIntents.cancel(intent.id, { cancellation_reason: UNANSWERED_DEMAND }, { timeout: left() });
      return readingOfIntent(closed);
    } catch (error) {
      if (!(error instanceof Stripe.errors.StripeInvalidRequestError)) return { kind: 'unknown', reason: reasonOf(error) };
    }
    try {
      // It is closed already: under the key Stripe repeats how it was in the beginning.
      return readingOfIntent(await this.stripe.paymentIntents.retrieve(intent.id, {}, { timeout: left() }));
    } catch (error) {
      return { kind: 'unknown', reason: reasonOf(error) };
    }
  }
}

/** A token of Stripe.js becomes a card for this payment; everything else is the id of a PaymentMethod, or of what counts as one. */
function paymentMethodOf(source: string): Pick<Stripe.PaymentIntentCreateParams, 'payment_method' | 'payment_method_data'> {
  if (!source.startsWith('tok_')) return { payment_method: source };
  // The SDK's types leave cards out, since card numbers must not pass through servers; tokens of cards may.
  return { payment_method_data: { type: 'card', card: { token: source } } as Stripe.PaymentIntentCreateParams.PaymentMethodData };
}

/**
 * What is left of the time, for one request after the other. Whole milliseconds, and more than none: the SDK takes its 80
 * seconds for anything else. @throws Error when nothing is left
 */
function timeouts(timeoutMs: number): () => number {
  const left = countdown(timeoutMs);
  return () => {
    const whole = Math.ceil(left());
    if (whole <= 0) throw new Error('no answer in time');
    return whole;
  };
}
