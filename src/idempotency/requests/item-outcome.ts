import { publicOperationId } from '../operation-id.js';
import type { RequestOutcome } from '../observations.js';
import type { Intent } from '../records/record.store.js';
import { IdempotencyRefusal } from '../refusal.js';
import type { ItemOutcome } from '../transaction.js';
import { endOf } from './attempt-end.js';
import type { ClaimResult } from './claim-check.js';
import { tellTime } from './late-requests.js';

/** What became of an item whose batch has committed, as of a request of its own. */
export interface ToldItem {
  intent: Intent;
  outcome: RequestOutcome['outcome'];
  /** uuid of the operation that its answer is from; undefined where it has none. */
  operationId: string | undefined;
  /** Of a replay: when the key's first request came, on the monotonic clock of this process. */
  bornAt: number | undefined;
}

/** What a key that is not free makes of its item. @throws IdempotencyRefusal `idempotency-request-in-progress`: the batch has to wait */
export function outcomeOf(intent: Intent, found: ClaimResult): ItemOutcome {
  let end: ReturnType<typeof endOf>;
  try {
    end = endOf(found);
  } catch (error) {
    if (!(error instanceof IdempotencyRefusal)) throw error;
    return refused(intent, error);
  }
  if (end.kind === 'completed') return { kind: 'answered', response: end.record.response };
  throw new IdempotencyRefusal('idempotency-request-in-progress', { operationId: end.operationId && publicOperationId(end.operationId) });
}

/** Its key is no key for this item. */
export function refused({ key }: Intent, error: IdempotencyRefusal): ItemOutcome {
  return { kind: 'refused', error: tellTime(error, key) };
}

/** Whether it fails an atomic batch. */
export function hasFailed(outcome: ItemOutcome): boolean {
  return outcome.kind !== 'answered' || outcome.response.status >= 400;
}

/** What the batch's story says of it. */
export function wordsOn(outcome: ItemOutcome): string {
  if (outcome.kind === 'rolled-back') return 'rolled back';
  if (outcome.kind === 'refused') return `${outcome.error.getStatus()} ${outcome.error.code}`;
  const { status, headers } = outcome.response;
  return `${status} ${headers['operation-id'] ?? ''}`.trimEnd();
}
