import type { DataSource } from 'typeorm';
import type { Statement, Transaction } from '../idempotency/index.js';
import { appendEvent } from '../events/outbox.js';
import { DEADLINE_PASSED } from './end-states.js';
import { PaymentView } from './payment.dto.js';
import type { Payment, PaymentStatus } from './payment.entity.js';

/**
 * What each charge asks of the payments' table. Named, so that a connection prepares it once: the EntityManager's statements
 * are parsed and planned each time they run.
 */
const INSERT: Statement = {
  name: 'payments-insert',
  text: `INSERT INTO payments (account_id, id, order_id, operation_id, status, amount, currency, source, reference, created_at, updated_at, deadline)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)`,
};

const FIND_IN_FLIGHT: Statement = {
  name: 'payments-find-in-flight',
  text: `SELECT id FROM payments WHERE account_id = $1 AND order_id = $2 AND status = 'processing'`,
};

/** Each decline that is named is the oldest one of those that fill its brake; null where they are fewer. */
const FIND_OBSTACLES: Statement = {
  name: 'payments-find-obstacles',
  text: `SELECT EXISTS (SELECT FROM payments WHERE account_id = $1 AND order_id = $2 AND status = 'processing') AS in_flight,
                (SELECT updated_at FROM payments WHERE account_id = $1 AND order_id = $2 AND status = 'failed'
                    AND failure_code IS DISTINCT FROM '${DEADLINE_PASSED}'
                  ORDER BY id DESC OFFSET $3 LIMIT 1) AS order_decline,
                (SELECT updated_at FROM payments WHERE account_id = $1 AND status = 'failed'
                    AND failure_code IS DISTINCT FROM '${DEADLINE_PASSED}'
                  ORDER BY id DESC OFFSET $4 LIMIT 1) AS account_decline`,
};

const FIND_ORDER: Statement = {
  name: 'payments-find-order',
  text: `SELECT order_id FROM payments WHERE account_id = $1 AND id = $2`,
};

const LOCK: Statement = {
  name: 'payments-lock',
  text: `SELECT account_id, id, order_id, operation_id, status, amount, currency, source, reference, provider_reference, failure_code,
                amount_refunded, amount_reserved, review_reason, deadline, version, created_at, updated_at
           FROM payments WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE`,
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

/** Queues the row of a payment that was just opened, and its event. */
export function insertPayment(tx: Transaction, payment: Payment): void {
  const { accountId, id, orderId, operationId, status, amount, currency, source, reference, createdAt, deadline } = payment;
  tx.write(INSERT, [accountId, id, orderId, operationId, status, amount, currency, source, reference, createdAt, deadline]);
  appendEvent(tx, accountId, 'payment.processing', PaymentView.of(payment));
}

/** Whether a payment of this order is under way. */
export async function isInFlight(tx: Transaction, accountId: string, orderId: string): Promise<boolean> {
  return (await tx.run(FIND_IN_FLIGHT, [accountId, orderId])).length > 0;
}

/** What is in the way of another payment of an order. */
export interface Obstacles {
  inFlight: boolean;
  /** When the n-th last payment of the order, and of the account, was declined. */
  orderDecline: Date | null;
  accountDecline: Date | null;
}

/** Looks for them; `nth`: which of the last declines are asked for, counted from 1. */
export async function findObstacles(
  tx: Transaction,
  { accountId, orderId }: { accountId: string; orderId: string },
  nth: { order: number; account: number },
): Promise<Obstacles> {
  const [row] = await tx.run<{ in_flight: boolean; order_decline: Date | null; account_decline: Date | null }>(FIND_OBSTACLES, [
    accountId,
    orderId,
    nth.order - 1,
    nth.account - 1,
  ]);
  return { inFlight: row?.in_flight ?? false, orderDecline: row?.order_decline ?? null, accountDecline: row?.account_decline ?? null };
}

/** The uuid of the payment's order; undefined without such a payment. */
export async function orderOf(tx: Transaction, accountId: string, id: string): Promise<string | undefined> {
  const [row] = await tx.read<{ order_id: string }>(FIND_ORDER, [accountId, id]);
  return row?.order_id;
}

/** The payment, locked until the transaction ends; after its order in the lock order. */
export async function lockPayment(tx: Transaction, accountId: string, id: string): Promise<Payment | null> {
  const [row] = await tx.run<PaymentRow>(LOCK, [accountId, id]);
  return row ? paymentOf(row) : null;
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

/** How many payments of all accounts wait for a person, since the provider can't tell what became of them. */
export async function countForReview(dataSource: DataSource): Promise<number> {
  const [row] = await dataSource.query<{ count: number }[]>('SELECT count(*)::int AS count FROM payments WHERE review_reason IS NOT NULL');
  return row?.count ?? 0;
}

interface PaymentRow extends Record<string, unknown> {
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

function paymentOf(row: PaymentRow): Payment {
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
