import { RecoverableStep, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { Problem } from '../http/problem.js';
import { END_STATES } from './end-states.js';
import { paymentPath, problemReply } from './payment-replies.js';
import { PaymentView } from './payment.dto.js';
import type { SettledRefund } from './refund.store.js';
import { RefundingStep, flagIfDeclined } from './refunding.js';

/** Gives back what was charged for an order that can't be paid any more. */
@RecoverableStep('payments.compensate')
export class CompensateStep extends RefundingStep {
  protected async finish(tx: Transaction, { payment, refund }: SettledRefund, run: StepRun): Promise<StepEnd> {
    await flagIfDeclined(tx, refund);
    const became =
      refund.status === 'succeeded' ? 'the charge was refunded' : `the provider declined to refund the charge: ${refund.failureCode}`;
    const problem = new Problem(END_STATES['order-cancelled'].code, `The order was cancelled before the charge succeeded; ${became}.`, {
      members: { payment: PaymentView.of(payment) },
    });
    return problemReply(problem, run, paymentPath(payment));
  }
}
