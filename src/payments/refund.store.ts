import { allowDuplicate, type StepRun, type Transaction } from '../idempotency/index.js';
import { appendEvent } from '../events/outbox.js';
import { newId } from '../kernel/ids.js';
import { Problem } from '../http/problem.js';
import { RefundView } from './payment.dto.js';
import { Payment, Refund } from './payment.entity.js';
import { lockPayment } from './payment.store.js';
import { takeBack } from './take-back.store.js';
import { firstCheck } from './books-schedule.js';
import { withReason, withoutReasonsOf } from './review-reasons.js';

/** What a refund became in a settling transaction. */
export interface SettledRefund {
  refund: Refund;
  payment: Payment;
}

/** How a refund ends; `providerReference`: null where a person decided it and knows none. */
export type RefundEnd = { kind: 'succeeded'; providerReference: string | null; mayChange?: true } | { kind: 'declined'; code: string };

/**
 * Reserves a refund of a payment that the caller has locked. The lock and a CHECK see to it that refunds never exceed
 * the payment.
 * @throws Problem `refund-exceeds-payment`
 */
export async function reserveRefund(
  tx: Transaction,
  payment: Payment,
  wanted: { amount: number; reason: string | null; reference: string | null },
): Promise<Refund> {
  const left = payment.status === 'succeeded' ? payment.amount - payment.amountReserved : 0;
  if (wanted.amount > left || wanted.amount < 1) {
    throw new Problem('refund-exceeds-payment', `${left} of ${payment.amount} ${payment.currency} can still be refunded.`);
  }
  const manager = await tx.manager();
  const now = await tx.now();
  const { accountId } = payment;
  const refund: Refund = {
    accountId,
    id: newId(),
    paymentId: payment.id,
    operationId: tx.operationUuid,
    status: 'processing',
    amount: wanted.amount,
    currency: payment.currency,
    reason: wanted.reason,
    reference: wanted.reference,
    providerReference: null,
    failureCode: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  const reserved = { amountReserved: payment.amountReserved + refund.amount, updatedAt: now, version: payment.version + 1 };
  await manager.update(Payment, { accountId, id: payment.id }, reserved);
  // A copy, since TypeORM hangs what the database filled in on what it is given, bigint as text.
  await manager.insert(Refund, { ...refund });
  return refund;
}

/** Writes down a final outcome, and its event: the reservation becomes a refund, or is given back. Locks the payment, then the refund. */
export async function settleRefund(tx: Transaction, accountId: string, refundId: string, outcome: RefundEnd): Promise<SettledRefund> {
  const manager = await tx.manager();
  const { payment, refund } = await lockRefund(tx, accountId, refundId);
  const updatedAt = await tx.now();
  const success = outcome.kind === 'succeeded';
  const settled = {
    ...refund,
    status: success ? ('succeeded' as const) : ('failed' as const),
    providerReference: (success ? outcome.providerReference : null) ?? refund.providerReference,
    failureCode: success ? null : outcome.code,
    version: refund.version + 1,
    updatedAt,
  };
  const paid = {
    ...payment,
    reviewReason: withoutReasonsOf(payment.reviewReason, refundId),
    amountRefunded: payment.amountRefunded + (success ? refund.amount : 0),
    amountReserved: payment.amountReserved - (success ? 0 : refund.amount),
    version: payment.version + 1,
    updatedAt,
  };
  const { status, providerReference, failureCode, version } = settled;
  const checkAt = success ? firstCheck(updatedAt, outcome.mayChange) : null;
  await manager.update(Refund, { accountId, id: refundId }, { status, providerReference, failureCode, checkAt, version, updatedAt });
  const { amountRefunded, amountReserved, reviewReason } = paid;
  const changed = { amountRefunded, amountReserved, reviewReason, version: paid.version, updatedAt };
  await manager.update(Payment, { accountId, id: payment.id }, changed);
  appendEvent(tx, accountId, `refund.${status}`, RefundView.of(settled));
  if (amountRefunded === payment.amount) allowDuplicate(tx, accountId, payment.operationId);
  return { refund: settled, payment: paid };
}

/** Has the provider's books of a payment looked at in any case: what was decided about its refund may be wrong. */
export async function lookAtBooks(tx: Transaction, { accountId, id }: Payment): Promise<void> {
  await (await tx.manager()).update(Payment, { accountId, id }, { checkAt: firstCheck(await tx.now(), true) });
}

/** Writes down what the provider calls a refund that it has not decided. */
export async function nameRefund(tx: Transaction, accountId: string, id: string, providerReference: string): Promise<void> {
  await (await tx.manager()).update(Refund, { accountId, id }, { providerReference });
}

/** Marks the refund's payment for a person's look, beside what a person was told before. */
export async function flagRefund(tx: Transaction, accountId: string, refundId: string, reason: string): Promise<void> {
  const { payment } = await lockRefund(tx, accountId, refundId);
  const reviewReason = withReason(payment.reviewReason, reason, refundId);
  await (await tx.manager()).update(Payment, { accountId, id: payment.id }, { reviewReason });
}

/** Takes a reservation back that the provider surely never heard of. */
export async function undoRefund(tx: Transaction, run: StepRun, refundId: string): Promise<void> {
  const manager = await tx.manager();
  const { accountId } = run;
  const { payment, refund } = await lockRefund(tx, accountId, refundId);
  await manager.update(Payment, { accountId, id: payment.id }, { amountReserved: payment.amountReserved - refund.amount });
  takeBack(tx, run);
}

async function lockRefund(tx: Transaction, accountId: string, refundId: string): Promise<SettledRefund> {
  const manager = await tx.manager();
  const { paymentId } = await manager.findOneByOrFail(Refund, { accountId, id: refundId });
  const payment = await lockPayment(tx, accountId, paymentId);
  const refund = await manager.findOneOrFail(Refund, { where: { accountId, id: refundId }, lock: { mode: 'for_no_key_update' } });
  if (!payment) throw new Error('a refund without its payment');
  return { payment, refund };
}
