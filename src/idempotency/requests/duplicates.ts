import { publicOperationId } from '../operation-id.js';
import type { OpeningCheck } from '../postgres/opening-check.js';
import type { Statement } from '../postgres/statement.js';
import type { Intent } from '../records/record.store.js';
import { IdempotencyRefusal } from '../refusal.js';
import type { Transaction } from '../transaction.js';
import type { ClaimResult } from './claim-check.js';
import { lockRequest } from './locks.js';

/** A statement of its own behind the lock, because it needs a later snapshot. An unfinished operation's status is that of its 202. */
const FIND_DUPLICATE = {
  name: 'idempotency-find-duplicate',
  text: `SELECT operation_id FROM idempotency_records
          WHERE account_id = $1 AND request_hash = decode($2, 'hex') AND key <> $3
            AND duplicate_until > clock_timestamp() AND response_status BETWEEN 200 AND 299
          ORDER BY created_at, operation_id LIMIT 1`,
};

const ALLOW: Statement = {
  name: 'idempotency-allow-duplicate',
  text: `UPDATE idempotency_records SET duplicate_until = NULL WHERE account_id = $1 AND operation_id = $2 AND duplicate_until IS NOT NULL`,
};

/**
 * The check of a claim, with a look for the same request under another key where the endpoint has a window for that. `lenient`:
 * the client means it; then the request only takes its turn, for others to see it.
 */
export function withDuplicates(check: OpeningCheck<ClaimResult>, intent: Intent, lenient: boolean): OpeningCheck<ClaimResult> {
  if (intent.duplicateWindowMs === undefined) return check;
  const { accountId, key, fingerprint } = intent;
  const lock = lockRequest(accountId, key, fingerprint);
  const look = lenient ? [] : [{ ...FIND_DUPLICATE, values: [accountId, fingerprint, key] }];
  const before = check.calls();
  return {
    calls: () => [...before, lock, ...look],
    evaluate: (results) => {
      const opened = check.evaluate(results);
      const [first] = (results[before.length + 1]?.rows ?? []) as { operation_id: string }[];
      if (!opened.won || !first) return opened;
      return { ...opened, refusal: new IdempotencyRefusal('possible-duplicate', { operationId: publicOperationId(first.operation_id) }) };
    },
  };
}

/**
 * What an operation did was undone, a payment was given back for example: from this transaction's commit on, a request that asks
 * the same under a new key is no possible duplicate of it. `operationUuid`: of the operation that was undone.
 */
export function allowDuplicate(tx: Transaction, accountId: string, operationUuid: string): void {
  tx.write(ALLOW, [accountId, operationUuid]);
}
