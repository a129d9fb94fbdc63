import type { EntityManager } from 'typeorm';
import type { Statement, Transaction } from '../idempotency/index.js';
import { newId } from '../kernel/ids.js';
import { traceparent } from '../kernel/tracing.js';
import type { EVENT_TYPES } from './event-types.js';

/** Type of an event: what it is about, and what became of that. */
export type EventType = (typeof EVENT_TYPES)[number];

/** A resource as the API shows it, at a version. */
export interface VersionedView {
  id: string;
  version: number;
}

const APPEND: Statement = {
  name: 'events-append',
  text: `INSERT INTO events (account_id, id, transaction_id, type, created_at, operation_id, idempotency_key, traceparent,
                             resource_type, resource_id, resource_version, data)
         VALUES ($1, $2, pg_current_xact_id()::text::bigint, $3, now(), $4, $5, $6, $7, $8, $9, $10)`,
};

/** Queues an event, in the transaction that makes it true; `view`: the resource as GET will show it. Costs no packet of its own. */
export function appendEvent(tx: Transaction, accountId: string, type: EventType, view: VersionedView): void {
  const { operationUuid: operationId, idempotencyKey, traceparent: own } = tx;
  tx.write(APPEND, valuesOf({ accountId, operationId, idempotencyKey, traceparent: own }, type, view));
}

/** Writes an event in a transaction that belongs to no operation. @throws the database's error */
export async function appendOwnEvent(manager: EntityManager, accountId: string, type: EventType, view: VersionedView): Promise<void> {
  await manager.query(
    APPEND.text,
    valuesOf({ accountId, operationId: null, idempotencyKey: null, traceparent: traceparent() }, type, view),
  );
}

/** Whose an event is, and which request made it true. */
interface Origin {
  accountId: string;
  operationId: string | null;
  idempotencyKey: string | null;
  traceparent: string | null;
}

function valuesOf({ accountId, operationId, idempotencyKey, traceparent: own }: Origin, type: EventType, view: VersionedView): unknown[] {
  const resource = type.slice(0, type.indexOf('.'));
  return [accountId, newId(), type, operationId, idempotencyKey, own, resource, view.id, view.version, JSON.stringify(view)];
}
