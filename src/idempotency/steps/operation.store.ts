import { hash } from 'node:crypto';
import type { OpeningCheck } from '../postgres/opening-check.js';
import type { Call } from '../postgres/statement.js';
import type { Intent } from '../records/record.store.js';
import type { StoredResponse } from '../reply.js';

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
  windowMs: number;
  ageMs: number;
  pending: StoredResponse;
}

/** Times of the recovery, in milliseconds. */
export interface Leases {
  /** How long nobody may take over from whoever holds an operation. */
  leaseMs: number;
  /** First pause before a parked operation is called again; doubles, to 20 times of it. */
  intervalMs: number;
}

const HELD_COLUMNS = `account_id, key, operation_id, operation, recovery_point, step_no, subject_id, attempt, trace_id, window_ms,
  (extract(epoch FROM clock_timestamp() - created_at) * 1000)::float8 AS age_ms, response_status, response_headers,
  convert_from(response_body, 'UTF8') AS response_body`;

/** Zero rows: somebody else holds the operation now, or it is finished. */
const FENCE = `account_id = $1 AND key = $2 AND operation_id = $3 AND attempt = $4 AND step_no = $5 AND status = 'running'`;

const INSERT_RUNNING = {
  name: 'idempotency-insert-running',
  text: `INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, recovery_point, step_no, subject_id,
                                          attempt, lease_until, next_run_at, response_status, response_headers, response_body, resource,
                                          trace_id, window_ms, created_at)
         SELECT $1, $2, $3, $4, decode($5, 'hex'), 'running', $6, 1, $7, 1, t.lease, t.lease, $8, $9, convert_to($10, 'UTF8'), $11, $12, $13, now()
           FROM (SELECT clock_timestamp() + make_interval(secs => $14) AS lease) t`,
};

/** Locks the record for the settling transaction: first in the lock order, and nobody takes over meanwhile. */
const HOLD = {
  name: 'idempotency-hold',
  text: `SELECT date_trunc('milliseconds', clock_timestamp()) AS now FROM idempotency_records WHERE ${FENCE} FOR UPDATE`,
};

const ADVANCE = {
  name: 'idempotency-advance',
  text: `UPDATE idempotency_records
            SET recovery_point = $6, step_no = step_no + 1, subject_id = $7, parked_reason = NULL,
                lease_until = clock_timestamp() + make_interval(secs => $8), next_run_at = clock_timestamp() + make_interval(secs => $8)
          WHERE ${FENCE}`,
};

const COMPLETE = {
  name: 'idempotency-complete',
  text: `UPDATE idempotency_records
            SET status = 'completed', response_status = $6, response_headers = $7, response_body = convert_to($8, 'UTF8'), resource = coalesce($9, resource),
                completed_at = clock_timestamp(), expires_at = clock_timestamp() + window_ms * interval '1 millisecond',
                lease_until = NULL, next_run_at = NULL, parked_reason = NULL
          WHERE ${FENCE} RETURNING expires_at`,
};

/** The lease is given back, so a client's retry may take over at once; the recoverer waits, longer each time, and not in step with others. */
const PARK = {
  name: 'idempotency-park',
  text: `UPDATE idempotency_records
            SET lease_until = NULL, parked_reason = $6,
                next_run_at = clock_timestamp() + make_interval(secs => $7 * least(power(2, least(attempt, 10) - 1), 20) * (0.75 + random() / 2))
          WHERE ${FENCE}`,
};

const REMOVE = { name: 'idempotency-remove', text: `DELETE FROM idempotency_records WHERE ${FENCE}` };

/** The taking statement itself writes who goes on with the operation: a crash behind it can not lose that line. */
const TIMELINE_OF_TAKEN = `noted AS (
           INSERT INTO idempotency_timeline (account_id, operation_id, at, event, detail)
           SELECT account_id, operation_id, clock_timestamp(), 'resumed', $4 || ', attempt ' || attempt FROM taken)`;

/** Takes one interrupted operation over. Zero rows: it runs, is finished, somebody was faster, or its step is none of $5. */
const TAKE_OVER = {
  name: 'idempotency-take-over',
  text: `WITH taken AS (
           UPDATE idempotency_records
              SET attempt = attempt + 1, lease_until = clock_timestamp() + make_interval(secs => $3),
                  next_run_at = clock_timestamp() + make_interval(secs => $3)
            WHERE account_id = $1 AND operation_id = $2 AND status = 'running'
              AND (lease_until IS NULL OR lease_until <= clock_timestamp()) AND recovery_point = ANY ($5::text[])
           RETURNING ${HELD_COLUMNS}),
         ${TIMELINE_OF_TAKEN}
         SELECT * FROM taken`,
};

/** The same for whatever is due, across accounts; SKIP LOCKED, so that replicas share the work instead of waiting. */
const TAKE_DUE = {
  name: 'idempotency-take-due',
  text: `WITH taken AS (
           UPDATE idempotency_records
              SET attempt = attempt + 1, lease_until = clock_timestamp() + make_interval(secs => $1),
                  next_run_at = clock_timestamp() + make_interval(secs => $1)
            WHERE ctid = ANY (ARRAY (SELECT ctid FROM idempotency_records
                                      WHERE status = 'running' AND next_run_at <= clock_timestamp() AND recovery_point = ANY ($4::text[])
                                      ORDER BY next_run_at LIMIT $2 FOR UPDATE SKIP LOCKED))
           RETURNING ${HELD_COLUMNS}),
         ${TIMELINE_OF_TAKEN.replace('$4', '$3')}
         SELECT * FROM taken`,
};

const UNKNOWN_DUE = {
  name: 'idempotency-unknown-due',
  text: `SELECT DISTINCT recovery_point FROM idempotency_records
          WHERE status = 'running' AND next_run_at <= clock_timestamp() AND recovery_point <> ALL ($1::text[])`,
};

const APPEND_TIMELINE = {
  name: 'idempotency-note',
  text: `INSERT INTO idempotency_timeline (account_id, operation_id, at, event, detail) VALUES ($1, $2, clock_timestamp(), $3, $4)`,
};

const DELETE_TIMELINE = {
  name: 'idempotency-forget-timeline',
  text: `DELETE FROM idempotency_timeline WHERE account_id = $1 AND operation_id = $2`,
};

/** Removes the timeline of an operation that is taken back. */
export function deleteTimeline({ accountId, operationId }: { accountId: string; operationId: string }): Call {
  return { ...DELETE_TIMELINE, values: [accountId, operationId] };
}

/** What can happen to an operation with steps. */
export type TimelineEvent = 'claimed' | 'step-started' | 'provider-answered' | 'parked' | 'settled';

/** Appends to the operation's timeline, in the transaction of what it tells. */
export function appendTimeline(
  { accountId, operationId }: { accountId: string; operationId: string },
  event: TimelineEvent,
  detail: string,
): Call {
  return { ...APPEND_TIMELINE, values: [accountId, operationId, event, detail] };
}

/** Writes the record of an operation that goes on with a step after this transaction. */
export function insertRunning(
  intent: Intent,
  { step, subjectId, pending, resource }: { step: string; subjectId: string; pending: StoredResponse; resource: string | undefined },
  leases: Leases,
): Call {
  return {
    ...INSERT_RUNNING,
    values: [
      intent.accountId,
      intent.key,
      intent.operationId,
      intent.operation,
      intent.fingerprint,
      step,
      subjectId,
      pending.status,
      JSON.stringify(pending.headers),
      pending.body,
      resource ?? null,
      intent.traceId,
      intent.windowMs,
      leases.leaseMs / 1000,
    ],
  };
}

/** The check of a settling transaction: only the present holder passes. */
export function fenceCheck(held: HeldOperation): OpeningCheck<'held' | 'lost'> {
  return {
    calls: () => [{ ...HOLD, values: fence(held) }],
    evaluate: ([hold]) => {
      const row = hold?.rows[0] as { now: Date } | undefined;
      return { won: row !== undefined, now: row?.now ?? new Date(0), found: row ? 'held' : 'lost' };
    },
  };
}

export function advance(held: HeldOperation, step: string, subjectId: string, leases: Leases): Call {
  return { ...ADVANCE, values: [...fence(held), step, subjectId, leases.leaseMs / 1000] };
}

/** The result's only row says when the response expires. */
export function completeHeld(held: HeldOperation, response: StoredResponse, resource: string | undefined): Call {
  return {
    ...COMPLETE,
    values: [...fence(held), response.status, JSON.stringify(response.headers), response.body, resource ?? null],
  };
}

export function parkHeld(held: HeldOperation, reason: string, leases: Leases): Call {
  return { ...PARK, values: [...fence(held), reason.slice(0, 500), leases.intervalMs / 1000] };
}

export function removeHeld(held: HeldOperation): Call {
  return { ...REMOVE, values: fence(held) };
}

/** `by`: who goes on, for the timeline. `steps`: the names that the taker knows. */
export function takeOver(
  operation: { accountId: string; operationId: string },
  by: string,
  steps: readonly string[],
  leases: Leases,
): Call & { values: unknown[] } {
  return { ...TAKE_OVER, values: [operation.accountId, operation.operationId, leases.leaseMs / 1000, by, steps] };
}

/** At most `limit` operations that are due and wait for one of `steps`. */
export function takeDue(limit: number, steps: readonly string[], leases: Leases): Call & { values: unknown[] } {
  return { ...TAKE_DUE, values: [leases.leaseMs / 1000, limit, 'by the recoverer', steps] };
}

/** The steps other than `steps` that operations are due for, each as `recovery_point`. */
export function unknownDue(steps: readonly string[]): Call & { values: unknown[] } {
  return { ...UNKNOWN_DUE, values: [steps] };
}

function fence(held: HeldOperation): unknown[] {
  return [held.accountId, held.key, held.operationId, held.attempt, held.stepNo];
}

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
  window_ms: string;
  age_ms: number;
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
    windowMs: Number(row.window_ms),
    ageMs: row.age_ms,
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
