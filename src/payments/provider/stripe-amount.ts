/**
 * Where Stripe's unit of an amount is another than the minor unit of ISO 4217 (Stripe docs, "Supported currencies",
 * sections "Zero-decimal currencies" and "Special cases"): how many of Stripe's units one ISO minor unit is. All other
 * currencies that Stripe takes agree: JPY and its like have none in either, HUF and TWD two (only payouts treat those as zero).
 */
const UNITS_PER_MINOR_UNIT: Readonly<Record<string, number>> = {
  // No minor unit in ISO 4217, and sent with two decimals "to maintain backwards compatibility".
  ISK: 100,
  UGX: 100,
  // Two decimals in ISO 4217 (1 ariary = 5 iraimbilanja), none at Stripe.
  MGA: 0.01,
};

/** Three-decimal currencies: the last digit must be 0 (same page, "Three-decimal currencies"). */
const TENS = new Set(['BHD', 'JOD', 'KWD', 'OMR', 'TND']);

/**
 * An amount in ISO 4217 minor units, as Stripe wants it; `null` where Stripe can't charge exactly that. Nothing is ever
 * rounded: the order's total and the charge must be the same money.
 */
export function stripeAmount(amount: number, currency: string): number | null {
  if (TENS.has(currency)) return amount % 10 === 0 ? amount : null;
  const units = UNITS_PER_MINOR_UNIT[currency] ?? 1;
  if (units >= 1) return amount * units;
  const divisor = Math.round(1 / units);
  return amount % divisor === 0 ? amount / divisor : null;
}
