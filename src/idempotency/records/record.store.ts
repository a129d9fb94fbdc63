import type { DataSource } from 'typeorm';
import { queryAs } from '../postgres/account-scope.js';
import type { Call } from '../postgres/statement.js';
import type { StoredResponse } from '../reply.js';

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
  /** How long, from now on, the same request under another key is taken for a duplicate, in milliseconds; undefined: never. */
  duplicateWindowMs?: number | undefined;
  /** What ties the record to the application's logs, for example a request id. */
  traceId: string | null;
  /** What others are to link to who get this answer, or go on with the operation: a W3C traceparent; null while nothing is traced. */
  traceparent: string | null;
}

/** A completed record. */
export interface Completed {
  operationId: string;
  response: StoredResponse;
  expiresAt: Date;
  /** Of the request that executed. */
  traceparent: string | null;
  /** What is left of the window by the database's clock, in milliseconds. */
  remainingMs: number;
  /** When the key's first request came, on the monotonic clock of this process. */
  bornAt: number;
}

/** A record as the statements here read it. */
export interface RecordRow {
  operation_id: string;
  /** Null where the key is sealed. */
  request_hash: string | null;
  status: 'running' | 'completed' | 'sealed';
  response_status: number;
  response_headers: Record<string, string>;
  response_body: string;
  resource: string | null;
  traceparent: string | null;
  expires_at: Date;
  remaining_ms: number;
  age_ms: number;
  interrupted: boolean;
  /** Of a parked operation, how long nobody may take it over still, in milliseconds; else null. */
  parked_ms: number | null;
}

/** What is left of a purged record. */
export interface ArchiveRow {
  operation_id: string;
  resource: string | null;
}

/** The record of a key, and how long it will be kept. */
const RECORD = `operation_id, encode(request_hash, 'hex') AS request_hash, status, response_status, response_headers,
                convert_from(response_body, 'UTF8') AS response_body, resource, traceparent, expires_at,
                (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS remaining_ms,
                (extract(epoch FROM clock_timestamp() - created_at) * 1000)::float8 AS age_ms,
                status = 'running' AND (lease_until IS NULL OR lease_until <= clock_timestamp()) AS interrupted,
                CASE WHEN status = 'running' AND lease_until IS NULL
                     THEN greatest(0, extract(epoch FROM resumable_at - clock_timestamp()) * 1000)::float8 END AS parked_ms
           FROM idempotency_records WHERE account_id = $1`;

export const FIND = { name: 'idempotency-find', text: `SELECT ${RECORD} AND key = $2` };

/** Those of several keys. The array is read by a subselect, so that its length is nothing to plan by. */
const FIND_SEVERAL = {
  name: 'idempotency-find-several',
  text: `SELECT key, ${RECORD} AND key = ANY ((SELECT $2::text[])::text[])`,
};

const FIND_OPERATION = {
  name: 'idempotency-find-operation',
  text: `
  SELECT operation_id, status, response_status, response_headers, convert_from(response_body, 'UTF8') AS response_body, traceparent, expires_at,
         attempt, step_no, lease_until IS NULL AS parked,
         (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS remaining_ms,
         (extract(epoch FROM clock_timestamp() - created_at) * 1000)::float8 AS age_ms
    FROM idempotency_records WHERE account_id = $1 AND operation_id = $2`,
};

/** What is left of a key whose record was purged. */
export const FIND_ARCHIVED = {
  name: 'idempotency-find-archived',
  text: `SELECT operation_id, resource FROM idempotency_archive WHERE account_id = $1 AND key = $2`,
};

const FIND_SEVERAL_ARCHIVED = {
  name: 'idempotency-find-several-archived',
  text: `SELECT key, operation_id, resource FROM idempotency_archive WHERE account_id = $1 AND key = ANY ((SELECT $2::text[])::text[])`,
};

/** Inserts a completed record; the conditions, if any, come behind. */
export const COMPLETED = `
  INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, response_status,
                                   response_headers, response_body, resource, trace_id, traceparent, window_ms, duplicate_until,
                                   created_at, completed_at, expires_at)
  SELECT $1::uuid, $2::text, $3::uuid, $4::text, decode($5, 'hex'), 'completed', $6::int, $7::jsonb, convert_to($8, 'UTF8'), $9::text, $10::text,
         $11::text, $12::bigint, now() + $13::bigint * interval '1 millisecond', now(), clock_timestamp(), clock_timestamp() + $12::bigint * interval '1 millisecond'`;

/** A plain INSERT: the primary key is the judge, a violation rolls the work back. */
export const INSERT_COMPLETED = { name: 'idempotency-insert-completed', text: `${COMPLETED} RETURNING expires_at` };

/** Makes room for a new record under the key of an expired one, which only late requests that are executed do; the archive has it then. A function of the owner's, because this role archives nothing. */
const MAKE_ROOM = { name: 'idempotency-make-room', text: 'SELECT idempotency_make_room($1, $2, $3)' };

/** The name of the constraint that judges races; another INSERT with this key was first. */
export const CLAIM_CONSTRAINT = 'idempotency_records_pkey';

/** Reads the record of the key: a RecordRow, or none. */
export function findRecord({ accountId, key }: Pick<Intent, 'accountId' | 'key'>): Call {
  return { ...FIND, values: [accountId, key] };
}

/** Reads what is left of the key: an ArchiveRow, or none. */
export function findArchived({ accountId, key }: Pick<Intent, 'accountId' | 'key'>): Call {
  return { ...FIND_ARCHIVED, values: [accountId, key] };
}

/** The same for several keys of an account: RecordRows and ArchiveRows with their `key`, in two statements, since each takes its own snapshot. */
export function findSeveral(accountId: string, keys: string[]): Call[] {
  const values = [accountId, keys];
  return [
    { ...FIND_SEVERAL, values },
    { ...FIND_SEVERAL_ARCHIVED, values },
  ];
}

/** Writes the completed record; the result's only row says when it expires. */
export function insertCompleted(intent: Intent, response: StoredResponse, resource: string | undefined): Call {
  return { ...INSERT_COMPLETED, values: completedValues(intent, response, resource) };
}

/** Archives the expired record of the key. */
export function makeRoom({ accountId, key }: Intent, operationId: string): Call {
  return { ...MAKE_ROOM, values: [accountId, key, operationId] };
}

/** The values of COMPLETED, in the order of its parameters. */
export function completedValues(intent: Intent, response: StoredResponse, resource: string | undefined): unknown[] {
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
    intent.traceparent,
    intent.windowMs,
    response.status < 300 ? (intent.duplicateWindowMs ?? null) : null,
  ];
}

export function completedOf(row: Omit<RecordRow, 'request_hash' | 'resource' | 'interrupted' | 'parked_ms'>): Completed {
  return {
    operationId: row.operation_id,
    response: { status: row.response_status, headers: row.response_headers, body: row.response_body },
    expiresAt: row.expires_at,
    traceparent: row.traceparent,
    remainingMs: row.remaining_ms,
    bornAt: performance.now() - row.age_ms,
  };
}

/** An operation by its id, outside any claim. */
export async function findOperation(
  dataSource: DataSource,
  accountId: string,
  operationId: string,
): Promise<{ kind: 'completed'; record: Completed } | { kind: 'running'; attempt: number; stepNo: number; parked: boolean } | null> {
  const call = { ...FIND_OPERATION, values: [accountId, operationId] };
  const [row] = await queryAs<RecordRow & { attempt: number; step_no: number; parked: boolean }>(dataSource, accountId, call);
  if (!row) return null;
  if (row.status === 'completed') return { kind: 'completed', record: completedOf(row) };
  return { kind: 'running', attempt: row.attempt, stepNo: row.step_no, parked: row.parked };
}
