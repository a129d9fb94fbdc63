import type { Verdict } from './ledger.js';

/** How an answer leaves: at once, after a while, or not at all, with the connection left open or cut. */
export type Way = 'now' | 'slow' | 'never' | 'cut';

/** What a source makes of a charge. The way is that of the first answer; a repeat of the key is answered at once. */
interface Behaviour {
  verdict: Verdict;
  way: Way;
  /** With which code its refunds are declined. */
  refundDecline?: string;
}

const pays = (way: Way): Behaviour => ({ verdict: { declineCode: null, failures: 0 }, way });
export const declines = (declineCode: string): Behaviour => ({ verdict: { declineCode }, way: 'now' });

/** A Map, not an object: a source named `constructor` is unknown like any other. */
export const BEHAVIOURS = new Map<string, Behaviour>([
  ['tok_visa', pays('now')],
  ['tok_mastercard', pays('now')],
  ['tok_slow', pays('slow')],
  ['tok_hang_after', pays('never')],
  ['tok_drop_after', pays('cut')],
  ['tok_drop_before', { verdict: { declineCode: null, failures: 1 }, way: 'now' }],
  ['tok_error_500', { verdict: { declineCode: null, failures: 2 }, way: 'now' }],
  ['tok_refund_declined', { ...pays('now'), refundDecline: 'refund_declined' }],
  ['tok_declined', declines('card_declined')],
  ['tok_insufficient_funds', declines('insufficient_funds')],
  ['tok_3ds', declines('authentication_required')],
  ['tok_authentication_required', declines('authentication_required')],
]);
