import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Versions of payments and refunds, as their events name them; events of one type are found without reading all others. */
export class Versions1700000000019 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE payments ADD COLUMN version integer NOT NULL DEFAULT 1;
      ALTER TABLE refunds ADD COLUMN version integer NOT NULL DEFAULT 1;
      CREATE INDEX events_type_idx ON events (account_id, type, id);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP INDEX events_type_idx;
      ALTER TABLE refunds DROP COLUMN version;
      ALTER TABLE payments DROP COLUMN version;
    `);
  }
}
