import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Until when a payment is wanted, as its first request said: it outlives whoever was told. */
export class Deadlines1700000000018 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE payments ADD COLUMN deadline timestamptz`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE payments DROP COLUMN deadline`);
  }
}
