import type Stripe from 'stripe';
import type { LedgerEntry, ProviderLedger } from './ledger.js';
import { amountFromStripe } from './stripe-amount.js';

/** Succeeded PaymentIntents of Stripe since a time, newest first, each with what went back of it; those of other software too. */
export class StripeLedger implements ProviderLedger {
  constructor(
    private readonly stripe: Stripe,
    private readonly since: Date,
  ) {}

  async *ledger(signal?: AbortSignal): AsyncGenerator<LedgerEntry> {
    const created = { gte: Math.floor(this.since.getTime() / 1_000) };
    const intents = this.stripe.paymentIntents.list({ created, limit: 100, expand: ['data.latest_charge'] });
    for await (const intent of intents) {
      signal?.throwIfAborted();
      if (intent.status !== 'succeeded') continue;
      yield entryOf(intent);
      const charge = intent.latest_charge;
      if (charge === null || typeof charge === 'string' || charge.amount_refunded === 0) continue;
      const currency = intent.currency.toUpperCase();
      const amount = amountFromStripe(charge.amount_refunded, currency);
      yield { ...entryOf(intent), id: `refunds of ${intent.id}`, chargeId: intent.id, amount };
    }
  }
}

function entryOf({ id, amount, currency, created, metadata }: Stripe.PaymentIntent): LedgerEntry {
  const iso = currency.toUpperCase();
  const { reference = '', account, order, payment, operation } = metadata as Record<string, string | undefined>;
  return {
    id,
    reference,
    amount: amountFromStripe(amount, iso),
    currency: iso,
    chargeId: null,
    createdAt: new Date(created * 1_000).toISOString(),
    origin: { ...(order && { order }), ...(payment && { payment }), ...(operation && { operation }), account },
  };
}
