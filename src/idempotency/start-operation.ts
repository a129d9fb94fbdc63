import { hash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { newOperationId } from './operation-id.js';
import { DAY } from './options.js';
import { appendTimeline } from './records/story.store.js';
import { reply, toResponse } from './reply.js';
import { ownKey, providerKeyOf } from './steps/held-operation.js';
import { insertRunning } from './steps/operation.store.js';
import { stepName, type StepClass } from './step.js';

/** An operation that the application starts by itself, without a request. */
export interface OwnOperation {
  /** uuid */
  accountId: string;
  /** What makes it one and the same thing: as a second one with it, nothing is started. */
  name: string;
  /** What stands in the place of method and route. */
  operation: string;
  step: StepClass;
  /** uuid of what the step is about. */
  subjectId: string;
  /** Path of what the operation makes or changes. */
  resource: string;
  /** How long its record is kept from completion on, in milliseconds. Default: a day. */
  windowMs?: number;
}

/**
 * Starts an operation in a transaction of the caller's; a recoverer takes it at its next look. Returns its uuid and the
 * provider key that its step will have, for what the same transaction writes.
 * @throws the database's error, 23505 where there is one of that name already
 */
export async function startOperation(manager: EntityManager, own: OwnOperation): Promise<{ operationId: string; providerKey: string }> {
  const { accountId, name, operation, step, subjectId, resource, windowMs = DAY } = own;
  const key = ownKey(name);
  const operationId = newOperationId();
  const first = stepName(step);
  const intent = {
    accountId,
    key,
    fingerprint: hash('sha256', key, 'hex'),
    operation,
    operationId,
    windowMs,
    traceId: null,
    traceparent: null,
  };
  const pending = toResponse(reply(202, {}), operationId);
  const calls = [
    appendTimeline(intent, ['claimed', operation], ['step-started', first]),
    insertRunning(intent, { step: first, subjectId, pending, resource }, { leaseMs: 0, recoveryIntervalMs: 0 }),
  ];
  for (const { text, values } of calls) await manager.query(text, values);
  return { operationId, providerKey: providerKeyOf({ accountId, key, step: first, stepNo: 1 }) };
}
