import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Ids of API keys without a checksum are listed while strangers make some up: the few of them, and not all keys. Keys that are
 * there count as such until they are rotated, and so do those that are made by hand.
 */
export class UncheckedKeyIds1700000000028 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE api_keys ADD COLUMN id_has_checksum boolean NOT NULL DEFAULT false;
      CREATE INDEX api_keys_unchecked_idx ON api_keys (id) WHERE NOT id_has_checksum
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE api_keys DROP COLUMN id_has_checksum');
  }
}
