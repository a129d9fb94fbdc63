import type { KeyStyle } from '../requests.js';

const HOUR = 3_600;

/** Rows to insert into each table. The first is `from` seconds old, the last `to`. */
export interface Filling {
  /** The records alone, unless told. */
  into?: readonly Filled[];
  count: number;
  keys: KeyStyle;
  from: number;
  to: number;
}

/** Of the last half day: nothing of it expires for another half. */
export const LIVE = { from: 12 * HOUR, to: 0 };

/** Older than the window of 24 hours. */
export const EXPIRED = { from: 37 * HOUR, to: 25 * HOUR };

/** $1 to $2: numbers of the rows out of $3; $4: style of the keys; $5, $6: age in seconds of the first and the last one of $3. */
const NUMBERED = `
         generate_series($1::int, $2::int) n,
         LATERAL (SELECT ($5::float8 + ($6::float8 - $5::float8) * n / $3::int) * interval '1 second' AS age) a,
         LATERAL (SELECT CASE $4::text WHEN 'uuidv7' THEN uuidv7(-age) ELSE gen_random_uuid() END::text AS key) k`;

/** What is written by table: records, as the service writes them, and what stands beside as many records where the service has run for long. */
export const FILL = {
  idempotency_records: `
  INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, response_status, response_headers,
                                   response_body, resource, trace_id, window_ms, created_at, completed_at, expires_at)
  SELECT s.account_id, k.key, uuidv7(-age), s.operation,
         s.request_hash, 'completed', s.response_status, s.response_headers, s.response_body, s.resource, s.trace_id, s.window_ms,
         now() - age, now() - age, now() - age + s.window_ms * interval '1 millisecond'
    FROM sample s, ${NUMBERED}`,
  events: `
  INSERT INTO events (account_id, id, transaction_id, type, created_at, operation_id, idempotency_key, resource_type, resource_id,
                      resource_version, data)
  SELECT s.account_id, uuidv7(-age), 1, s.type, now() - age, uuidv7(-age), k.key, s.resource_type, 'ord_' || lpad(n::text, 26, '0'),
         s.resource_version, s.data
    FROM sample_event s, ${NUMBERED}`,
  idempotency_archive: `
  INSERT INTO idempotency_archive (account_id, key, operation_id, operation, resource, response_status, attempts, replays, created_at,
                                   completed_at, expires_at, archived_at)
  SELECT s.account_id, k.key, uuidv7(-age), s.operation, s.resource, s.response_status, 1, 0, now() - age - interval '1 day', now() - age - interval '1 day',
         now() - age, now() - age
    FROM sample s, ${NUMBERED}`,
} as const;

/** A table that can be filled. */
export type Filled = keyof typeof FILL;
