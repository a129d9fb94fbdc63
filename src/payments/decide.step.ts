import { Logger } from '@nestjs/common';
import {
  Operations,
  RecoverableStep,
  park,
  publicOperationId,
  reply,
  stepName,
  undo,
  type Step,
  type StepEnd,
  type StepRun,
  type TakenOperation,
  type Transaction,
} from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import { writeAct } from '../kernel/trail.js';
import { OperationView } from '../operations/operation.dto.js';
import { running } from '../operations/operations.api.js';
import { CancelRefundStep } from './cancel-refund.step.js';
import { ChargeStep } from './charge.step.js';
import { CompensateStep } from './compensate.step.js';
import { DeadlineRefundStep } from './deadline-refund.step.js';
import type { DecidableStep } from './decidable-step.js';
import { FIND_DECISION, notUnderReview, removeDecision, settleDecision, type DecisionRow } from './decision.store.js';
import { OPERATIONS_PATH, problemReply } from './payment-replies.js';
import { LateRefundStep } from './late-refund.step.js';
import type { Decided } from './provider/provider.js';
import { RefundStep } from './refund.step.js';

/** What a decision found: the operation in other hands, or taken over, with the provider's word where it has one. */
type Looked = { kind: 'not-taken' } | { kind: 'taken'; taken: TakenOperation; step: DecidableStep; told: Decided | null };

/**
 * Carries a person's decision out. It takes the operation over, so that nobody asks for the same thing meanwhile, and asks the
 * provider once more; what that tells goes before what a person thinks. Only then operation, payment and decision are settled,
 * in one transaction.
 */
@RecoverableStep('payments.decide')
export class DecideStep implements Step<Looked> {
  private readonly log = new Logger('Decisions');
  private readonly steps: ReadonlyMap<string, DecidableStep>;

  constructor(
    private readonly operations: Operations,
    charge: ChargeStep,
    refund: RefundStep,
    compensate: CompensateStep,
    deadlineRefund: DeadlineRefundStep,
    cancelRefund: CancelRefundStep,
    lateRefund: LateRefundStep,
  ) {
    this.steps = new Map(
      [charge, refund, compensate, deadlineRefund, cancelRefund, lateRefund].map((step) => [stepName(step.constructor), step]),
    );
  }

  async call(decisionId: string, run: StepRun): Promise<Looked> {
    const [decision] = await run.read<DecisionRow>(FIND_DECISION, [run.accountId, decisionId]);
    if (!decision) throw withoutDecision();
    const taken = await this.operations.take(run.accountId, decision.operation_id, 'by a decision');
    if (!taken) return { kind: 'not-taken' };
    const step = this.steps.get(taken.step);
    if (!step) throw new Error(`nobody decides the step ${taken.step}`);
    const found = await step.lookUp(taken.subjectId, taken.run).catch((error: unknown) => {
      this.log.warn({ err: error, operationId: taken.run.operationId }, 'the provider could not be asked before a decision');
      return null;
    });
    return { kind: 'taken', taken, step, told: found?.kind === 'succeeded' || found?.kind === 'declined' ? found : null };
  }

  async settle(tx: Transaction, decisionId: string, looked: Looked, run: StepRun): Promise<StepEnd> {
    const [decision] = await tx.run<DecisionRow>(FIND_DECISION, [run.accountId, decisionId]);
    if (!decision) throw withoutDecision();
    if (looked.kind === 'not-taken' || !(await this.carryOut(tx, decision, looked))) return this.notTaken(tx, decisionId, decision, run);
    const path = `${OPERATIONS_PATH}/${publicOperationId(decision.operation_id)}`;
    if (looked.told) return problemReply(notUnderReview('The provider can tell by now, and what it tells counts.'), run, path);
    if (looked.taken.subjectId !== decision.subject_id) return problemReply(notUnderReview(), run, path);
    settleDecision(tx, run.accountId, decisionId);
    const { actor, outcome } = decision;
    const operationId = publicOperationId(decision.operation_id);
    writeAct('review.decided', { actor, accountId: publicId('acct', run.accountId), operationId, outcome });
    const story = await this.operations.find(run.accountId, decision.operation_id, tx);
    if (!story) throw new Error('a decision without its operation');
    return reply(200, OperationView.of(story), { resource: path });
  }

  /** False when the operation is somebody else's by now. */
  private carryOut(tx: Transaction, decision: DecisionRow, { taken, step, told }: Extract<Looked, { kind: 'taken' }>): Promise<boolean> {
    const { outcome, provider_reference: providerReference, actor, note } = decision;
    const { subjectId, run } = taken;
    if (told) {
      const word = { event: 'provider-answered', detail: `${taken.step}, asked before a decision` } as const;
      return this.operations.settleTaken(tx, taken, word, (own) => step.settle(own, subjectId, told, run));
    }
    const word = { event: 'decided', detail: `${outcome}, by ${actor}: ${note}` } as const;
    return this.operations.settleTaken(tx, taken, word, async (own) => {
      // It went on by itself meanwhile, with another refund.
      if (subjectId !== decision.subject_id) return park('a decision was about something that is settled');
      return step.decide(own, subjectId, { happened: outcome === 'happened', providerReference }, run);
    });
  }

  /** The first try gives the key back; later ones, whose client may be gone, come again. */
  private async notTaken(tx: Transaction, decisionId: string, decision: DecisionRow, run: StepRun): Promise<StepEnd> {
    const story = await this.operations.find(run.accountId, decision.operation_id, tx);
    const id = publicOperationId(decision.operation_id);
    if (!story || story.status === 'completed') return problemReply(notUnderReview(), run, `${OPERATIONS_PATH}/${id}`);
    if (run.attempt > 1) return park('the operation is in other hands at this moment');
    removeDecision(tx, run.accountId, decisionId);
    return undo(running(id));
  }
}

function withoutDecision(): Error {
  return new Error('a decide step without its decision');
}
