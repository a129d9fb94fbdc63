import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Possible duplicates: the same request under another key, where an endpoint looks for that. */
export class PossibleDuplicates1700000000016 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE idempotency_records ADD COLUMN duplicate_until timestamptz;
      -- Only endpoints that look for duplicates fill the column: the others' rows are not in here.
      CREATE INDEX idempotency_records_duplicate_idx ON idempotency_records (account_id, request_hash) WHERE duplicate_until IS NOT NULL;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX idempotency_records_duplicate_idx;
      ALTER TABLE idempotency_records DROP COLUMN duplicate_until;
    `);
  }
}
