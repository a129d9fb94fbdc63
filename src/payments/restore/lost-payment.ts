import type { Statement, Transaction } from '../../idempotency/index.js';
import { Problem } from '../../http/problem.js';
import { publicId } from '../../kernel/ids.js';
import { END_STATES } from '../end-states.js';
import { PaymentView } from '../payment.dto.js';
import type { Payment } from '../payment.entity.js';
import { lockPayment } from '../payment.store.js';
import type { DecidedCharge } from './restore-gate.js';

/** Failure code of what was given back because its payment was lost. */
export const REFUNDED_AFTER_RESTORE = END_STATES['refunded-after-restore'].failureCode;

/** The operation that was lost made it; the one that asks for it again stands for it from now on. */
const OWN: Statement = { name: 'payments-own', text: 'UPDATE payments SET operation_id = $3 WHERE account_id = $1 AND id = $2' };

/**
 * Answers a payment's key whose charge outlived its record: nobody is called, and what was decided becomes the key's outcome.
 * Returns the adopted payment.
 * @throws Problem `payment-declined` where the charge was refunded, `idempotency-key-reused` where it was for something else
 */
export async function findAgain(
  tx: Transaction,
  charge: DecidedCharge,
  asked: { orderId: string; amount: number; currency: string },
): Promise<Payment> {
  const isSame = publicId('ord', charge.orderId) === asked.orderId && charge.amount === asked.amount && charge.currency === asked.currency;
  if (!isSame) throw new Problem('idempotency-key-reused', 'The key was used for another payment, before the database was restored.');
  if (charge.outcome === 'refunded') {
    throw new Problem('payment-declined', 'The database was restored, the payment was lost, and its charge was refunded.', {
      members: { payment: refundedView(charge) },
    });
  }
  const payment = await lockPayment(tx, charge.accountId, charge.paymentId);
  if (!payment) throw new Error('an adopted charge without its payment');
  tx.write(OWN, [charge.accountId, charge.paymentId, tx.operationUuid]);
  return payment;
}

/** The payment as it would be, where its order was lost as well. */
function refundedView({ paymentId, orderId, amount, currency, chargeId, chargedAt, decidedAt, refundId }: DecidedCharge): PaymentView {
  return PaymentView.of({
    id: paymentId,
    orderId,
    status: 'failed',
    amount,
    currency,
    amountRefunded: refundId === null ? 0 : amount,
    failureCode: REFUNDED_AFTER_RESTORE,
    providerReference: chargeId,
    deadline: null,
    version: refundId === null ? 1 : 2,
    createdAt: chargedAt,
    updatedAt: decidedAt,
  });
}
