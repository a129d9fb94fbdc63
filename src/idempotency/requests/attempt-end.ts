import { publicOperationId } from '../operation-id.js';
import type { Completed } from '../records/record.store.js';
import { IdempotencyRefusal } from '../refusal.js';
import type { StoredResponse } from '../reply.js';
import type { ClaimResult } from './claim-check.js';
import type { ToldItem } from './item-outcome.js';

/**
 * How an attempt ended. `in-progress`: somebody else is at it. `pending`: its steps have no outcome yet; `resumableInMs`: when
 * they may be called again, where that is known. Operation ids are uuids. `isDuplicate`: what was stored is that it may be a
 * duplicate; `items`: what became of those that were executed with it.
 */
export type AttemptEnd =
  | { kind: 'completed'; record: Completed; replayed: boolean; isDuplicate?: boolean; items?: readonly ToldItem[] }
  | { kind: 'pending'; operationId: string; response: StoredResponse; traceparent: string | null; resumableInMs?: number | undefined }
  | { kind: 'in-progress'; operationId: string | undefined };

/** Nobody holds the operation: it is to be taken over. */
export interface Interrupted {
  kind: 'interrupted';
  operationId: string;
}

/**
 * What a key that is not free means to the client. `mine`: the uuid of the operation that this attempt would make, which it
 * may have made without hearing of it. @throws IdempotencyRefusal reused, sealed, expired
 */
export function endOf(found: ClaimResult, mine?: string): AttemptEnd | Interrupted {
  switch (found.kind) {
    case 'completed':
      return { kind: 'completed', record: found.record, replayed: found.record.operationId !== mine };
    case 'running':
      if (found.interrupted && found.operationId) return { kind: 'interrupted', operationId: found.operationId };
      return { kind: 'in-progress', operationId: found.operationId ?? undefined };
    case 'parked':
      return { ...found, kind: 'pending' };
    case 'reused':
      throw new IdempotencyRefusal('idempotency-key-reused', { operationId: publicOperationId(found.operationId) });
    case 'sealed':
      throw new IdempotencyRefusal('idempotency-key-sealed', { operationId: publicOperationId(found.operationId) });
    case 'expired': {
      const { operationId, resource } = found;
      throw new IdempotencyRefusal('idempotency-key-expired', { operationId: operationId && publicOperationId(operationId), resource });
    }
    case 'won':
      throw new Error('a won claim has no stored outcome');
  }
}
