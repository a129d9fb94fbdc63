/** The public surface of the core: what another application imports. Everything else in this folder is its own business. */
export { Idempotent, IDEMPOTENT, Tx, type IdempotentOptions } from './idempotent.decorator.js';
export { IdempotencyModule } from './idempotency.module.js';
export { Figures, type UnfinishedFigures } from './figures.js';
export { Operations, type OperationStory, type TimelineLine } from './operations.js';
export type { IdempotencyOptions, RequestOutcome } from './options.js';
export { ArchivedRecord, IdempotencyRecord, IdempotencyReplay, TimelineEntry } from './records/record.entity.js';
export { reply, type Reply, type ReplyOptions, type StoredResponse } from './reply.js';
export { IdempotencyRefusal, RETRY_AFTER, type RefusalCode } from './refusal.js';
export { RecoverableStep, next, park, stepName, undo, type Step, type StepEnd, type StepRun } from './step.js';
export type { Statement } from './postgres/statement.js';
export { SESSION_SETTINGS } from './postgres/session-settings.js';
export { assertNoTransaction } from './postgres/connection-guard.js';
export type { Transaction, Violations } from './transaction.js';
export { RETRY_REASONS } from './requests/retry-reason.js';
export { parseKey } from './requests/key.js';
export { PeriodicTask, type PeriodicTaskOptions } from './periodic-task.js';
export { operationUuid, publicOperationId } from './operation-id.js';
export { isTransient } from './postgres/errors.js';
