import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The inbox of the provider's events is purged by age. */
export class Inbox1700000000006 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // The purge reads the oldest ones alone, once a minute.
    await runner.query(`CREATE INDEX provider_events_received_idx ON provider_events (received_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX provider_events_received_idx`);
  }
}
