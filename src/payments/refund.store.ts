import { allowDuplicate, type Statement, type StepRun, type Transaction } from '../idempotency/index.js';
import { appendEvent } from '../events/outbox.js';
import { RefundView } from './payment.dto.js';
import type { Payment, PaymentStatus, Refund } from './payment.entity.js';
import { PAYMENT_COLUMNS, paymentOf, type PaymentRow } from './payment.store.js';
import { takeBack } from './take-back.store.js';
import { firstCheck } from './books-schedule.js';
import { withReason, withoutReasonsOf } from './review-reasons.js';

const UNRESERVE: Statement = {
  name: 'payments-unreserve',
  text: 'UPDATE payments SET amount_reserved = $3 WHERE account_id = $1 AND id = $2',
};

/** A refund's payment is the same for good. */
const LOCK_PAYMENT: Statement = {
  name: 'refunds-lock-payment',
  text: `SELECT ${PAYMENT_COLUMNS} FROM payments
          WHERE account_id = $1 AND id = (SELECT payment_id FROM refunds WHERE account_id = $1 AND id = $2) FOR NO KEY UPDATE`,
};

const LOCK: Statement = {
  name: 'refunds-lock',
  text: `SELECT account_id, id, payment_id, operation_id, status, amount, currency, reason, reference, provider_reference, failure_code, version,
                created_at, updated_at
           FROM refunds WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE`,
};

const FINISH: Statement = {
  name: 'refunds-finish',
  text: `UPDATE refunds SET status = $3, provider_reference = $4, failure_code = $5, check_at = $6, version = $7, updated_at = $8
          WHERE account_id = $1 AND id = $2`,
};

const GIVE_BACK: Statement = {
  name: 'payments-give-back',
  text: `UPDATE payments SET amount_refunded = $3, amount_reserved = $4, review_reason = $5, version = $6, updated_at = $7
          WHERE account_id = $1 AND id = $2`,
};

const CHECK: Statement = { name: 'payments-check', text: 'UPDATE payments SET check_at = $3 WHERE account_id = $1 AND id = $2' };
const NAME: Statement = { name: 'refunds-name', text: 'UPDATE refunds SET provider_reference = $3 WHERE account_id = $1 AND id = $2' };
const FLAG: Statement = { name: 'payments-flag', text: 'UPDATE payments SET review_reason = $3 WHERE account_id = $1 AND id = $2' };

/** What a refund became in a settling transaction. */
export interface SettledRefund {
  refund: Refund;
  payment: Payment;
}

/** How a refund ends; `providerReference`: null where a person decided it and knows none. */
export type RefundEnd = { kind: 'succeeded'; providerReference: string | null; mayChange?: true } | { kind: 'declined'; code: string };

/** Writes down a final outcome, and its event: the reservation becomes a refund, or is given back. Locks the payment, then the refund. */
export async function settleRefund(tx: Transaction, accountId: string, refundId: string, outcome: RefundEnd): Promise<SettledRefund> {
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
  tx.write(FINISH, [accountId, refundId, status, providerReference, failureCode, checkAt, version, updatedAt]);
  const { amountRefunded, amountReserved, reviewReason } = paid;
  tx.write(GIVE_BACK, [accountId, payment.id, amountRefunded, amountReserved, reviewReason, paid.version, updatedAt]);
  appendEvent(tx, accountId, `refund.${status}`, RefundView.of(settled));
  if (amountRefunded === payment.amount) allowDuplicate(tx, accountId, payment.operationId);
  return { refund: settled, payment: paid };
}

/** Has the provider's books of a payment looked at in any case: what was decided about its refund may be wrong. */
export async function lookAtBooks(tx: Transaction, { accountId, id }: Payment): Promise<void> {
  tx.write(CHECK, [accountId, id, firstCheck(await tx.now(), true)]);
}

/** Writes down what the provider calls a refund that it has not decided. */
export function nameRefund(tx: Transaction, accountId: string, id: string, providerReference: string): void {
  tx.write(NAME, [accountId, id, providerReference]);
}

/** Marks the refund's payment for a person's look, beside what a person was told before. */
export async function flagRefund(tx: Transaction, accountId: string, refundId: string, reason: string): Promise<void> {
  const { payment } = await lockRefund(tx, accountId, refundId);
  tx.write(FLAG, [accountId, payment.id, withReason(payment.reviewReason, reason, refundId)]);
}

/** Takes a reservation back that the provider surely never heard of. */
export async function undoRefund(tx: Transaction, run: StepRun, refundId: string): Promise<void> {
  const { accountId } = run;
  const { payment, refund } = await lockRefund(tx, accountId, refundId);
  tx.write(UNRESERVE, [accountId, payment.id, payment.amountReserved - refund.amount]);
  takeBack(tx, run);
}

async function lockRefund(tx: Transaction, accountId: string, refundId: string): Promise<SettledRefund> {
  const values = [accountId, refundId];
  const [[payment], [refund]] = await Promise.all([tx.run<PaymentRow>(LOCK_PAYMENT, values), tx.run<RefundRow>(LOCK, values)]);
  if (!payment || !refund) throw new Error('a refund step without its refund');
  return { payment: paymentOf(payment), refund: refundOf(refund) };
}

interface RefundRow extends Record<string, unknown> {
  account_id: string;
  id: string;
  payment_id: string;
  operation_id: string;
  status: PaymentStatus;
  amount: string;
  currency: string;
  reason: string | null;
  reference: string | null;
  provider_reference: string | null;
  failure_code: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

function refundOf(row: RefundRow): Refund {
  return {
    accountId: row.account_id,
    id: row.id,
    paymentId: row.payment_id,
    operationId: row.operation_id,
    status: row.status,
    amount: Number(row.amount),
    currency: row.currency,
    reason: row.reason,
    reference: row.reference,
    providerReference: row.provider_reference,
    failureCode: row.failure_code,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
