/** The public surface of the core: what another application imports. Everything else in this folder is its own business. */
export { Idempotent, IDEMPOTENT, Tx, type IdempotentOptions } from './idempotent.decorator.js';
export { IdempotencyModule } from './idempotency.module.js';
export type { IdempotencyOptions, Outcome } from './options.js';
export { ArchivedRecord, IdempotencyRecord, IdempotencyReplay } from './record.entity.js';
export type { StoredResponse } from './record.store.js';
export { IdempotencyRefusal, type RefusalCode } from './refusal.js';
export { reply, type Reply, type ReplyOptions } from './step.js';
export { Transaction, type Statement, type Violations } from './transaction.js';
export { operationUuid, publicOperationId } from './operation-id.js';
export { isConnectionLost } from './postgres-errors.js';
