import type { Statement, Transaction } from '../idempotency/index.js';
import { appendEvent } from '../events/outbox.js';
import { newId } from '../kernel/ids.js';
import { lockOn, lockOrder, type OrderState } from '../orders/order.store.js';
import { PaymentView } from './payment.dto.js';
import type { Payment, PaymentStatus } from './payment.entity.js';

/**
 * What each charge asks of the payments' table. Named, so that a connection prepares it once: the EntityManager's statements
 * are parsed and planned each time they run.
 */
const INSERT_INTO = `INSERT INTO payments (account_id, id, order_id, operation_id, status, amount, currency, source, reference, created_at, updated_at,
                                           deadline)`;
const VALUES =
  '$1::uuid, $2::uuid, $3::uuid, $4::uuid, $5, $6::bigint, $7::text, $8, $9, $10::timestamptz, $10::timestamptz, $11::timestamptz';

const INSERT: Statement = { name: 'payments-insert', text: `${INSERT_INTO} SELECT ${VALUES}` };

/** Of an order that was read without a lock: it is locked here, and must be as it was read. */
const INSERT_IF_PAYABLE: Statement = {
  name: 'payments-insert-if-payable',
  text: `${INSERT_INTO} SELECT ${VALUES} FROM (SELECT) AS one
          LEFT JOIN LATERAL (SELECT true AS payable FROM orders
                              WHERE account_id = $1::uuid AND id = $3::uuid AND status = 'pending' AND total = $6::bigint AND currency = $7::text
                                FOR NO KEY UPDATE) o ON true
          WHERE coalesce(o.payable, speculation_failed())`,
};

/** A payment's order is the same for good. */
const ORDER_OF_PAYMENT = lockOn('payments-order', '(SELECT order_id FROM payments WHERE account_id = $1 AND id = $2)');

/** The columns of a PaymentRow. */
export const PAYMENT_COLUMNS = `account_id, id, order_id, operation_id, status, amount, currency, source, reference, provider_reference, failure_code,
                amount_refunded, amount_reserved, review_reason, deadline, version, created_at, updated_at`;

const LOCK: Statement = {
  name: 'payments-lock',
  text: `SELECT ${PAYMENT_COLUMNS} FROM payments WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE`,
};

const LOCK_SUCCEEDED: Statement = {
  name: 'payments-lock-succeeded',
  text: `SELECT ${PAYMENT_COLUMNS} FROM payments
          WHERE account_id = $1 AND order_id = $2 AND status = 'succeeded' ORDER BY id FOR NO KEY UPDATE`,
};

/** A statement of its own behind the lock, because it needs a later snapshot. */
const FIND_MOVING: Statement = {
  name: 'payments-find-moving',
  text: `SELECT true AS moving FROM refunds r JOIN payments p ON p.account_id = r.account_id AND p.id = r.payment_id
          WHERE p.account_id = $1 AND p.order_id = $2 AND p.status = 'succeeded' AND r.status = 'processing' LIMIT 1`,
};

const FINISH: Statement = {
  name: 'payments-finish',
  text: `UPDATE payments SET status = $3, provider_reference = $4, failure_code = $5, review_reason = NULL, updated_at = $6, check_at = $7,
                             version = $8
          WHERE account_id = $1 AND id = $2`,
};

/** Its version grows where the name is news: the API shows it. */
const NOTE: Statement = {
  name: 'payments-note',
  text: `UPDATE payments
            SET review_reason = coalesce($3, review_reason), provider_reference = coalesce($4, provider_reference),
                version = version + (coalesce($4, provider_reference) IS DISTINCT FROM provider_reference)::int
          WHERE account_id = $1 AND id = $2`,
};

/** A payment that has been charged, or not. */
export type FinishedPayment = Payment & { status: Exclude<PaymentStatus, 'processing'>; reviewReason: null };

/** What is known of a payment that is being opened. */
type NewPayment = Pick<Payment, 'accountId' | 'orderId' | 'amount' | 'currency' | 'source' | 'reference' | 'deadline'>;

/**
 * Opens a payment: queues its row and its event. Where what was read of the order may be over (`tx.usedCached`), the commit fails if it is.
 */
export function openPayment(tx: Transaction, known: NewPayment, now: Date): Payment {
  const payment: Payment = {
    ...known,
    id: newId(),
    operationId: tx.operationUuid,
    status: 'processing',
    providerReference: null,
    failureCode: null,
    amountRefunded: 0,
    amountReserved: 0,
    reviewReason: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  const { accountId, id, orderId, operationId, status, amount, currency, source, reference, createdAt, deadline } = payment;
  tx.write(tx.usedCached ? INSERT_IF_PAYABLE : INSERT, [
    accountId,
    id,
    orderId,
    operationId,
    status,
    amount,
    currency,
    source,
    reference,
    createdAt,
    deadline,
  ]);
  appendEvent(tx, accountId, 'payment.processing', PaymentView.of(payment));
  return payment;
}

/** The payment, locked until the transaction ends; after its order in the lock order. */
export async function lockPayment(tx: Transaction, accountId: string, id: string): Promise<Payment | null> {
  const [row] = await tx.run<PaymentRow>(LOCK, [accountId, id]);
  return row ? paymentOf(row) : null;
}

/** Payments of an order that have succeeded, locked until the transaction ends, and whether a refund of one of them is under way. */
export async function lockSucceeded(
  tx: Transaction,
  accountId: string,
  orderId: string,
): Promise<{ payments: Payment[]; isMoving: boolean }> {
  const values = [accountId, orderId];
  const [rows, moving] = await Promise.all([tx.run<PaymentRow>(LOCK_SUCCEEDED, values), tx.run(FIND_MOVING, values)]);
  return { payments: rows.map(paymentOf), isMoving: moving.length > 0 };
}

/** The payment and its order, both locked until the transaction ends. @throws Error where there is no such payment */
export async function lockWithOrder(tx: Transaction, accountId: string, id: string): Promise<{ order: OrderState; payment: Payment }> {
  const [order, payment] = await Promise.all([lockOrder(tx, accountId, id, ORDER_OF_PAYMENT), lockPayment(tx, accountId, id)]);
  if (!order || !payment) throw new Error('a payment step without its payment');
  return { order, payment };
}

/** Queues what became of the charge of a locked payment, and its event; returns the payment in its new version. */
export function finishPayment(tx: Transaction, payment: FinishedPayment): FinishedPayment {
  const finished = { ...payment, version: payment.version + 1 };
  const { accountId, id, status, providerReference, failureCode, updatedAt, checkAt, version } = finished;
  tx.write(FINISH, [accountId, id, status, providerReference, failureCode, updatedAt, checkAt ?? null, version]);
  appendEvent(tx, accountId, `payment.${status}`, PaymentView.of(finished));
  return finished;
}

/** Queues what is known of a charge without an outcome: why a person must look at it, and what the provider calls it. */
export function noteCharge(
  tx: Transaction,
  { accountId, id }: Pick<Payment, 'accountId' | 'id'>,
  { reviewReason, providerReference }: { reviewReason?: string | undefined; providerReference?: string | undefined },
): void {
  tx.write(NOTE, [accountId, id, reviewReason ?? null, providerReference ?? null]);
}

/** A payment as the database has it. */
export interface PaymentRow extends Record<string, unknown> {
  account_id: string;
  id: string;
  order_id: string;
  operation_id: string;
  status: PaymentStatus;
  amount: string;
  currency: string;
  source: string;
  reference: string;
  provider_reference: string | null;
  failure_code: string | null;
  amount_refunded: string;
  amount_reserved: string;
  review_reason: string | null;
  deadline: Date | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

export function paymentOf(row: PaymentRow): Payment {
  return {
    accountId: row.account_id,
    id: row.id,
    orderId: row.order_id,
    operationId: row.operation_id,
    status: row.status,
    amount: Number(row.amount),
    currency: row.currency,
    source: row.source,
    reference: row.reference,
    providerReference: row.provider_reference,
    failureCode: row.failure_code,
    amountRefunded: Number(row.amount_refunded),
    amountReserved: Number(row.amount_reserved),
    reviewReason: row.review_reason,
    deadline: row.deadline,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
