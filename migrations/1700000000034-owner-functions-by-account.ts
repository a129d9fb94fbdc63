import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The owner's functions of the core name their account at each table, and are plpgsql's: they do what they did, and may do it where tables
 * lie on several servers, by account. Part of the core, like the first migration.
 */
export class OwnerFunctionsByAccount1700000000034 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [place] = (await runner.query('SELECT quote_ident(current_schema()) AS name')) as { name: string }[];
    const owned = `RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = ${place?.name}, pg_temp`;
    await runner.query(`
      CREATE OR REPLACE FUNCTION idempotency_take_back(account uuid, of_key text, of_operation uuid, of_attempt integer, of_step integer)
      ${owned} AS $$
        BEGIN
          WITH gone AS (
            DELETE FROM idempotency_records
             WHERE account_id = account AND key = of_key AND operation_id = of_operation AND attempt = of_attempt AND step_no = of_step
               AND status = 'running' AND attempt = 1 AND step_no = 1 AND parked_reason IS NULL AND idempotency_is_entered(account)
            RETURNING operation_id)
          DELETE FROM idempotency_timeline t USING gone g WHERE t.account_id = account AND t.operation_id = g.operation_id;
        END
      $$;

      CREATE OR REPLACE FUNCTION idempotency_make_room(account uuid, of_key text, of_operation uuid)
      ${owned} AS $$
        BEGIN
          WITH gone AS (
                 DELETE FROM idempotency_records
                  WHERE account_id = account AND key = of_key AND operation_id = of_operation AND status = 'completed'
                    AND expires_at <= statement_timestamp() AND idempotency_is_entered(account)
                 RETURNING account_id, key, operation_id, operation, resource, response_status, attempt, created_at, completed_at, expires_at),
               counted AS (
                 DELETE FROM idempotency_replays r USING gone g
                  WHERE r.account_id = account AND r.operation_id = g.operation_id
                 RETURNING r.count),
               told AS (
                 DELETE FROM idempotency_timeline t USING gone g WHERE t.account_id = account AND t.operation_id = g.operation_id)
          INSERT INTO idempotency_archive AS a
                 (account_id, key, operation_id, operation, resource, response_status, attempts, replays, created_at, completed_at, expires_at, archived_at)
          SELECT account_id, key, operation_id, operation, resource, response_status, attempt, (SELECT coalesce(sum(count), 0) FROM counted),
                 created_at, completed_at, expires_at, clock_timestamp()
            FROM gone
          ON CONFLICT (account_id, key) DO UPDATE
             SET operation_id = excluded.operation_id, operation = excluded.operation, resource = excluded.resource,
                 response_status = excluded.response_status, attempts = excluded.attempts, replays = excluded.replays,
                 created_at = excluded.created_at, completed_at = excluded.completed_at, expires_at = excluded.expires_at,
                 archived_at = excluded.archived_at;
        END
      $$;

      CREATE OR REPLACE FUNCTION idempotency_trim_timeline(account uuid, of_operation uuid, of_attempt integer)
      ${owned} AS $$
        BEGIN
          DELETE FROM idempotency_timeline t
           USING (SELECT id FROM idempotency_timeline WHERE account_id = account AND operation_id = of_operation ORDER BY id OFFSET 19 LIMIT 1) beginning,
                 (SELECT id FROM idempotency_timeline WHERE account_id = account AND operation_id = of_operation ORDER BY id DESC OFFSET 59 LIMIT 1) ending
           WHERE of_attempt > 40 AND t.account_id = account AND t.operation_id = of_operation AND t.id > beginning.id AND t.id < ending.id
             AND EXISTS (SELECT FROM idempotency_records
                          WHERE account_id = account AND operation_id = of_operation AND attempt = of_attempt AND status = 'running')
             AND (idempotency_is_entered(account) OR has_table_privilege(session_user, 'idempotency_timeline', 'DELETE'));
        END
      $$;
    `);
  }

  /** They do the same as before. */
  async down(): Promise<void> {}
}
