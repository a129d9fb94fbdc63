import { publicOperationId } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import type { EventRow } from './event.entity.js';

/** What of an event is told. */
export type ToldEvent = Omit<EventRow, 'accountId' | 'transactionId' | 'traceparent'>;

/** An event as the API shows it and webhooks carry it: JSON of it is the same bytes each time. */
export function eventView(event: ToldEvent) {
  return {
    id: publicId('evt', event.id),
    type: event.type,
    createdAt: event.createdAt,
    operationId: event.operationId && publicOperationId(event.operationId),
    idempotencyKey: event.idempotencyKey,
    resource: { type: event.resourceType, id: event.resourceId, version: event.resourceVersion },
    data: event.data,
  };
}
