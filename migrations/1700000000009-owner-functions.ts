import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the role that serves requests may not do by itself, and needs: functions of the owner's, each for one operation of the
 * account that the transaction is for. Where one role does all, they are plain functions. `pg_temp` stands last in their
 * search_path, so that nobody lends them a table (PostgreSQL manual, CREATE FUNCTION, Writing SECURITY DEFINER Functions Safely).
 */
export class OwnerFunctions1700000000009 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [place] = (await runner.query('SELECT quote_ident(current_schema()) AS name')) as { name: string }[];
    const owned = `SECURITY DEFINER SET search_path = ${place?.name}, pg_temp`;
    await runner.query(`
      CREATE FUNCTION idempotency_is_entered(account uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
        SELECT account::text = current_setting('holdfast.account', true)
      $$;

      -- A record with its timeline, where nobody else holds the operation: the request never was. Only before its first step
      -- went out, or after that reached nobody.
      CREATE FUNCTION idempotency_take_back(account uuid, of_key text, of_operation uuid, of_attempt integer, of_step integer)
      RETURNS void LANGUAGE sql ${owned} AS $$
        WITH gone AS (
          DELETE FROM idempotency_records
           WHERE account_id = account AND key = of_key AND operation_id = of_operation AND attempt = of_attempt AND step_no = of_step
             AND status = 'running' AND idempotency_is_entered(account)
          RETURNING account_id, operation_id)
        DELETE FROM idempotency_timeline t USING gone g WHERE t.account_id = g.account_id AND t.operation_id = g.operation_id
      $$;

      -- An expired record goes into the archive, so that its key can be executed again; only where that is asked for.
      CREATE FUNCTION idempotency_make_room(account uuid, of_key text, of_operation uuid)
      RETURNS void LANGUAGE sql ${owned} AS $$
        WITH gone AS (
               DELETE FROM idempotency_records
                WHERE account_id = account AND key = of_key AND operation_id = of_operation AND status = 'completed'
                  AND expires_at <= clock_timestamp() AND idempotency_is_entered(account)
               RETURNING account_id, key, operation_id, operation, resource, response_status, attempt, created_at, completed_at, expires_at),
             counted AS (
               DELETE FROM idempotency_replays r USING gone g
                WHERE r.account_id = g.account_id AND r.operation_id = g.operation_id
               RETURNING r.count),
             told AS (
               DELETE FROM idempotency_timeline t USING gone g WHERE t.account_id = g.account_id AND t.operation_id = g.operation_id)
        INSERT INTO idempotency_archive AS a
               (account_id, key, operation_id, operation, resource, response_status, attempts, replays, created_at, completed_at, expires_at, archived_at)
        SELECT account_id, key, operation_id, operation, resource, response_status, attempt, (SELECT coalesce(sum(count), 0) FROM counted),
               created_at, completed_at, expires_at, clock_timestamp()
          FROM gone
        ON CONFLICT (account_id, key) DO UPDATE
           SET operation_id = excluded.operation_id, operation = excluded.operation, resource = excluded.resource,
               response_status = excluded.response_status, attempts = excluded.attempts, replays = excluded.replays,
               created_at = excluded.created_at, completed_at = excluded.completed_at, expires_at = excluded.expires_at,
               archived_at = excluded.archived_at
      $$;

      -- From 40 attempts on the first 20 lines and the latest 60 are kept. Whoever deletes lines anyway does so for any account.
      CREATE FUNCTION idempotency_trim_timeline(account uuid, of_operation uuid, of_attempt integer)
      RETURNS void LANGUAGE sql ${owned} AS $$
        DELETE FROM idempotency_timeline t
         USING (SELECT id FROM idempotency_timeline WHERE account_id = account AND operation_id = of_operation ORDER BY id OFFSET 19 LIMIT 1) beginning,
               (SELECT id FROM idempotency_timeline WHERE account_id = account AND operation_id = of_operation ORDER BY id DESC OFFSET 59 LIMIT 1) ending
         WHERE of_attempt > 40 AND t.account_id = account AND t.operation_id = of_operation AND t.id > beginning.id AND t.id < ending.id
           AND (idempotency_is_entered(account) OR has_table_privilege(session_user, 'idempotency_timeline', 'DELETE'))
      $$;

      REVOKE EXECUTE ON FUNCTION idempotency_take_back, idempotency_make_room, idempotency_trim_timeline FROM PUBLIC;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION idempotency_trim_timeline, idempotency_make_room, idempotency_take_back, idempotency_is_entered`);
  }
}
