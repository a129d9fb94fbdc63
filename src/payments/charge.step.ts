import { Inject } from '@nestjs/common';
import { RecoverableStep, park, undo, type Statement, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import type { DecidableStep, Verdict } from './decidable-step.js';
import { notReached } from './payment-replies.js';
import { PaymentEnds } from './payment-ends.js';
import { noteCharge } from './payment.store.js';
import { takeBackPayment } from './take-back.store.js';
import { DOUBTFUL_ATTEMPT, ask } from './provider/ask.js';
import { GuardedProvider } from './provider/guarded-provider.js';
import {
  PROVIDER,
  type ChargeRequest,
  type Found,
  type NewCharge,
  type NotReached,
  type Outcome,
  type Pending,
  type Unknown,
} from './provider/provider.js';
import { CLOSED, RestoreGate, gateClosed, gateIsOpen } from './restore/restore-gate.js';

const FIND_FACTS: Statement = {
  name: 'payments-find-facts',
  text: `SELECT order_id, amount, currency, source, reference, provider_reference,
                extract(epoch FROM deadline - clock_timestamp())::float8 * 1000 AS left_ms, ${gateIsOpen('$3')} AS is_open
           FROM payments WHERE account_id = $1 AND id = $2`,
};

interface PaymentFacts {
  order_id: string;
  amount: string;
  currency: string;
  source: string;
  reference: string;
  provider_reference: string | null;
  /** Until the deadline, by the database's clock; null without one. */
  left_ms: number | null;
  is_open: boolean;
}

/** No earlier attempt can have sent anything. */
const isFirst = ({ attempt, stepNo }: StepRun): boolean => attempt === 1 && stepNo === 1;

/** Charges a payment at the provider and writes down what became of it. */
@RecoverableStep('payments.charge')
export class ChargeStep implements DecidableStep {
  constructor(
    @Inject(PROVIDER) private readonly provider: GuardedProvider,
    private readonly ends: PaymentEnds,
    private readonly gate: RestoreGate,
  ) {}

  async call(paymentId: string, run: StepRun): Promise<Outcome> {
    const { request, known, leftMs, isOpen } = await this.facts(paymentId, run);
    if (!isOpen) return CLOSED;
    if (known === null && leftMs <= 0) return this.unlessSent(request, run);
    return ask(run, this.provider.keyWindowMs, {
      known: known !== null,
      send: (share) => this.provider.charge(request, run.providerKey, share, leftMs),
      find: () => this.provider.findCharge(request, known),
    });
  }

  async settle(tx: Transaction, paymentId: string, outcome: Outcome, run: StepRun): Promise<StepEnd> {
    switch (outcome.kind) {
      case 'succeeded':
        return this.ends.end(tx, paymentId, 'succeeded', outcome, run);
      case 'declined':
        return this.ends.end(
          tx,
          paymentId,
          'declined',
          { failureCode: outcome.code, detail: `The provider declined: ${outcome.code}.` },
          run,
        );
      case 'not-reached':
        if (outcome.late === 'not-found' || (outcome.late && isFirst(run))) return this.neverSent(tx, paymentId, run);
        // Only now is it certain that nothing is at the provider: no earlier attempt, no lost answer.
        if (isFirst(run)) return this.takeBack(tx, paymentId, outcome, run);
        return this.wait(tx, paymentId, outcome, run);
      case 'pending':
      case 'unknown':
        return this.wait(tx, paymentId, outcome, run);
    }
  }

  async lookUp(paymentId: string, run: StepRun): Promise<Found> {
    const { request, known } = await this.facts(paymentId, run);
    return this.provider.findCharge(request, known);
  }

  decide(tx: Transaction, paymentId: string, { happened, providerReference }: Verdict, run: StepRun): Promise<StepEnd> {
    if (happened) return this.ends.end(tx, paymentId, 'decided-happened', { providerReference }, run);
    return this.ends.end(tx, paymentId, 'decided-did-not-happen', { detail: 'It was decided that the charge did not happen.' }, run);
  }

  /**
   * After the deadline nothing is sent for the first time. Where an earlier attempt may have sent it, the provider is asked;
   * while it can't tell, nothing is concluded.
   */
  private async unlessSent(request: ChargeRequest, run: StepRun): Promise<Outcome> {
    const late = { kind: 'not-reached', reason: 'its deadline has passed' } as const;
    if (isFirst(run)) return { ...late, late: 'not-begun' };
    try {
      return (await this.provider.findCharge(request, null)) ?? { ...late, late: 'not-found' };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return {
        kind: 'unknown',
        reason,
        ...(run.attempt >= DOUBTFUL_ATTEMPT && { review: `no answer after ${run.attempt} attempts: ${reason}` }),
      };
    }
  }

  private neverSent(tx: Transaction, paymentId: string, run: StepRun): Promise<StepEnd> {
    return this.ends.end(tx, paymentId, 'deadline-passed', { detail: 'The deadline of the payment has passed; nothing was charged.' }, run);
  }

  private async facts(
    paymentId: string,
    run: StepRun,
  ): Promise<{ request: NewCharge; known: string | null; leftMs: number; isOpen: boolean }> {
    const [facts] = await run.read<PaymentFacts>(FIND_FACTS, [run.accountId, paymentId, this.gate.anyTimeline]);
    if (!facts) throw new Error('a charge step without its payment');
    const { reference, currency, source, provider_reference: known } = facts;
    const origin = { order: publicId('ord', facts.order_id), payment: publicId('pay', paymentId), operation: run.operationId };
    const request = { account: publicId('acct', run.accountId), reference, amount: Number(facts.amount), currency, source, origin };
    return { request, known, leftMs: facts.left_ms ?? Infinity, isOpen: facts.is_open };
  }

  private wait(tx: Transaction, id: string, outcome: Pending | Unknown | NotReached, { accountId }: StepRun): StepEnd {
    const { reason, review: reviewReason, againMs } = outcome;
    // Once it is written down, the charge is read by it and never sent again.
    const providerReference = outcome.kind === 'pending' ? outcome.providerReference : undefined;
    if (reviewReason || providerReference) noteCharge(tx, { accountId, id }, { reviewReason, providerReference });
    return park(reason, againMs);
  }

  private async takeBack(tx: Transaction, paymentId: string, { closed }: NotReached, run: StepRun): Promise<StepEnd> {
    await takeBackPayment(tx, run, paymentId);
    return undo(closed ? gateClosed() : notReached('charged'));
  }
}
