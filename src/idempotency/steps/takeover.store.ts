import type { Taker } from '../observations.js';
import type { Call } from '../postgres/statement.js';
import { HELD_COLUMNS, HELD_ROW } from './held-operation.js';
import type { Leases } from './operation.store.js';

// In the statements that take, $1 is the lease in seconds, $2 who takes, for the timeline, and $3 the names of the steps that the taker knows.

const NOW = 'statement_timestamp()';

/**
 * Takes one operation: the attempt is the fencing token, and nobody else comes while the lease lasts. Zero rows: it is not to be had,
 * somebody was faster, or its step is none of $3. The statement itself writes who goes on with the operation: a crash behind it can't
 * lose that line.
 */
const take = (which: string): string => `WITH taken AS (
           UPDATE idempotency_records
              SET attempt = attempt + 1, lease_until = ${NOW} + make_interval(secs => $1), next_run_at = ${NOW} + make_interval(secs => $1)
            WHERE account_id = $4 AND ${which}
           RETURNING ${HELD_COLUMNS}),
         noted AS (
           INSERT INTO idempotency_timeline (account_id, operation_id, at, event, detail)
           SELECT account_id, operation_id, clock_timestamp(), 'resumed', $2 || ', attempt ' || attempt FROM taken)
         SELECT ${HELD_ROW} FROM taken`;

const takeWhere = (resumable: string): string =>
  take(`operation_id = $5 AND status = 'running' AND recovery_point = ANY ($3::text[])
              AND (lease_until <= ${NOW} OR lease_until IS NULL AND ${resumable})`);

const TAKE_OVER = { name: 'idempotency-take-over', text: takeWhere(`(resumable_at IS NULL OR resumable_at <= ${NOW})`) };

/** For whoever doesn't want the outside asked for the same thing again: what was parked just now is to be had, too. */
const TAKE_UNHELD = { name: 'idempotency-take-unheld', text: takeWhere('true') };

/** Operations that are due, of accounts that have room; the statement that takes one looks again. */
const FIND_DUE = {
  name: 'idempotency-find-due',
  text: `SELECT account_id, operation_id FROM idempotency_records
          WHERE status = 'running' AND next_run_at <= ${NOW} AND recovery_point = ANY ($1::text[]) AND account_id <> ALL ($2::uuid[])
          ORDER BY next_run_at LIMIT $3`,
};

/** SKIP LOCKED, so that nobody waits for a holder that hangs while it settles, or for another replica that takes the same. */
const TAKE_DUE = {
  name: 'idempotency-take-due',
  text: take(`operation_id = ANY (ARRAY (SELECT operation_id FROM idempotency_records
                                          WHERE account_id = $4 AND operation_id = $5 AND status = 'running' AND next_run_at <= ${NOW}
                                            AND recovery_point = ANY ($3::text[]) FOR UPDATE SKIP LOCKED))`),
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

const BY_THE_RECOVERER: GoesOn = { taker: 'recoverer', words: 'by the recoverer' };

/** An operation by its account and its uuid. */
export interface NamedOperation {
  accountId: string;
  operationId: string;
}

/** `by`: who goes on. `steps`: the names that the taker knows. */
export function takeOver({ accountId, operationId }: NamedOperation, by: GoesOn, steps: readonly string[], leases: Leases): Call {
  return { ...TAKE_OVER, values: [leases.leaseMs / 1000, by.words, steps, accountId, operationId] };
}

/** The same, and what was parked just now as well. */
export function takeUnheld(...[operation, by, steps, leases]: Parameters<typeof takeOver>): Call {
  return { ...takeOver(operation, by, steps, leases), ...TAKE_UNHELD };
}

/** The same of one that is due. */
export function takeDue(operation: NamedOperation, steps: readonly string[], leases: Leases): Call {
  return { ...takeOver(operation, BY_THE_RECOVERER, steps, leases), ...TAKE_DUE };
}

/** Operations that are due and wait for one of `steps`, oldest first, at most `limit`; none of the accounts `full`. Rows are DueRows. */
export function findDue(steps: readonly string[], full: readonly string[], limit: number): Call {
  return { ...FIND_DUE, values: [steps, full, limit] };
}

/** What `findDue` returns. */
export interface DueRow {
  account_id: string;
  operation_id: string;
}

/** The steps other than `steps` that operations are due for, each as `recovery_point`. */
export function unknownDue(steps: readonly string[]): Call {
  return { ...UNKNOWN_DUE, values: [steps] };
}
