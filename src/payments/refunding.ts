import { Inject } from '@nestjs/common';
import { park, type Step, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import type { Refund } from './payment.entity.js';
import { ask, referenceOf, type DoubtfulOutcome } from './provider/ask.js';
import { GuardedProvider } from './provider/guarded-provider.js';
import { PROVIDER } from './provider/provider.js';
import { flagRefund, settleRefund, type SettledRefund } from './refund.store.js';

interface RefundFacts {
  amount: string;
  currency: string;
  charge_id: string;
}

/** A step that gives money back, with its refund as the subject. What a final outcome means is up to what the operation is for. */
export abstract class RefundingStep implements Step<DoubtfulOutcome> {
  constructor(@Inject(PROVIDER) private readonly provider: GuardedProvider) {}

  async call(refundId: string, run: StepRun): Promise<DoubtfulOutcome> {
    const [facts] = await run.read<RefundFacts>(
      `SELECT r.amount, r.currency, p.provider_reference AS charge_id
         FROM refunds r JOIN payments p ON p.account_id = r.account_id AND p.id = r.payment_id
        WHERE r.account_id = $1 AND r.id = $2`,
      [run.accountId, refundId],
    );
    if (!facts) throw new Error('a refund step without its refund');
    const { charge_id: chargeId, currency } = facts;
    const reference = referenceOf(run.providerKey);
    return ask(run, this.provider.keyWindowMs, {
      send: (share) => this.provider.refund({ reference, chargeId, amount: Number(facts.amount), currency }, run.providerKey, share),
      find: () => this.provider.findRefund(reference, chargeId),
    });
  }

  /** An unknown outcome parks; a final one is written down, and then comes `finish`. */
  async settle(tx: Transaction, refundId: string, outcome: DoubtfulOutcome, run: StepRun): Promise<StepEnd> {
    if (outcome.kind === 'unknown' || outcome.kind === 'not-reached') {
      if (outcome.review) await flagRefund(tx, run.accountId, refundId, outcome.review);
      return park(outcome.reason);
    }
    return this.finish(tx, await settleRefund(tx, run.accountId, refundId, outcome), run);
  }

  /** What the operation comes to, in the transaction that settled the refund as succeeded or failed. */
  protected abstract finish(tx: Transaction, settled: SettledRefund, run: StepRun): StepEnd | Promise<StepEnd>;
}

/** For a refund that nobody asked for by itself, so nobody looks at what became of it: money that should have gone back is still here. */
export async function flagIfDeclined(tx: Transaction, { accountId, id, status, failureCode }: Refund): Promise<void> {
  if (status === 'failed') await flagRefund(tx, accountId, id, `the provider declined to refund: ${failureCode}`);
}
