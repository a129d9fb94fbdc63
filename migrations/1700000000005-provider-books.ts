import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a payment or refund that succeeded is looked at again: a provider's books may say something else later. */
export class ProviderBooks1700000000005 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Null where the provider's books never change, or nothing more is expected of it: then the index has no entry.
      ALTER TABLE payments ADD COLUMN check_at timestamptz;
      ALTER TABLE refunds ADD COLUMN check_at timestamptz;
      CREATE INDEX payments_check_idx ON payments (check_at) WHERE check_at IS NOT NULL;
      CREATE INDEX refunds_check_idx ON refunds (check_at) WHERE check_at IS NOT NULL;
      -- Events of disputes name the charge alone.
      CREATE INDEX payments_provider_reference_idx ON payments (provider_reference) WHERE check_at IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX payments_provider_reference_idx;
      ALTER TABLE payments DROP COLUMN check_at;
      ALTER TABLE refunds DROP COLUMN check_at;
    `);
  }
}
