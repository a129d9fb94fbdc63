import { RecoverableStep, reply, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { refundPath } from './payment-replies.js';
import { RefundView } from './payment.dto.js';
import type { SettledRefund } from './refund.store.js';
import { RefundingStep, flagIfDeclined } from './refunding.js';

/** Gives back a charge that showed after it had been decided that it did not happen. */
@RecoverableStep('payments.late-charge.refund')
export class LateRefundStep extends RefundingStep {
  protected async finish(tx: Transaction, { refund }: SettledRefund, _run: StepRun): Promise<StepEnd> {
    await flagIfDeclined(tx, refund);
    return reply(200, RefundView.of(refund), { resource: refundPath(refund) });
  }
}
