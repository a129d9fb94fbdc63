import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A price is money as any other and has its limits; a total is checked by itself. */
export class Prices1700000000025 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE products
        DROP CONSTRAINT products_price_check,
        ADD CONSTRAINT products_price_check CHECK (unit_price BETWEEN 1 AND 999999999999)
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE products
        DROP CONSTRAINT products_price_check,
        ADD CONSTRAINT products_price_check CHECK (unit_price BETWEEN 1 AND 9999999999)
    `);
  }
}
