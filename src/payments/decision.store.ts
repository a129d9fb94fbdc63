import type { Statement, Transaction } from '../idempotency/index.js';
import { Problem } from '../http/problem.js';
import type { DecidedOutcome, PaymentDecision } from './decision.entity.js';
import { isRefundFlagged } from './review-reasons.js';

/** Writes a decision; also what the command inserts. */
export const INSERT_DECISION: Statement = {
  name: 'decisions-insert',
  text: `INSERT INTO payment_decisions (account_id, id, operation_id, subject_id, outcome, provider_reference, note, actor, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())`,
};

/** Reads a decision, with the values of `decisionKey`. */
export const FIND_DECISION: Statement = {
  name: 'decisions-find',
  text: `SELECT operation_id, subject_id, outcome, provider_reference, note, actor FROM payment_decisions WHERE account_id = $1 AND id = $2`,
};

const SETTLE: Statement = {
  name: 'decisions-settle',
  text: `UPDATE payment_decisions SET settled_at = statement_timestamp() WHERE account_id = $1 AND id = $2`,
};

const REMOVE: Statement = {
  name: 'decisions-remove',
  text: `DELETE FROM payment_decisions WHERE account_id = $1 AND id = $2`,
};

/** Of a payment or refund without an outcome. */
const FIND_FLAG: Statement = {
  name: 'decisions-find-flag',
  text: `SELECT review_reason, NULL::uuid AS refund_id FROM payments WHERE account_id = $1 AND id = $2 AND status = 'processing'
         UNION ALL
         SELECT p.review_reason, r.id FROM refunds r JOIN payments p ON p.account_id = r.account_id AND p.id = r.payment_id
          WHERE r.account_id = $1 AND r.id = $2 AND r.status = 'processing'`,
};

/** A decision as it waits to be carried out. */
export type OpenDecision = Omit<PaymentDecision, 'createdAt' | 'settledAt'>;

/** A row of FIND_DECISION. */
export interface DecisionRow extends Record<string, unknown> {
  operation_id: string;
  subject_id: string;
  outcome: DecidedOutcome;
  provider_reference: string | null;
  note: string;
  actor: string;
}

/** The values of INSERT_DECISION. */
export function decisionValues(decision: OpenDecision): unknown[] {
  const { accountId, id, operationId, subjectId, outcome, providerReference, note, actor } = decision;
  return [accountId, id, operationId, subjectId, outcome, providerReference, note, actor];
}

/** Queues the row of a decision. */
export function insertDecision(tx: Transaction, decision: OpenDecision): void {
  tx.write(INSERT_DECISION, decisionValues(decision));
}

/** Queues that a decision was carried out. @throws Problem `not-under-review` at COMMIT, where another one was */
export function settleDecision(tx: Transaction, accountId: string, id: string): void {
  tx.write(SETTLE, [accountId, id], { payment_decisions_settled_idx: () => notUnderReview() });
}

/** Queues that a decision never was. */
export function removeDecision(tx: Transaction, accountId: string, id: string): void {
  tx.write(REMOVE, [accountId, id]);
}

/** Whether a person must look at a payment or refund that has no outcome. */
export async function isFlagged(tx: Transaction, accountId: string, subjectId: string): Promise<boolean> {
  const [row] = await tx.run<{ review_reason: string | null; refund_id: string | null }>(FIND_FLAG, [accountId, subjectId]);
  if (!row) return false;
  return row.refund_id === null ? row.review_reason !== null : isRefundFlagged(row.review_reason, row.refund_id);
}

/** There is nothing for a person to decide. */
export function notUnderReview(detail = 'Nothing of this operation is flagged for review.'): Problem {
  return new Problem('not-under-review', detail);
}
