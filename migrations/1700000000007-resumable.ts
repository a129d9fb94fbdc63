import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * From when on a request may take a parked operation over: whoever sends it in a loop doesn't ask the provider in a loop.
 * Null, which no code before this one changes, means at once. Part of the core, like the first migration.
 */
export class Resumable1700000000007 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE idempotency_records ADD COLUMN resumable_at timestamptz`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE idempotency_records DROP COLUMN resumable_at`);
  }
}
