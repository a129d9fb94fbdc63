import type { Statement, StepRun, Transaction } from '../idempotency/index.js';
import { appendEvent } from '../events/outbox.js';
import { PaymentView } from './payment.dto.js';
import { lockPayment } from './payment.store.js';

/** Failure code, in its event alone, of a payment that is taken back. */
const NOT_REACHED = 'provider_not_reached';

/**
 * Queues that the payment of an operation never was. Whoever was told that it is processing is told that nothing was charged: an event
 * that was read can't be taken back. @throws Error where there is no such payment
 */
export async function takeBackPayment(tx: Transaction, run: StepRun, id: string): Promise<void> {
  const payment = await lockPayment(tx, run.accountId, id);
  if (!payment) throw new Error('a payment step without its payment');
  const { version } = payment;
  const failed = { status: 'failed', failureCode: NOT_REACHED, version: version + 1, updatedAt: await tx.now() } as const;
  appendEvent(tx, run.accountId, 'payment.failed', PaymentView.of({ ...payment, ...failed }));
  takeBack(tx, run);
}

const TAKE_BACK: Statement = { name: 'payments-take-back', text: 'SELECT payments_take_back($1, $2, $3, $4)' };

/** Queues that the payment or refund of an operation never was; a function of the owner's, because this role deletes neither. */
export function takeBack(tx: Transaction, { accountId, attempt, stepNo }: StepRun): void {
  tx.write(TAKE_BACK, [accountId, tx.operationUuid, attempt, stepNo]);
}
