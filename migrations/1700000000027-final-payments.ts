import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Beside final records: payments and refunds that have ended stay so, and those under way belong to their operation. */
export class FinalPayments1700000000027 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TRIGGER payments_final AFTER UPDATE ON payments FOR EACH ROW
        WHEN ((NEW.account_id, NEW.id, NEW.order_id, NEW.amount, NEW.currency, NEW.reference)
                IS DISTINCT FROM (OLD.account_id, OLD.id, OLD.order_id, OLD.amount, OLD.currency, OLD.reference)
              OR NEW.status <> OLD.status AND OLD.status <> 'processing'
              -- One that was adopted after a restore gets another operation when its key comes again.
              OR NEW.operation_id <> OLD.operation_id AND OLD.status = 'processing')
        EXECUTE FUNCTION idempotency_owner_only();

      CREATE TRIGGER refunds_final AFTER UPDATE ON refunds FOR EACH ROW
        WHEN ((NEW.account_id, NEW.id, NEW.payment_id, NEW.operation_id, NEW.amount, NEW.currency)
                IS DISTINCT FROM (OLD.account_id, OLD.id, OLD.payment_id, OLD.operation_id, OLD.amount, OLD.currency)
              -- The provider's books may say later that one has failed.
              OR NEW.status <> OLD.status AND OLD.status <> 'processing' AND (OLD.status, NEW.status) <> ('succeeded', 'failed'))
        EXECUTE FUNCTION idempotency_owner_only();
    `);
    // Where no attempt can have reached anybody, as of records. What the archive knows has ended, whatever record names it again.
    await replaceFunction(
      runner,
      `attempt = 1 AND step_no = 1 AND parked_reason IS NULL
           AND NOT EXISTS (SELECT FROM idempotency_archive a WHERE a.account_id = account AND a.operation_id = of_operation)`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await replaceFunction(runner, 'true');
    await runner.query(`
      DROP TRIGGER refunds_final ON refunds;
      DROP TRIGGER payments_final ON payments;
    `);
  }
}

/** The function as it was before, with one more condition; whoever may execute it still may. */
async function replaceFunction(runner: QueryRunner, only: string): Promise<void> {
  const [place] = (await runner.query('SELECT quote_ident(current_schema()) AS name')) as { name: string }[];
  const owned = `SECURITY DEFINER SET search_path = ${place?.name}, pg_temp`;
  await runner.query(`
    CREATE OR REPLACE FUNCTION payments_take_back(account uuid, of_operation uuid, of_attempt integer, of_step integer)
    RETURNS void LANGUAGE sql ${owned} AS $$
      WITH held AS (
        SELECT account_id, operation_id FROM idempotency_records
         WHERE account_id = account AND operation_id = of_operation AND attempt = of_attempt AND step_no = of_step
           AND status = 'running' AND idempotency_is_entered(account) AND ${only}),
      refund AS (
        DELETE FROM refunds r USING held h WHERE r.account_id = h.account_id AND r.operation_id = h.operation_id AND r.status = 'processing')
      DELETE FROM payments p USING held h WHERE p.account_id = h.account_id AND p.operation_id = h.operation_id AND p.status = 'processing'
    $$;
  `);
}
