import type { Taker } from '../observations.js';
import type { Call } from '../postgres/statement.js';
import { HELD_COLUMNS } from './held-operation.js';
import type { Leases } from './operation.store.js';

// In both statements $1 is the lease in seconds, $2 who takes, for the timeline, and $3 the names of the steps that the taker knows.

/** What taking changes: the attempt is the fencing token, and nobody else comes while the lease lasts. */
const TAKEN = `attempt = attempt + 1, lease_until = clock_timestamp() + make_interval(secs => $1),
                  next_run_at = clock_timestamp() + make_interval(secs => $1)`;

/** The taking statement itself writes who goes on with the operation: a crash behind it can not lose that line. */
const NOTED = `noted AS (
           INSERT INTO idempotency_timeline (account_id, operation_id, at, event, detail)
           SELECT account_id, operation_id, clock_timestamp(), 'resumed', $2 || ', attempt ' || attempt FROM taken)`;

/**
 * What was taken. The function drops the middle of a long timeline, because an operation that waits for its provider for
 * months, or ends each process that takes it, would have a line for each attempt; it is the owner's, because whoever serves
 * requests deletes no lines.
 */
const TRIMMED = 'SELECT taken.* FROM taken, idempotency_trim_timeline(taken.account_id, taken.operation_id, taken.attempt)';

/** Takes one interrupted operation over. Zero rows: it runs, is finished, was parked just now, somebody was faster, or its step is none of $3. */
const takeWhere = (resumable: string): string => `WITH taken AS (
           UPDATE idempotency_records
              SET ${TAKEN}
            WHERE account_id = $4 AND operation_id = $5 AND status = 'running'
              AND (lease_until <= clock_timestamp() OR lease_until IS NULL AND ${resumable})
              AND recovery_point = ANY ($3::text[])
           RETURNING ${HELD_COLUMNS}),
         ${NOTED}
         ${TRIMMED}`;

const TAKE_OVER = { name: 'idempotency-take-over', text: takeWhere('coalesce(resumable_at <= clock_timestamp(), true)') };

/** For whoever doesn't want the outside asked for the same thing again: what was parked just now is to be had, too. */
const TAKE_UNHELD = { name: 'idempotency-take-unheld', text: takeWhere('true') };

/**
 * The same for whatever is due, across accounts; SKIP LOCKED, so that replicas share the work instead of waiting. Of each
 * account as many as leave it within $5, with those of $6 and $7 that it has already; accounts that have all are passed over,
 * and what is looked at is more than what is taken, so that one account's many don't hide those of others. By key and not by
 * ctid, of which each partition has its own; MATERIALIZED, or a plan could look for what is due once more for each row.
 */
const TAKE_DUE = {
  name: 'idempotency-take-due',
  text: `WITH busy AS (SELECT * FROM unnest($6::uuid[], $7::int[]) AS b (account_id, count)),
         due AS MATERIALIZED (
           SELECT account_id, operation_id, next_run_at FROM idempotency_records
            WHERE status = 'running' AND next_run_at <= clock_timestamp() AND recovery_point = ANY ($3::text[])
              AND account_id NOT IN (SELECT account_id FROM busy WHERE count >= $5)
            ORDER BY next_run_at LIMIT 4 * $4 FOR UPDATE SKIP LOCKED),
         ranked AS (
           SELECT account_id, operation_id, next_run_at,
                  row_number() OVER (PARTITION BY account_id ORDER BY next_run_at) + coalesce(count, 0) AS of_account
             FROM due LEFT JOIN busy USING (account_id)),
         chosen (due_account, due_operation) AS MATERIALIZED (
           SELECT account_id, operation_id FROM ranked WHERE of_account <= $5 ORDER BY next_run_at LIMIT $4),
         taken AS (
           UPDATE idempotency_records
              SET ${TAKEN}
             FROM chosen WHERE account_id = due_account AND operation_id = due_operation
           RETURNING ${HELD_COLUMNS}),
         ${NOTED}
         ${TRIMMED}`,
};

const UNKNOWN_DUE = {
  name: 'idempotency-unknown-due',
  text: `SELECT DISTINCT recovery_point FROM idempotency_records
          WHERE status = 'running' AND next_run_at <= clock_timestamp() AND recovery_point <> ALL ($1::text[])`,
};

/** Who goes on with an operation: the kind, and the words for the timeline. */
export interface GoesOn {
  taker: Taker;
  words: string;
}

/** `by`: who goes on. `steps`: the names that the taker knows. */
export function takeOver(
  operation: { accountId: string; operationId: string },
  by: GoesOn,
  steps: readonly string[],
  leases: Leases,
): Call & { values: unknown[] } {
  return { ...TAKE_OVER, values: [leases.leaseMs / 1000, by.words, steps, operation.accountId, operation.operationId] };
}

/** The same, and what was parked just now as well. */
export function takeUnheld(...[operation, by, steps, leases]: Parameters<typeof takeOver>): Call & { values: unknown[] } {
  return { ...TAKE_UNHELD, values: takeOver(operation, by, steps, leases).values };
}

/** What a taker has room for. */
export interface Room {
  limit: number;
  limitOfAccount: number;
  /** Of each account, what the taker has already. */
  busy: ReadonlyMap<string, number>;
}

/** At most `limit` operations that are due and wait for one of `steps`. */
export function takeDue({ limit, limitOfAccount, busy }: Room, steps: readonly string[], leases: Leases): Call & { values: unknown[] } {
  const values = [leases.leaseMs / 1000, 'by the recoverer', steps, limit, limitOfAccount, [...busy.keys()], [...busy.values()]];
  return { ...TAKE_DUE, values };
}

/** The steps other than `steps` that operations are due for, each as `recovery_point`. */
export function unknownDue(steps: readonly string[]): Call & { values: unknown[] } {
  return { ...UNKNOWN_DUE, values: [steps] };
}
