import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A transaction may leave in one flight, with the claim of its key and with what it remembers of earlier reads as conditions
 * in its SQL. Where one of them doesn't hold, this function aborts all of it, and the service does the work once more, step
 * by step. Part of the core, like the first migration.
 */
export class Speculation1700000000004 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Volatile, so that no plan calls it before its turn in a CASE.
    await runner.query(`
      CREATE FUNCTION speculation_failed() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
      BEGIN
        RAISE EXCEPTION 'speculation failed' USING ERRCODE = 'HF001', HINT = 'The service runs this transaction once more, reading first.';
      END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP FUNCTION speculation_failed()`);
  }
}
