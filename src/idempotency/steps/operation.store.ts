import { enter } from '../postgres/account-scope.js';
import type { OpeningCheck } from '../postgres/opening-check.js';
import type { Call } from '../postgres/statement.js';
import type { Intent } from '../records/record.store.js';
import type { StoredResponse } from '../reply.js';
import type { HeldOperation } from './held-operation.js';
import { pauseOfRecovery } from './retry-schedule.js';

/** Times of the recovery, in milliseconds. */
export interface Leases {
  /** How long nobody may take over from whoever holds an operation. */
  leaseMs: number;
  /** How long nobody calls a parked operation again; the recoverer's pause doubles from there, to 20 times of it. */
  recoveryIntervalMs: number;
}

// Times of UPDATEs are those of the statement, or parameters: what is volatile, or takes a stable function of a row's columns, can't be
// asked of a distributed table. Each statement of a packet has a time of its own (PostgreSQL manual, section 9.9.5).

/** Zero rows: somebody else holds the operation now, or it is finished. */
const FENCE = `account_id = $1 AND key = $2 AND operation_id = $3 AND attempt = $4 AND step_no = $5 AND status = 'running'`;

const INSERT_RUNNING = {
  name: 'idempotency-insert-running',
  text: `INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, recovery_point, step_no, subject_id,
                                          attempt, lease_until, next_run_at, response_status, response_headers, response_body, resource,
                                          trace_id, traceparent, window_ms, duplicate_until, created_at)
         SELECT $1, $2, $3, $4, decode($5, 'hex'), 'running', $6, 1, $7, 1, t.lease, t.lease, $8, $9, convert_to($10, 'UTF8'), $11, $12, $13, $14,
                now() + $15::bigint * interval '1 millisecond', now()
           FROM (SELECT clock_timestamp() + make_interval(secs => $16) AS lease) t`,
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
                lease_until = statement_timestamp() + make_interval(secs => $8), next_run_at = statement_timestamp() + make_interval(secs => $8)
          WHERE ${FENCE}`,
};

const COMPLETE = {
  name: 'idempotency-complete',
  text: `UPDATE idempotency_records
            SET status = 'completed', response_status = $6, response_headers = $7, response_body = convert_to($8, 'UTF8'), resource = coalesce($9, resource),
                completed_at = statement_timestamp(), expires_at = statement_timestamp() + $10::bigint * interval '1 millisecond',
                lease_until = NULL, next_run_at = NULL, parked_reason = NULL
          WHERE ${FENCE} RETURNING expires_at`,
};

/**
 * The lease is given back. A client's retry may take over after one interval, so that however often it comes, the outside is
 * asked once in that time; the recoverer waits by its schedule.
 */
const PARK = {
  name: 'idempotency-park',
  text: `UPDATE idempotency_records
            SET lease_until = NULL, parked_reason = $6, resumable_at = statement_timestamp() + make_interval(secs => $7),
                next_run_at = statement_timestamp() + make_interval(secs => $8)
          WHERE ${FENCE}`,
};

/** A function of the owner's, because this role deletes no timeline: the record and its timeline, where the fence is the caller's. */
const TAKE_BACK = { name: 'idempotency-take-back', text: 'SELECT idempotency_take_back($1, $2, $3, $4, $5)' };

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
      intent.traceparent,
      intent.windowMs,
      intent.duplicateWindowMs ?? null,
      leases.leaseMs / 1000,
    ],
  };
}

/** The check of a settling transaction: only the present holder passes. */
export function fenceCheck(held: HeldOperation): OpeningCheck<'held' | 'lost'> {
  return {
    locks: true,
    calls: () => [enter(held.accountId), { ...HOLD, values: fence(held) }],
    evaluate: ([, hold]) => {
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
    values: [...fence(held), response.status, JSON.stringify(response.headers), response.body, resource ?? null, held.windowMs],
  };
}

export function parkHeld(held: HeldOperation, { reason, againMs }: { reason: string; againMs: number | undefined }, leases: Leases): Call {
  const { recoveryIntervalMs: intervalMs } = leases;
  const pauseMs = pauseOfRecovery(held.attempt, intervalMs, againMs);
  return { ...PARK, values: [...fence(held), reason.slice(0, 500), intervalMs / 1000, pauseMs / 1000] };
}

/** Takes an operation back, so that it never was. */
export function takeBack(held: HeldOperation): Call {
  return { ...TAKE_BACK, values: fence(held) };
}

function fence(held: HeldOperation): unknown[] {
  return [held.accountId, held.key, held.operationId, held.attempt, held.stepNo];
}
