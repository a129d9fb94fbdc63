/**
 * Where Stripe counts in other decimals than ISO 4217 does (Stripe docs, "Supported currencies", sections "Zero-decimal
 * currencies" and "Special cases"). All other currencies that Stripe takes agree: JPY and its like have no decimals in
 * either, HUF and TWD have two (only payouts treat those as zero-decimal).
 */
const DECIMALS: Readonly<Record<string, { iso: number; stripe: number }>> = {
  // Sent with two decimals "to maintain backwards compatibility", though neither has a minor unit.
  ISK: { iso: 0, stripe: 2 },
  UGX: { iso: 0, stripe: 2 },
  // 1 ariary = 5 iraimbilanja, which ISO 4217 writes as two decimals.
  MGA: { iso: 2, stripe: 0 },
};

/** Three-decimal currencies, whose last digit Stripe wants to be 0 (same page, "Three-decimal currencies"). */
const TENS = new Set(['BHD', 'JOD', 'KWD', 'OMR', 'TND']);

/** An amount that Stripe tells, in ISO 4217 minor units; where those don't reach, a fraction, which is no amount of ours. */
export function amountFromStripe(units: number, currency: string): number {
  const { iso, stripe } = DECIMALS[currency] ?? { iso: 2, stripe: 2 };
  return iso >= stripe ? units * 10 ** (iso - stripe) : units / 10 ** (stripe - iso);
}

/**
 * An amount in ISO 4217 minor units, as Stripe wants it; `null` where Stripe can't move exactly that. Nothing is rounded:
 * what is charged is what the order costs.
 */
export function stripeAmount(amount: number, currency: string): number | null {
  const { iso, stripe } = DECIMALS[currency] ?? { iso: 2, stripe: 2 };
  if (stripe >= iso) return TENS.has(currency) && amount % 10 !== 0 ? null : amount * 10 ** (stripe - iso);
  const divisor = 10 ** (iso - stripe);
  return amount % divisor === 0 ? amount / divisor : null;
}
