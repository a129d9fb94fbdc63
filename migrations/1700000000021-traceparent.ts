import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Records name the trace of the request that claimed the key, so that replays and recovered steps can be linked to it. */
export class Traceparent1700000000021 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE idempotency_records ADD COLUMN traceparent text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE idempotency_records DROP COLUMN traceparent');
  }
}
