import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Sealed keys: records without a request, so that no request with that key ever executes. */
export class Sealing1700000000015 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE idempotency_records
        ALTER COLUMN request_hash DROP NOT NULL,
        DROP CONSTRAINT idempotency_records_status_check,
        ADD CONSTRAINT idempotency_records_status_check CHECK (status IN ('running', 'completed', 'sealed')),
        -- A sealed key fits no request.
        ADD CONSTRAINT idempotency_records_sealed_check CHECK ((status = 'sealed') = (request_hash IS NULL));
      -- What the purge reads: a sealed key is kept for the archive's retention.
      CREATE INDEX idempotency_records_sealed_idx ON idempotency_records (expires_at) WHERE status = 'sealed';
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM idempotency_records WHERE status = 'sealed';
      DROP INDEX idempotency_records_sealed_idx;
      ALTER TABLE idempotency_records
        DROP CONSTRAINT idempotency_records_sealed_check,
        DROP CONSTRAINT idempotency_records_status_check,
        ADD CONSTRAINT idempotency_records_status_check CHECK (status IN ('running', 'completed')),
        ALTER COLUMN request_hash SET NOT NULL;
    `);
  }
}
