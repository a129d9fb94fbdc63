import { Inject } from '@nestjs/common';
import { RecoverableStep, park, undo, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import type { DecidableStep, Verdict } from './decidable-step.js';
import { notReached } from './payment-replies.js';
import { PaymentEnds } from './payment-ends.js';
import { noteCharge, takeBackPayment } from './payment.store.js';
import { ask } from './provider/ask.js';
import { GuardedProvider } from './provider/guarded-provider.js';
import {
  PROVIDER,
  type ChargeRequest,
  type Found,
  type NotReached,
  type Outcome,
  type Pending,
  type Unknown,
} from './provider/provider.js';

interface PaymentFacts {
  amount: string;
  currency: string;
  source: string;
  reference: string;
  provider_reference: string | null;
}

/** Charges a payment at the provider and writes down what became of it. */
@RecoverableStep('payments.charge')
export class ChargeStep implements DecidableStep {
  constructor(
    @Inject(PROVIDER) private readonly provider: GuardedProvider,
    private readonly ends: PaymentEnds,
  ) {}

  async call(paymentId: string, run: StepRun): Promise<Outcome> {
    const { request, known } = await this.facts(paymentId, run);
    return ask(run, this.provider.keyWindowMs, {
      known: known !== null,
      send: (share) => this.provider.charge(request, run.providerKey, share),
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
        // Only now is it certain that nothing is at the provider: no earlier attempt, no lost answer.
        if (run.attempt === 1 && run.stepNo === 1) return this.takeBack(tx, paymentId, run);
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

  private async facts(paymentId: string, run: StepRun): Promise<{ request: ChargeRequest; known: string | null }> {
    const [facts] = await run.read<PaymentFacts>(
      `SELECT amount, currency, source, reference, provider_reference FROM payments WHERE account_id = $1 AND id = $2`,
      [run.accountId, paymentId],
    );
    if (!facts) throw new Error('a charge step without its payment');
    const { reference, currency, source, provider_reference: known } = facts;
    return { request: { account: publicId('acct', run.accountId), reference, amount: Number(facts.amount), currency, source }, known };
  }

  private wait(tx: Transaction, id: string, outcome: Pending | Unknown | NotReached, { accountId }: StepRun): StepEnd {
    const { reason, review: reviewReason, againMs } = outcome;
    // Once it is written down, the charge is read by it and never sent again.
    const providerReference = outcome.kind === 'pending' ? outcome.providerReference : undefined;
    if (reviewReason || providerReference) noteCharge(tx, { accountId, id }, { reviewReason, providerReference });
    return park(reason, againMs);
  }

  private async takeBack(tx: Transaction, paymentId: string, run: StepRun): Promise<StepEnd> {
    await takeBackPayment(tx, run, paymentId);
    return undo(notReached('charged'));
  }
}
