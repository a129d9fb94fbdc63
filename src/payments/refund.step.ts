import { Inject } from '@nestjs/common';
import { RecoverableStep, reply, undo, type Step, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { notReached, refundPath } from './payment-replies.js';
import { RefundView } from './payment.dto.js';
import { GuardedProvider } from './provider/guarded-provider.js';
import { PROVIDER, type Outcome } from './provider/provider.js';
import { undoRefund } from './refund.store.js';
import { callRefund, finishRefund } from './refunding.js';

/** A refund that a client asked for. */
@RecoverableStep('payments.refund')
export class RefundStep implements Step<Outcome> {
  constructor(@Inject(PROVIDER) private readonly provider: GuardedProvider) {}

  call(refundId: string, run: StepRun): Promise<Outcome> {
    return callRefund(this.provider, refundId, run);
  }

  async settle(tx: Transaction, refundId: string, outcome: Outcome, run: StepRun): Promise<StepEnd> {
    // It is the first step of its operation: nothing of an earlier attempt can be at the provider.
    if (outcome.kind === 'not-reached' && run.attempt === 1) {
      await undoRefund(tx, run.accountId, refundId);
      return undo(notReached('refunded'));
    }
    return finishRefund(tx, refundId, outcome, run, ({ refund }) => reply(201, RefundView.of(refund), { location: refundPath(refund) }));
  }
}
