import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is known after a restore: whether payments may go on, and what became of charges whose payment was lost. */
export class Restores1700000000024 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- The cluster that this server belongs to and the timeline that it writes on; a part that it doesn't tell is null.
      CREATE FUNCTION current_server(OUT cluster text, OUT timeline integer) LANGUAGE plpgsql STABLE AS $$
        BEGIN
          cluster := (SELECT system_identifier::text FROM pg_control_system());
          timeline := ('x' || substring(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer;
        EXCEPTION WHEN insufficient_privilege OR undefined_function OR feature_not_supported OR object_not_in_prerequisite_state THEN
          NULL;
        END $$;

      CREATE TABLE payments_gate (
        -- There is one row.
        id         boolean     NOT NULL DEFAULT true,
        is_open    boolean     NOT NULL,
        -- The server that it was opened for.
        cluster    text,
        timeline   integer,
        changed_at timestamptz NOT NULL,
        changed_by text        NOT NULL,
        note       text        NOT NULL,
        CONSTRAINT payments_gate_pkey PRIMARY KEY (id),
        CONSTRAINT payments_gate_one_check CHECK (id)
      );
      INSERT INTO payments_gate (is_open, cluster, timeline, changed_at, changed_by, note)
      SELECT true, cluster, timeline, now(), current_user, 'migration' FROM current_server();

      -- Without the row nothing is known, and payments wait.
      CREATE FUNCTION payments_gate_is_open(any_timeline boolean) RETURNS boolean LANGUAGE sql STABLE AS $$
        SELECT coalesce(bool_and(g.is_open AND g.cluster IS NOT DISTINCT FROM s.cluster
                                 AND (any_timeline OR g.timeline IS NOT DISTINCT FROM s.timeline)), false)
          FROM payments_gate g, current_server() s
      $$;

      CREATE TABLE restored_charges (
        account_id       uuid        NOT NULL,
        -- Of the lost payment, which its key leads to again.
        reference        text        NOT NULL,
        charge_id        text        NOT NULL,
        amount           bigint      NOT NULL,
        currency         text        NOT NULL,
        order_id         uuid        NOT NULL,
        payment_id       uuid        NOT NULL,
        charged_at       timestamptz NOT NULL,
        outcome          text        NOT NULL,
        -- The provider's id of the refund; null until it is known.
        refund_id        text,
        refund_reference text,
        decided_at       timestamptz NOT NULL,
        decided_by       text        NOT NULL,
        note             text        NOT NULL,
        CONSTRAINT restored_charges_pkey PRIMARY KEY (account_id, reference),
        CONSTRAINT restored_charges_outcome_check CHECK (outcome IN ('adopted', 'refunded'))
      );
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE restored_charges;
      DROP FUNCTION payments_gate_is_open(boolean);
      DROP TABLE payments_gate;
      DROP FUNCTION current_server();
    `);
  }
}
