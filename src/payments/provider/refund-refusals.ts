/**
 * How providers refuse a refund that their books have no room for, where ours have: the charge is given back already, in
 * part or whole, disputed, or not known at all. The sandbox's codes, then Stripe's (API reference, "Error codes").
 */
const BOOKS_DIFFER: ReadonlySet<string> = new Set([
  'refund_exceeds_charge',
  'charge_not_found',
  'charge_already_refunded',
  'amount_too_large',
  'charge_disputed',
  'refund_disputed_payment',
  'charge_for_pending_refund_disputed',
  'resource_missing',
  // What the Stripe adapter says where Stripe gives no code, as it does for more than what is left of a charge.
  'invalid_request',
]);

/** Whether a provider that refuses a refund with this code has other books than ours; else it has its reasons, and no more. */
export function booksDiffer(code: string): boolean {
  return BOOKS_DIFFER.has(code);
}
