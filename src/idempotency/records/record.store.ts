import type { DataSource } from 'typeorm';
import { ARCHIVED_COLUMNS, ARCHIVE_GONE } from './archive.js';
import type { Call, Result, Statement } from '../postgres/pipeline.js';
import { lockNumber, timeOfKey } from '../requests/key.js';
import type { StoredResponse } from '../response.js';
import type { Gate } from '../transaction.js';

/** One logical request, as the interceptor found it. */
export interface Intent {
  accountId: string;
  key: string;
  /** SHA-256 in hexadecimal digits. */
  fingerprint: string;
  /** Method and route, for example `POST /v1/orders`. */
  operation: string;
  /** uuid; kept if this request turns out to be the first. */
  operationId: string;
  /** How long the response is kept from completion on, in milliseconds. */
  windowMs: number;
  /** What ties the record to the application's logs, for example a request id. */
  traceId: string | null;
}

/** A completed record. */
export interface Completed {
  operationId: string;
  response: StoredResponse;
  expiresAt: Date;
  /** What is left of the window by the database's clock, in milliseconds. */
  remainingMs: number;
}

/** What the claim found. */
export type Verdict =
  | { kind: 'first'; replaces: string | null }
  | { kind: 'completed'; record: Completed }
  /** `interrupted`: nobody holds it, so it may be taken over. Without an operation id nothing of it is committed yet. */
  | { kind: 'running'; operationId: string | null; interrupted: boolean }
  | { kind: 'reused'; operationId: string }
  | { kind: 'expired'; operationId: string | undefined; resource: string | undefined };

/** Rules for a late request. */
export interface LateRequests {
  /** `execute`: forget after the window and run again, as most implementations do. */
  policy: 'refuse' | 'execute';
  /** A UUIDv7 key from before this many milliseconds ago can't be told from a forgotten one. */
  horizonMs: number;
}

interface RecordRow {
  operation_id: string;
  request_hash: string;
  status: 'running' | 'completed';
  response_status: number;
  response_headers: Record<string, string>;
  response_body: string;
  resource: string | null;
  expires_at: Date;
  remaining_ms: number;
  interrupted: boolean;
}

interface ArchiveRow {
  operation_id: string;
  resource: string | null;
}

/** The lock makes a concurrent duplicate fail at once instead of holding a connection; it ends with the transaction. */
export const LOCK = {
  name: 'idempotency-lock',
  text: `SELECT pg_try_advisory_xact_lock($1::bigint) AS locked, date_trunc('milliseconds', clock_timestamp()) AS now`,
};

/** The record of a key, and how long it will be kept. */
export const FIND = {
  name: 'idempotency-find',
  text: `SELECT operation_id, encode(request_hash, 'hex') AS request_hash, status, response_status, response_headers,
                convert_from(response_body, 'UTF8') AS response_body, resource, expires_at,
                (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS remaining_ms,
                status = 'running' AND (lease_until IS NULL OR lease_until <= clock_timestamp()) AS interrupted
           FROM idempotency_records WHERE account_id = $1 AND key = $2`,
};

const FIND_OPERATION = `
  SELECT operation_id, status, response_status, response_headers, convert_from(response_body, 'UTF8') AS response_body, expires_at,
         attempt, step_no, lease_until IS NULL AS parked,
         (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS remaining_ms
    FROM idempotency_records WHERE account_id = $1 AND operation_id = $2`;

/** What is left of a key whose record was purged. */
export const FIND_ARCHIVED = {
  name: 'idempotency-find-archived',
  text: `SELECT operation_id, resource FROM idempotency_archive WHERE account_id = $1 AND key = $2`,
};

const COMPLETED = `
  INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, response_status,
                                   response_headers, response_body, resource, trace_id, window_ms,
                                   created_at, completed_at, expires_at)
  SELECT $1::uuid, $2::text, $3::uuid, $4::text, decode($5, 'hex'), 'completed', $6::int, $7::jsonb, convert_to($8, 'UTF8'), $9::text, $10::text,
         $11::bigint, now(), clock_timestamp(), clock_timestamp() + $11::bigint * interval '1 millisecond'`;

/** A plain INSERT: the primary key is the judge, a violation rolls the work back. */
export const INSERT_COMPLETED = { name: 'idempotency-insert-completed', text: `${COMPLETED} RETURNING expires_at` };

/**
 * The same before the work, in a transaction that leaves in one flight: without the lock it fails before it would wait for
 * the winner's record.
 */
const CLAIM_COMPLETED = {
  name: 'idempotency-claim-completed',
  text: `${COMPLETED} WHERE CASE WHEN pg_try_advisory_xact_lock($12::bigint) THEN true ELSE speculation_failed() END RETURNING expires_at`,
};

/**
 * The rest of the claim. A statement of its own behind the INSERT, because it needs a later snapshot: where a purge has
 * made room for the INSERT, the archive has the key by now.
 */
const CLAIM_UNKNOWN = {
  name: 'idempotency-claim-unknown',
  text: `SELECT WHERE CASE WHEN EXISTS (SELECT FROM idempotency_records WHERE account_id = $1 AND key = $2 AND operation_id <> $3)
                             OR $4::bigint > 0
                                AND (EXISTS (SELECT FROM idempotency_archive WHERE account_id = $1 AND key = $2)
                                     OR to_timestamp($5::float8 / 1000) < clock_timestamp() - $4::bigint * interval '1 millisecond')
                           THEN speculation_failed() END`,
};

/** The other one: takes the place of an expired record, which only LateRequests.policy `execute` allows; the archive has it then. */
const DELETE_EXPIRED = {
  name: 'idempotency-delete-expired',
  text: `
  WITH gone AS (
         DELETE FROM idempotency_records
          WHERE account_id = $1 AND key = $2 AND operation_id = $3 AND status = 'completed' AND expires_at <= clock_timestamp()
         RETURNING ${ARCHIVED_COLUMNS}),
       ${ARCHIVE_GONE}
  SELECT operation_id FROM gone`,
};

/** The name of the constraint that judges races; another INSERT with this key was first. */
export const CLAIM_CONSTRAINT = 'idempotency_records_pkey';

/**
 * The gate of a claim. Three separate statements in this order, because each takes its own snapshot: folded into one, or
 * with the archive first, a winner or a purge that commits in between is missed and the work runs twice.
 */
export function claimGate(intent: Intent, late: LateRequests): Gate<Verdict> {
  const scope = [intent.accountId, intent.key];
  return {
    calls: () => [
      { ...LOCK, values: [lockNumber(intent.accountId, intent.key)] },
      { ...FIND, values: scope },
      { ...FIND_ARCHIVED, values: scope },
    ],
    judge: ([lock, record, archived]: Result[]) => {
      const [taken] = (lock?.rows ?? []) as unknown as { locked: boolean; now: Date }[];
      if (!taken) throw new Error('the lock statement has one row');
      const { locked, now } = taken;
      const verdict = judgeClaim(intent, late, {
        locked,
        now,
        record: record?.rows[0] as unknown as RecordRow | undefined,
        archived: archived?.rows[0] as unknown as ArchiveRow | undefined,
      });
      return { won: verdict.kind === 'first', now, verdict };
    },
  };
}

function judgeClaim(
  intent: Intent,
  late: LateRequests,
  found: { locked: boolean; now: Date; record: RecordRow | undefined; archived: ArchiveRow | undefined },
): Verdict {
  const { record, archived } = found;
  if (record && hasExpired(record) && late.policy === 'execute') {
    return found.locked ? { kind: 'first', replaces: record.operation_id } : busy();
  }
  if (record) return meaningOf(record, intent);
  if (late.policy === 'refuse') {
    if (archived) return { kind: 'expired', operationId: archived.operation_id, resource: archived.resource ?? undefined };
    if (isBefore(intent.key, found.now.getTime() - late.horizonMs)) return { kind: 'expired', operationId: undefined, resource: undefined };
  }
  return found.locked ? { kind: 'first', replaces: null } : busy();
}

/** What a record means to a request, where an expired one isn't executed again. */
function meaningOf(record: RecordRow, { fingerprint }: Intent): Verdict {
  const { operation_id: operationId } = record;
  if (hasExpired(record)) return { kind: 'expired', operationId, resource: record.resource ?? undefined };
  if (record.request_hash !== fingerprint) return { kind: 'reused', operationId };
  if (record.status === 'running') return { kind: 'running', operationId, interrupted: record.interrupted };
  return { kind: 'completed', record: completedOf(record) };
}

function hasExpired({ status, remaining_ms: remaining }: RecordRow): boolean {
  return status === 'completed' && remaining <= 0;
}

/** Somebody holds the lock and has committed nothing: whose request it is can't be known from here. */
function busy(): Verdict {
  return { kind: 'running', operationId: null, interrupted: false };
}

function isBefore(key: string, instant: number): boolean {
  const time = timeOfKey(key);
  return time !== null && time < instant;
}

function completedOf(row: RecordRow): Completed {
  return {
    operationId: row.operation_id,
    response: { status: row.response_status, headers: row.response_headers, body: row.response_body },
    expiresAt: row.expires_at,
    remainingMs: row.remaining_ms,
  };
}

/** An operation by its id, outside any claim. */
export async function findOperation(
  dataSource: DataSource,
  accountId: string,
  operationId: string,
): Promise<{ kind: 'completed'; record: Completed } | { kind: 'running'; attempt: number; stepNo: number; parked: boolean } | null> {
  const [row] = await dataSource.query<(RecordRow & { attempt: number; step_no: number; parked: boolean })[]>(FIND_OPERATION, [
    accountId,
    operationId,
  ]);
  if (!row) return null;
  if (row.status === 'completed') return { kind: 'completed', record: completedOf(row) };
  return { kind: 'running', attempt: row.attempt, stepNo: row.step_no, parked: row.parked };
}

/** Makes room for a new record where an expired one may be executed again. */
export function deleteExpired(intent: Intent, operationId: string): [Statement, unknown[]] {
  return [DELETE_EXPIRED, [intent.accountId, intent.key, operationId]];
}

/** Writes the completed record; the result's only row says when it expires. */
export function insertCompleted(intent: Intent, response: StoredResponse, resource: string | undefined): Call {
  return { ...INSERT_COMPLETED, values: completedValues(intent, response, resource) };
}

/**
 * A claim without a look: writes the completed record, and fails where the key isn't free for this request. The first
 * result's only row says when the record expires.
 */
export function claimAtOnce(intent: Intent, response: StoredResponse, resource: string | undefined, late: LateRequests): Call[] {
  const { accountId, key, operationId } = intent;
  return [
    { ...CLAIM_COMPLETED, values: [...completedValues(intent, response, resource), lockNumber(accountId, key)] },
    { ...CLAIM_UNKNOWN, values: [accountId, key, operationId, late.policy === 'refuse' ? late.horizonMs : 0, timeOfKey(key)] },
  ];
}

function completedValues(intent: Intent, response: StoredResponse, resource: string | undefined): unknown[] {
  return [
    intent.accountId,
    intent.key,
    intent.operationId,
    intent.operation,
    intent.fingerprint,
    response.status,
    JSON.stringify(response.headers),
    response.body,
    resource ?? null,
    intent.traceId,
    intent.windowMs,
  ];
}

/** Reads what is stored under the key, without a claim. */
export function findRecord({ accountId, key }: Intent): Call {
  return { ...FIND, values: [accountId, key] };
}

/**
 * What a record found that way means; undefined when only a claim can tell: there is none, or it has expired and may be
 * executed again.
 */
export function judgeRecord(intent: Intent, late: LateRequests, { rows: [row] }: Result): Verdict | undefined {
  const record = row as unknown as RecordRow | undefined;
  if (!record || (late.policy === 'execute' && hasExpired(record))) return undefined;
  return meaningOf(record, intent);
}
