import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The gate of payments is opened for servers, one row for each: where tables lie on several, each has its own timeline. */
export class GateByServer1700000000033 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE payments_gate DROP CONSTRAINT payments_gate_one_check, DROP CONSTRAINT payments_gate_pkey, DROP COLUMN id;
      -- One that doesn't tell its cluster is the only one.
      UPDATE payments_gate SET cluster = '' WHERE cluster IS NULL;
      ALTER TABLE payments_gate ADD CONSTRAINT payments_gate_pkey PRIMARY KEY (cluster);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- All rows of one change have its time.
      DELETE FROM payments_gate WHERE cluster <> (SELECT cluster FROM payments_gate ORDER BY changed_at DESC, cluster LIMIT 1);
      ALTER TABLE payments_gate DROP CONSTRAINT payments_gate_pkey;
      ALTER TABLE payments_gate ALTER COLUMN cluster DROP NOT NULL;
      UPDATE payments_gate SET cluster = NULL WHERE cluster = '';
      ALTER TABLE payments_gate ADD COLUMN id boolean NOT NULL DEFAULT true CONSTRAINT payments_gate_one_check CHECK (id),
                                ADD CONSTRAINT payments_gate_pkey PRIMARY KEY (id);
    `);
  }
}
