import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A reference derives from an account and its key, so it is as unique as before; the provider's events look by the reference alone. */
export class ReferencesByAccount1700000000032 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await replaceIndexes(runner, 'reference, account_id');
  }

  async down(runner: QueryRunner): Promise<void> {
    await replaceIndexes(runner, 'reference');
  }
}

async function replaceIndexes(runner: QueryRunner, columns: string): Promise<void> {
  for (const table of ['payments', 'refunds']) {
    await runner.query(`
      DROP INDEX ${table}_reference_idx;
      CREATE UNIQUE INDEX ${table}_reference_idx ON ${table} (${columns});
    `);
  }
}
