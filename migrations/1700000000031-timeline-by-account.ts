import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The last key without an account among those of the core: by it a table can't be distributed by account. Part of the core, like the first migration. */
export class TimelineByAccount1700000000031 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE idempotency_timeline DROP CONSTRAINT idempotency_timeline_pkey,
                                       ADD CONSTRAINT idempotency_timeline_pkey PRIMARY KEY (account_id, id)
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE idempotency_timeline DROP CONSTRAINT idempotency_timeline_pkey,
                                       ADD CONSTRAINT idempotency_timeline_pkey PRIMARY KEY (id)
    `);
  }
}
