import { park, type StepEnd, type StepRun, type Transaction } from '../idempotency/index.js';
import type { Refund } from './payment.entity.js';
import { ask, referenceOf, type DoubtfulOutcome } from './provider/ask.js';
import type { GuardedProvider } from './provider/guarded-provider.js';
import { flagRefund, settleRefund, type SettledRefund } from './refund.store.js';

interface RefundFacts {
  amount: string;
  currency: string;
  charge_id: string;
}

/** What every step that gives money back calls: asks the provider for the refund; repeatable. */
export async function callRefund(provider: GuardedProvider, refundId: string, run: StepRun): Promise<DoubtfulOutcome> {
  const [facts] = await run.read<RefundFacts>(
    `SELECT r.amount, r.currency, p.provider_reference AS charge_id
       FROM refunds r JOIN payments p ON p.account_id = r.account_id AND p.id = r.payment_id
      WHERE r.account_id = $1 AND r.id = $2`,
    [run.accountId, refundId],
  );
  if (!facts) throw new Error('a refund step without its refund');
  const { charge_id: chargeId, currency } = facts;
  const reference = referenceOf(run.providerKey);
  return ask(run, provider.keyWindowMs, {
    send: (share) => provider.refund({ reference, chargeId, amount: Number(facts.amount), currency }, run.providerKey, share),
    find: () => provider.findRefund(reference, chargeId),
  });
}

/** How every such step ends: an unknown outcome parks, a final one is written down, and then comes what the operation is for. */
export async function finishRefund(
  tx: Transaction,
  refundId: string,
  outcome: DoubtfulOutcome,
  run: StepRun,
  finish: (settled: SettledRefund) => StepEnd | Promise<StepEnd>,
): Promise<StepEnd> {
  if (outcome.kind === 'unknown' || outcome.kind === 'not-reached') {
    if (outcome.review) await flagRefund(tx, run.accountId, refundId, outcome.review);
    return park(outcome.reason);
  }
  return finish(await settleRefund(tx, run.accountId, refundId, outcome));
}

/** For a refund that nobody asked for by itself, so nobody looks at what became of it: money that should have gone back is still here. */
export async function flagIfDeclined(tx: Transaction, { accountId, id, status, failureCode }: Refund): Promise<void> {
  if (status === 'failed') await flagRefund(tx, accountId, id, `the provider declined to refund: ${failureCode}`);
}
