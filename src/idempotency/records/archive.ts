/** What a deleted record gives to `archiveGone`. */
export const ARCHIVED_COLUMNS =
  'account_id, key, operation_id, operation, resource, response_status, attempt, created_at, completed_at, expires_at';

/**
 * Parts of a WITH behind one that is named `gone` and returns records that it deletes: what else is kept of their operations
 * goes with them, and the archive gets a line for each. `own`: see Expiring.
 */
export const archiveGone = (own: (alias: string) => string): string => `,
       counted AS (
         DELETE FROM idempotency_replays r USING gone g
          WHERE ${own('r')} r.account_id = g.account_id AND r.operation_id = g.operation_id
         RETURNING r.account_id, r.operation_id, r.count),
       told AS (
         DELETE FROM idempotency_timeline t USING gone g WHERE ${own('t')} t.account_id = g.account_id AND t.operation_id = g.operation_id),
       archived AS (
         INSERT INTO idempotency_archive (account_id, key, operation_id, operation, resource, response_status, attempts, replays,
                                          created_at, completed_at, expires_at, archived_at)
         SELECT g.account_id, g.key, g.operation_id, g.operation, g.resource, g.response_status, g.attempt, coalesce(c.replays, 0),
                g.created_at, g.completed_at, g.expires_at, clock_timestamp()
           FROM gone g
           LEFT JOIN (SELECT account_id, operation_id, sum(count) AS replays FROM counted GROUP BY account_id, operation_id) c
             USING (account_id, operation_id)
         -- A key that was executed again after its window, where late requests are allowed to.
         ON CONFLICT (account_id, key) DO UPDATE
            SET operation_id = excluded.operation_id, operation = excluded.operation, resource = excluded.resource,
                response_status = excluded.response_status, attempts = excluded.attempts, replays = excluded.replays,
                created_at = excluded.created_at, completed_at = excluded.completed_at, expires_at = excluded.expires_at,
                archived_at = excluded.archived_at)`;
