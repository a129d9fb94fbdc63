import { hash } from 'node:crypto';
import type { DataSource } from 'typeorm';
import type { RunningStep } from '../channels.js';
import type { NoticedOperation } from '../observations.js';
import { publicOperationId } from '../operation-id.js';
import { queryAs } from '../postgres/account-scope.js';
import type { Intent } from '../records/record.store.js';
import type { StoredResponse } from '../reply.js';
import type { StepRun } from '../step.js';

/** An unfinished operation in the hands of this process, as the record has it. */
export interface HeldOperation {
  accountId: string;
  key: string;
  /** uuid */
  operationId: string;
  operation: string;
  step: string;
  stepNo: number;
  subjectId: string;
  /** The fencing token: whoever takes the operation over makes it larger. */
  attempt: number;
  traceId: string | null;
  traceparent: string | null;
  windowMs: number;
  ageMs: number;
  /** When its request came, on the monotonic clock of this process. */
  bornAt: number;
  /** Whether it was parked before in this step. */
  wasParked: boolean;
  pending: StoredResponse;
}

/** What a request has in hand whose handler named the first step. */
export function firstHeld(intent: Intent, first: Pick<HeldOperation, 'step' | 'subjectId' | 'pending'>): HeldOperation {
  const { accountId, key, operationId, operation, traceId, traceparent, windowMs } = intent;
  const { step, subjectId, pending } = first;
  const begun = { accountId, key, operationId, operation, traceId, traceparent, windowMs, bornAt: performance.now(), wasParked: false };
  return { ...begun, step, stepNo: 1, subjectId, attempt: 1, ageMs: 0, pending };
}

const AS_STORED = `account_id, key, operation_id, operation, recovery_point, step_no, subject_id, attempt, trace_id, traceparent, window_ms,
  response_status, response_headers`;

/** What a HeldRow is made of, and may be returned by an UPDATE of a distributed table: nothing of it is computed. */
export const HELD_COLUMNS = `${AS_STORED}, created_at, parked_reason, response_body`;

/** A HeldRow, of these columns. */
export const HELD_ROW = `${AS_STORED}, (extract(epoch FROM clock_timestamp() - created_at) * 1000)::float8 AS age_ms,
  parked_reason IS NOT NULL AS was_parked, convert_from(response_body, 'UTF8') AS response_body`;

/** What `takeOver` and `takeDue` return. */
export interface HeldRow {
  account_id: string;
  key: string;
  operation_id: string;
  operation: string;
  recovery_point: string;
  step_no: number;
  subject_id: string;
  attempt: number;
  trace_id: string | null;
  traceparent: string | null;
  window_ms: string;
  age_ms: number;
  was_parked: boolean;
  response_status: number;
  response_headers: Record<string, string>;
  response_body: string;
}

export function heldOf(row: HeldRow): HeldOperation {
  return {
    accountId: row.account_id,
    key: row.key,
    operationId: row.operation_id,
    operation: row.operation,
    step: row.recovery_point,
    stepNo: row.step_no,
    subjectId: row.subject_id,
    attempt: row.attempt,
    traceId: row.trace_id,
    traceparent: row.traceparent,
    windowMs: Number(row.window_ms),
    ageMs: row.age_ms,
    bornAt: performance.now() - row.age_ms,
    wasParked: row.was_parked,
    pending: { status: row.response_status, headers: row.response_headers, body: row.response_body },
  };
}

/**
 * What a step sends to the outside as its idempotency key. It derives from the client's key and the step alone, never
 * from anything made here, so that it is the same after a restore of the database, and doesn't give the client's key away.
 */
export function providerKeyOf(held: Pick<HeldOperation, 'accountId' | 'key' | 'step' | 'stepNo'>): string {
  return hash('sha256', `${held.accountId}\0${held.key}\0${held.step}\0${held.stepNo}`, 'hex');
}

/** No client can send a key with a space in it. */
const OWN = 'own ';

/** The key of what the application starts by itself, under a name. */
export function ownKey(name: string): string {
  return OWN + name;
}

/** The key that a client sent; null where the application started the operation by itself. */
export function clientKeyOf(key: string): string | null {
  return key.startsWith(OWN) ? null : key;
}

/** What is told of it to the application. */
export function noticeOf({ accountId, operationId, key, step, attempt }: HeldOperation): NoticedOperation {
  return { accountId, operationId, key: clientKeyOf(key), step, attempt };
}

/** What others are told of a run. */
export function runningStep({ step, stepNo, attempt, accountId, operationId, key, traceparent }: HeldOperation): RunningStep {
  return { step, stepNo, attempt, accountId, operationId: publicOperationId(operationId), idempotencyKey: clientKeyOf(key), traceparent };
}

/** What a step is told of its run. */
export function runOf(dataSource: DataSource, held: HeldOperation): StepRun {
  return {
    accountId: held.accountId,
    operationId: publicOperationId(held.operationId),
    traceId: held.traceId,
    providerKey: providerKeyOf(held),
    attempt: held.attempt,
    stepNo: held.stepNo,
    ageMs: held.ageMs,
    read: (statement, values) =>
      queryAs(dataSource, held.accountId, { ...(typeof statement === 'string' ? { text: statement } : statement), values }),
  };
}
