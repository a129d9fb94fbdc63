import { RecoverableStep, reply, undo, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { Problem } from '../http/problem.js';
import { notReached, problemReply, refundPath } from './payment-replies.js';
import { DECIDED_NOT_CHARGED } from './end-states.js';
import { RefundView } from './payment.dto.js';
import type { Refund } from './payment.entity.js';
import type { Outcome } from './provider/provider.js';
import { booksDiffer } from './provider/refund-refusals.js';
import { flagRefund, undoRefund, type SettledRefund } from './refund.store.js';
import { RefundingStep } from './refunding.js';
import { gateClosed } from './restore/restore-gate.js';

/** A refund that a client asked for. */
@RecoverableStep('payments.refund')
export class RefundStep extends RefundingStep {
  override async settle(tx: Transaction, refundId: string, outcome: Outcome, run: StepRun): Promise<StepEnd> {
    // It is the first step of its operation: nothing of an earlier attempt can be at the provider.
    if (outcome.kind === 'not-reached' && run.attempt === 1) {
      await undoRefund(tx, run, refundId);
      return undo(outcome.closed ? gateClosed() : notReached('refunded'));
    }
    return super.settle(tx, refundId, outcome, run);
  }

  protected async finish(tx: Transaction, { refund }: SettledRefund, run: StepRun): Promise<StepEnd> {
    if (refund.status === 'failed') return this.declined(tx, refund, run);
    return reply(201, RefundView.of(refund), { location: refundPath(refund) });
  }

  private async declined(tx: Transaction, refund: Refund, run: StepRun): Promise<StepEnd> {
    const { accountId, id, failureCode } = refund;
    // The client is told of an ordinary refusal and decides; that somebody else moved this money is for a person to look at.
    if (failureCode !== null && booksDiffer(failureCode)) {
      await flagRefund(tx, accountId, id, `the provider's books differ, it declined to refund: ${failureCode}`);
    }
    const problem = new Problem(
      'refund-declined',
      failureCode === DECIDED_NOT_CHARGED
        ? 'It was decided that the refund did not happen.'
        : `The provider declined to refund: ${failureCode}.`,
      {
        members: { refund: RefundView.of(refund) },
      },
    );
    return problemReply(problem, run, refundPath(refund));
  }
}
