import { RecoverableStep, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { deadlinePassed, paymentPath, problemReply } from './payment-replies.js';
import { PaymentView } from './payment.dto.js';
import type { SettledRefund } from './refund.store.js';
import { RefundingStep, flagIfDeclined } from './refunding.js';

/** Gives back what was charged and became known after the payment's deadline. */
@RecoverableStep('payments.deadline.refund')
export class DeadlineRefundStep extends RefundingStep {
  protected async finish(tx: Transaction, { payment, refund }: SettledRefund, run: StepRun): Promise<StepEnd> {
    await flagIfDeclined(tx, refund);
    const became =
      refund.status === 'succeeded'
        ? 'the charge was known after that, and was refunded'
        : `the charge was known after that, and the provider declined to refund it: ${refund.failureCode}`;
    return problemReply(deadlinePassed(PaymentView.of(payment), became), run, paymentPath(payment));
  }
}
