import { Inject } from '@nestjs/common';
import { park, type Statement, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import type { DecidableStep, Verdict } from './decidable-step.js';
import { DECIDED_NOT_CHARGED } from './end-states.js';
import type { Refund } from './payment.entity.js';
import { ask, referenceOf } from './provider/ask.js';
import { GuardedProvider } from './provider/guarded-provider.js';
import { PROVIDER, type Found, type Outcome, type RefundRequest } from './provider/provider.js';
import { CLOSED, RestoreGate, gateIsOpen } from './restore/restore-gate.js';
import { flagRefund, lookAtBooks, nameRefund, settleRefund, type SettledRefund } from './refund.store.js';

const FIND_FACTS: Statement = {
  name: 'refunds-find-facts',
  text: `SELECT r.amount, r.currency, p.provider_reference AS charge_id, r.provider_reference AS known, ${gateIsOpen('$3')} AS is_open
           FROM refunds r JOIN payments p ON p.account_id = r.account_id AND p.id = r.payment_id
          WHERE r.account_id = $1 AND r.id = $2`,
};

interface RefundFacts {
  amount: string;
  currency: string;
  charge_id: string | null;
  known: string | null;
  is_open: boolean;
}

/** A step that gives money back, with its refund as the subject. What a final outcome means is up to what the operation is for. */
export abstract class RefundingStep implements DecidableStep {
  constructor(
    @Inject(PROVIDER) private readonly provider: GuardedProvider,
    private readonly gate: RestoreGate,
  ) {}

  async call(refundId: string, run: StepRun): Promise<Outcome> {
    const { request, known, isOpen } = await this.facts(refundId, run);
    if (!isOpen) return CLOSED;
    // It was decided that the payment's charge happened, and nobody knows its name.
    if (!request) return { kind: 'declined', code: 'charge_not_found' };
    return ask(run, this.provider.keyWindowMs, {
      known: known !== null,
      send: (share) => this.provider.refund(request, run.providerKey, share),
      find: () => this.provider.findRefund(request, known),
    });
  }

  /** An unknown outcome parks; a final one is written down, and then comes `finish`. */
  async settle(tx: Transaction, refundId: string, outcome: Outcome, run: StepRun): Promise<StepEnd> {
    if (outcome.kind !== 'succeeded' && outcome.kind !== 'declined') {
      // Once it is written down, the refund is read by it and never sent again.
      if (outcome.kind === 'pending') nameRefund(tx, run.accountId, refundId, outcome.providerReference);
      if (outcome.review) await flagRefund(tx, run.accountId, refundId, outcome.review);
      return park(outcome.reason, outcome.againMs);
    }
    return this.finish(tx, await settleRefund(tx, run.accountId, refundId, outcome), run);
  }

  async lookUp(refundId: string, run: StepRun): Promise<Found> {
    const { request, known } = await this.facts(refundId, run);
    return request && this.provider.findRefund(request, known);
  }

  async decide(tx: Transaction, refundId: string, { happened, providerReference }: Verdict, run: StepRun): Promise<StepEnd> {
    const end = happened
      ? ({ kind: 'succeeded', providerReference, mayChange: true } as const)
      : ({ kind: 'declined', code: DECIDED_NOT_CHARGED } as const);
    const settled = await settleRefund(tx, run.accountId, refundId, end);
    if (!happened) await lookAtBooks(tx, settled.payment);
    return this.finish(tx, settled, run);
  }

  private async facts(refundId: string, run: StepRun): Promise<{ request: RefundRequest | null; known: string | null; isOpen: boolean }> {
    const [facts] = await run.read<RefundFacts>(FIND_FACTS, [run.accountId, refundId, this.gate.anyTimeline]);
    if (!facts) throw new Error('a refund step without its refund');
    const { charge_id: chargeId, currency, known, is_open: isOpen } = facts;
    if (chargeId === null) return { request: null, known, isOpen };
    const account = publicId('acct', run.accountId);
    return {
      request: { account, reference: referenceOf(run.providerKey), chargeId, amount: Number(facts.amount), currency },
      known,
      isOpen,
    };
  }

  /** What the operation comes to, in the transaction that settled the refund as succeeded or failed. */
  protected abstract finish(tx: Transaction, settled: SettledRefund, run: StepRun): StepEnd | Promise<StepEnd>;
}

/** For a refund that nobody asked for by itself, so nobody looks at what became of it: money that should have gone back is still here. */
export async function flagIfDeclined(tx: Transaction, { accountId, id, status, failureCode }: Refund): Promise<void> {
  if (status === 'failed') await flagRefund(tx, accountId, id, `the provider declined to refund: ${failureCode}`);
}
