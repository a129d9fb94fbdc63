import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Events name the trace of what made them true, which webhooks pass on. */
export class EventsTraceparent1700000000022 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE events ADD COLUMN traceparent text');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE events DROP COLUMN traceparent');
  }
}
