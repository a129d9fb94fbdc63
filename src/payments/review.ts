import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { CommandFailure } from '../kernel/cli.js';
import { newId } from '../kernel/ids.js';
import { publicOperationId, startOperation } from '../idempotency/index.js';
import { DecideStep } from './decide.step.js';
import { INSERT_DECISION, decisionValues, type OpenDecision } from './decision.store.js';
import { OPERATIONS_PATH } from './payment-replies.js';
import { refundsOf } from './review-reasons.js';

/** Something that a person must look at. */
export interface Flagged {
  accountId: string;
  operationId: string;
  paymentId: string;
  /** Where it is about a refund of the payment. */
  refundId: string | null;
  amount: number;
  currency: string;
  reason: string;
  createdAt: Date;
  /** Whether it has no outcome, so that a decision settles it. */
  open: boolean;
}

const FLAGGED = `
  SELECT account_id, id, operation_id, status, amount::float8, currency, review_reason, created_at
    FROM payments WHERE review_reason IS NOT NULL ORDER BY created_at, id`;
const REFUNDS = `
  SELECT account_id, id, payment_id, operation_id, status, amount::float8, currency, created_at
    FROM refunds WHERE (account_id, payment_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))`;
const FIND_RECORD = `
  SELECT status, response_status, convert_from(response_body, 'UTF8') AS body FROM idempotency_records WHERE account_id = $1 AND operation_id = $2`;

interface Row {
  account_id: string;
  id: string;
  operation_id: string;
  status: string;
  amount: number;
  currency: string;
  created_at: Date;
}

/** How long, and how often, the command looks whether an API has carried the decision out, in milliseconds. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 200;

/** What is flagged in all accounts, the oldest payment first; each of a payment's reasons by itself. */
export async function findFlagged(dataSource: DataSource): Promise<Flagged[]> {
  const payments = await dataSource.query<(Row & { review_reason: string })[]>(FLAGGED);
  const refunds = await dataSource.query<(Row & { payment_id: string })[]>(REFUNDS, [
    payments.map((payment) => payment.account_id),
    payments.map((payment) => payment.id),
  ]);
  return payments.flatMap((payment) => {
    const own = refunds.filter((refund) => refund.account_id === payment.account_id && refund.payment_id === payment.id);
    return refundsOf(payment.review_reason, own).map(({ refund, reason }): Flagged => {
      const { operation_id: operationId, amount, currency, status, created_at: createdAt } = refund ?? payment;
      const [accountId, paymentId, refundId] = [payment.account_id, payment.id, refund?.id ?? null];
      return { accountId, operationId, paymentId, refundId, amount, currency, reason, createdAt, open: status === 'processing' };
    });
  });
}

/**
 * Hands a decision about what is flagged to the API, as an operation of its own, and waits until it is carried out.
 * @throws CommandFailure where there is nothing to decide, or it was not carried out in time
 */
export async function settleFlagged(
  dataSource: DataSource,
  operationId: string,
  decided: Pick<OpenDecision, 'outcome' | 'providerReference' | 'note' | 'actor'>,
): Promise<void> {
  const flagged = (await findFlagged(dataSource)).find((each) => each.operationId === operationId && each.open);
  if (!flagged) throw new CommandFailure('Nothing of this operation is flagged for review and without an outcome.');
  const { accountId } = flagged;
  const decision = { ...decided, accountId, id: newId(), operationId, subjectId: flagged.refundId ?? flagged.paymentId };
  const own = { accountId, name: `decision ${decision.id}`, operation: 'npm run review', step: DecideStep, subjectId: decision.id };
  const resource = `${OPERATIONS_PATH}/${publicOperationId(operationId)}`;
  const started = await dataSource.transaction(async (manager) => {
    await manager.query(INSERT_DECISION.text, decisionValues(decision));
    return startOperation(manager, { ...own, resource });
  });
  await untilCarriedOut(dataSource, accountId, started.operationId);
}

async function untilCarriedOut(dataSource: DataSource, accountId: string, operationId: string): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; performance.now() < deadline; await sleep(PAUSE_MS)) {
    const [record] = await dataSource.query<{ status: string; response_status: number; body: string }[]>(FIND_RECORD, [
      accountId,
      operationId,
    ]);
    if (record?.status !== 'completed') continue;
    if (record.response_status === 200) return;
    throw new CommandFailure((JSON.parse(record.body) as { detail: string }).detail);
  }
  throw new CommandFailure(
    `The decision is written down as ${publicOperationId(operationId)}, and not carried out yet: an API does so once it runs and the operation is in no other hands.`,
  );
}
