import { Inject } from '@nestjs/common';
import { RecoverableStep, type Step, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { Problem } from '../http/problem.js';
import { paymentPath, problemReply } from './payment-replies.js';
import { PaymentView } from './payment.dto.js';
import { GuardedProvider } from './provider/guarded-provider.js';
import { PROVIDER, type Outcome } from './provider/provider.js';
import { callRefund, finishRefund, flagIfDeclined } from './refunding.js';

/** Gives back what was charged for an order that can't be paid any more. */
@RecoverableStep('payments.compensate')
export class CompensateStep implements Step<Outcome> {
  constructor(@Inject(PROVIDER) private readonly provider: GuardedProvider) {}

  call(refundId: string, run: StepRun): Promise<Outcome> {
    return callRefund(this.provider, refundId, run);
  }

  settle(tx: Transaction, refundId: string, outcome: Outcome, run: StepRun): Promise<StepEnd> {
    return finishRefund(tx, refundId, outcome, run, async ({ payment, refund }) => {
      await flagIfDeclined(tx, refund);
      const became =
        refund.status === 'succeeded' ? 'the charge was refunded' : `the provider declined to refund the charge: ${refund.failureCode}`;
      const problem = new Problem('order-not-payable', `The order was cancelled before the charge succeeded; ${became}.`, {
        members: { payment: PaymentView.of(payment) },
      });
      return problemReply(problem, run, paymentPath(payment));
    });
  }
}
