import type { KeyStyle } from '../requests.js';

const HOUR = 3_600;

/** Records to insert. The first is `from` seconds old, the last `to`. */
export interface Filling {
  count: number;
  keys: KeyStyle;
  from: number;
  to: number;
}

/** Of the last half day: nothing of it expires for another half. */
export const LIVE = { from: 12 * HOUR, to: 0 };

/** Older than the window of 24 hours. */
export const EXPIRED = { from: 37 * HOUR, to: 25 * HOUR };

/** $1 to $2: numbers of the records out of $3; $4: style of the keys; $5, $6: age in seconds of the first and the last one of $3. */
export const FILL = `
  INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, response_status, response_headers,
                                   response_body, resource, trace_id, window_ms, created_at, completed_at, expires_at)
  SELECT s.account_id, CASE $4::text WHEN 'uuidv7' THEN uuidv7(-age) ELSE gen_random_uuid() END, uuidv7(-age), s.operation,
         s.request_hash, 'completed', s.response_status, s.response_headers, s.response_body, s.resource, s.trace_id, s.window_ms,
         now() - age, now() - age, now() - age + s.window_ms * interval '1 millisecond'
    FROM sample s, generate_series($1::int, $2::int) n,
         LATERAL (SELECT ($5::float8 + ($6::float8 - $5::float8) * n / $3::int) * interval '1 second' AS age) a`;
