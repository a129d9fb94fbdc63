import { newId } from '../../kernel/ids.js';
import type { Refund } from '../payment.entity.js';
import type { LedgerEntry } from '../provider/ledger.js';
import type { Owner } from './lost-charges.js';
import type { RestoredCharge, RestoredOutcome } from './restore.entity.js';

/** Who decides, and why. */
export interface By {
  actor: string;
  note: string;
}

/** In place of the token, where the provider doesn't tell it. */
export const UNKNOWN_SOURCE = 'unknown_source';
const REASON = 'the database was restored, and its payment was lost';

/** The payment as it was to be, without what became of it. */
export function paymentOf(charge: LedgerEntry, { accountId, orderId, paymentId, operationId }: Owner, now: Date) {
  const { amount, currency, reference, id: providerReference, source = UNKNOWN_SOURCE } = charge;
  return {
    accountId,
    id: paymentId,
    orderId,
    operationId,
    amount,
    currency,
    source,
    reference,
    providerReference,
    amountRefunded: 0,
    amountReserved: 0,
    reviewReason: null,
    deadline: null,
    createdAt: new Date(charge.createdAt),
    updatedAt: now,
  };
}

/** By what the lost payment's key leads to a charge. */
export function keyOf({ reference }: LedgerEntry, { accountId }: Owner): { accountId: string; reference: string } {
  return { accountId, reference };
}

/** What was decided about a charge. */
export function restoredOf(charge: LedgerEntry, owner: Owner, outcome: RestoredOutcome, { actor, note }: By, now: Date): RestoredCharge {
  const { accountId, orderId, paymentId } = owner;
  return {
    ...keyOf(charge, owner),
    accountId,
    orderId,
    paymentId,
    chargeId: charge.id,
    amount: charge.amount,
    currency: charge.currency,
    chargedAt: new Date(charge.createdAt),
    outcome,
    refundId: null,
    refundReference: outcome === 'refunded' ? `${charge.reference}_restored` : null,
    decidedAt: now,
    decidedBy: actor,
    note,
  };
}

/** The refund of a charge that was decided to go back. */
export function refundOf(
  { amount, currency, paymentId, refundReference }: RestoredCharge,
  { accountId, operationId }: Owner,
  now: Date,
): Refund {
  return {
    accountId,
    id: newId(),
    paymentId,
    operationId,
    status: 'processing',
    amount,
    currency,
    reason: REASON,
    reference: refundReference,
    providerReference: null,
    failureCode: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
}
