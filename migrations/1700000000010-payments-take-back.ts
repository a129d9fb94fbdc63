import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Beside the core's functions of the owner's: what the role that serves requests may not do with payments, and needs. */
export class PaymentsTakeBack1700000000010 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [place] = (await runner.query('SELECT quote_ident(current_schema()) AS name')) as { name: string }[];
    const owned = `SECURITY DEFINER SET search_path = ${place?.name}, pg_temp`;
    await runner.query(`
      -- The payment or refund of an operation that is taken back, under the same fence.
      CREATE FUNCTION payments_take_back(account uuid, of_operation uuid, of_attempt integer, of_step integer)
      RETURNS void LANGUAGE sql ${owned} AS $$
        WITH held AS (
          SELECT account_id, operation_id FROM idempotency_records
           WHERE account_id = account AND operation_id = of_operation AND attempt = of_attempt AND step_no = of_step
             AND status = 'running' AND idempotency_is_entered(account)),
        refund AS (
          DELETE FROM refunds r USING held h WHERE r.account_id = h.account_id AND r.operation_id = h.operation_id AND r.status = 'processing')
        DELETE FROM payments p USING held h WHERE p.account_id = h.account_id AND p.operation_id = h.operation_id AND p.status = 'processing'
      $$;

      REVOKE EXECUTE ON FUNCTION payments_take_back FROM PUBLIC;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION payments_take_back`);
  }
}
