import type { Statement, Transaction } from '../idempotency/index.js';
import { newId } from '../kernel/ids.js';
import { Problem } from '../http/problem.js';
import type { Payment, Refund } from './payment.entity.js';

const INSERT: Statement = {
  name: 'refunds-insert',
  text: `INSERT INTO refunds (account_id, id, payment_id, operation_id, status, amount, currency, reason, reference, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 'processing', $5, $6, $7, $8, 1, $9, $9)`,
};

const RESERVE: Statement = {
  name: 'payments-reserve',
  text: 'UPDATE payments SET amount_reserved = $3, updated_at = $4, version = $5 WHERE account_id = $1 AND id = $2',
};

const CALL_NEXT: Statement = {
  name: 'refunds-call-next',
  text: `UPDATE refunds SET reference = $3
          WHERE account_id = $1 AND id = (SELECT id FROM refunds WHERE account_id = $1 AND operation_id = $2 AND status = 'processing' ORDER BY id LIMIT 1)
         RETURNING id`,
};

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
  const now = await tx.now();
  const { accountId } = payment;
  const refund: Refund = {
    accountId,
    id: newId(),
    paymentId: payment.id,
    operationId: tx.operationUuid,
    status: 'processing',
    currency: payment.currency,
    ...wanted,
    providerReference: null,
    failureCode: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  tx.write(RESERVE, [accountId, payment.id, payment.amountReserved + refund.amount, now, payment.version + 1]);
  const { id, paymentId, operationId, amount, currency, reason, reference } = refund;
  tx.write(INSERT, [accountId, id, paymentId, operationId, amount, currency, reason, reference, now]);
  return refund;
}

/** The next refund of this operation, which is about to be asked for under `reference`; undefined when all are settled. */
export async function callNextRefund(tx: Transaction, accountId: string, reference: string): Promise<string | undefined> {
  const [next] = await tx.run<{ id: string }>(CALL_NEXT, [accountId, tx.operationUuid, reference]);
  return next?.id;
}
