import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Possible duplicates, the same request under another key, where an endpoint looks for that; and what clients say of their retries. */
export class DuplicatesAndRetries1700000000016 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE idempotency_records ADD COLUMN duplicate_until timestamptz;
      -- Only endpoints that look for duplicates fill the column: the others' rows are not in here.
      CREATE INDEX idempotency_records_duplicate_idx ON idempotency_records (account_id, request_hash) WHERE duplicate_until IS NOT NULL;

      ALTER TABLE idempotency_replays
        ADD COLUMN tries integer NOT NULL DEFAULT 0,
        ADD COLUMN highest_attempt integer;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DELETE FROM idempotency_replays WHERE count = 0;
      ALTER TABLE idempotency_replays DROP COLUMN tries, DROP COLUMN highest_attempt;
      DROP INDEX idempotency_records_duplicate_idx;
      ALTER TABLE idempotency_records DROP COLUMN duplicate_until;
    `);
  }
}
