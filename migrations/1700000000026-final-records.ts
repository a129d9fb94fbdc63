import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What only the owner may do to a record, of the rows before and after. */
export const CHANGES_A_FINAL_RECORD = `
(NEW.account_id, NEW.key, NEW.operation_id, NEW.operation, NEW.request_hash, NEW.window_ms, NEW.created_at)
        IS DISTINCT FROM (OLD.account_id, OLD.key, OLD.operation_id, OLD.operation, OLD.request_hash, OLD.window_ms, OLD.created_at)
      -- Whoever had the operation before never has it again, and that nobody knew an outcome stays written down.
      OR NEW.attempt < OLD.attempt OR NEW.step_no < OLD.step_no
      OR NEW.status = 'running' AND NEW.step_no = OLD.step_no AND NEW.parked_reason IS NULL AND OLD.parked_reason IS NOT NULL
      -- An outcome is one, for its whole window.
      OR OLD.status = 'running' AND NEW.status = 'sealed'
      OR OLD.status = 'running' AND NEW.status = 'completed' AND NEW.expires_at < now() + NEW.window_ms * interval '1 millisecond'
      OR OLD.status <> 'running'
         AND (NEW.status, NEW.response_status, NEW.response_headers, NEW.response_body, NEW.resource, NEW.completed_at, NEW.expires_at)
               IS DISTINCT FROM
             (OLD.status, OLD.response_status, OLD.response_headers, OLD.response_body, OLD.resource, OLD.completed_at, OLD.expires_at)`;

/**
 * What the role that serves requests may write, it could also write wrongly, to have the owner's functions take back what was
 * done: so records are final for everybody but the owner of the table, and the functions go by what they say. Part of the core,
 * like the first migration.
 */
export class FinalRecords1700000000026 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE FUNCTION idempotency_owner_only() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
        BEGIN
          IF NOT pg_has_role((SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
            RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = format('only the owner of %s may change that', TG_TABLE_NAME);
          END IF;
          RETURN NULL;
        END $$;

      -- AFTER, since a trigger before it would lock each row once more; the function is called for what is forbidden alone.
      CREATE TRIGGER idempotency_records_final AFTER UPDATE ON idempotency_records FOR EACH ROW
        WHEN (${CHANGES_A_FINAL_RECORD})
        EXECUTE FUNCTION idempotency_owner_only();
    `);
    await replaceFunctions(runner, {
      // No attempt can have reached anybody: it is the first one, of the first step, and was never parked.
      takenBack: 'attempt = 1 AND step_no = 1 AND parked_reason IS NULL',
      trimmed: `EXISTS (SELECT FROM idempotency_records
                         WHERE account_id = account AND operation_id = of_operation AND attempt = of_attempt AND status = 'running')`,
    });
  }

  async down(runner: QueryRunner): Promise<void> {
    await replaceFunctions(runner, { takenBack: 'true', trimmed: 'true' });
    await runner.query(`
      DROP TRIGGER idempotency_records_final ON idempotency_records;
      DROP FUNCTION idempotency_owner_only();
    `);
  }
}

/** The functions as they were before, with one more condition each; whoever may execute them still may. */
async function replaceFunctions(runner: QueryRunner, only: { takenBack: string; trimmed: string }): Promise<void> {
  const [place] = (await runner.query('SELECT quote_ident(current_schema()) AS name')) as { name: string }[];
  const owned = `SECURITY DEFINER SET search_path = ${place?.name}, pg_temp`;
  await runner.query(`
    CREATE OR REPLACE FUNCTION idempotency_take_back(account uuid, of_key text, of_operation uuid, of_attempt integer, of_step integer)
    RETURNS void LANGUAGE sql ${owned} AS $$
      WITH gone AS (
        DELETE FROM idempotency_records
         WHERE account_id = account AND key = of_key AND operation_id = of_operation AND attempt = of_attempt AND step_no = of_step
           AND status = 'running' AND ${only.takenBack} AND idempotency_is_entered(account)
        RETURNING account_id, operation_id)
      DELETE FROM idempotency_timeline t USING gone g WHERE t.account_id = g.account_id AND t.operation_id = g.operation_id
    $$;

    CREATE OR REPLACE FUNCTION idempotency_trim_timeline(account uuid, of_operation uuid, of_attempt integer)
    RETURNS void LANGUAGE sql ${owned} AS $$
      DELETE FROM idempotency_timeline t
       USING (SELECT id FROM idempotency_timeline WHERE account_id = account AND operation_id = of_operation ORDER BY id OFFSET 19 LIMIT 1) beginning,
             (SELECT id FROM idempotency_timeline WHERE account_id = account AND operation_id = of_operation ORDER BY id DESC OFFSET 59 LIMIT 1) ending
       WHERE of_attempt > 40 AND t.account_id = account AND t.operation_id = of_operation AND t.id > beginning.id AND t.id < ending.id
         AND ${only.trimmed}
         AND (idempotency_is_entered(account) OR has_table_privilege(session_user, 'idempotency_timeline', 'DELETE'))
    $$;
  `);
}
