import { RecoverableStep, reply, undo, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { notReached, refundPath } from './payment-replies.js';
import { RefundView } from './payment.dto.js';
import type { DoubtfulOutcome } from './provider/ask.js';
import { undoRefund, type SettledRefund } from './refund.store.js';
import { RefundingStep } from './refunding.js';

/** A refund that a client asked for. */
@RecoverableStep('payments.refund')
export class RefundStep extends RefundingStep {
  override async settle(tx: Transaction, refundId: string, outcome: DoubtfulOutcome, run: StepRun): Promise<StepEnd> {
    // It is the first step of its operation: nothing of an earlier attempt can be at the provider.
    if (outcome.kind === 'not-reached' && run.attempt === 1) {
      await undoRefund(tx, run.accountId, refundId);
      return undo(notReached('refunded'));
    }
    return super.settle(tx, refundId, outcome, run);
  }

  protected finish(_tx: Transaction, { refund }: SettledRefund): StepEnd {
    return reply(201, RefundView.of(refund), { location: refundPath(refund) });
  }
}
