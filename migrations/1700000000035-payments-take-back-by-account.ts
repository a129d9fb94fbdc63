import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The payments' function of the owner's names its account at each table, as those of the core do. */
export class PaymentsTakeBackByAccount1700000000035 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const [place] = (await runner.query('SELECT quote_ident(current_schema()) AS name')) as { name: string }[];
    await runner.query(`
      CREATE OR REPLACE FUNCTION payments_take_back(account uuid, of_operation uuid, of_attempt integer, of_step integer)
      RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = ${place?.name}, pg_temp AS $$
        BEGIN
          WITH held AS (
            SELECT operation_id FROM idempotency_records r
             WHERE account_id = account AND operation_id = of_operation AND attempt = of_attempt AND step_no = of_step
               AND status = 'running' AND attempt = 1 AND step_no = 1 AND parked_reason IS NULL AND idempotency_is_entered(account)
               AND NOT EXISTS (SELECT FROM idempotency_archive a WHERE a.account_id = account AND a.operation_id = of_operation)),
          refund AS (
            DELETE FROM refunds r USING held h WHERE r.account_id = account AND r.operation_id = h.operation_id AND r.status = 'processing')
          DELETE FROM payments p USING held h WHERE p.account_id = account AND p.operation_id = h.operation_id AND p.status = 'processing';
        END
      $$;
    `);
  }

  /** It does the same as before. */
  async down(): Promise<void> {}
}
