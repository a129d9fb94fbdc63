import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The last try of a request is told apart from the last replay of its answer, so that a story has both where they happened. */
export class LastTry1700000000029 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE idempotency_replays ADD COLUMN last_try_at timestamptz');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE idempotency_replays DROP COLUMN last_try_at');
  }
}
