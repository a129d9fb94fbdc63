import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The tables of the core, which need nothing else: another application that lifts `src/idempotency` takes this migration
 * with it. Every key leads with account_id, so that the tables can be distributed by account without a rewrite.
 */
export class Idempotency1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE idempotency_records (
        account_id       uuid        NOT NULL,
        key              text        COLLATE "C" NOT NULL CONSTRAINT idempotency_records_key_check CHECK (length(key) BETWEEN 1 AND 255),
        operation_id     uuid        NOT NULL,
        operation        text        NOT NULL,
        request_hash     bytea       NOT NULL CONSTRAINT idempotency_records_hash_check CHECK (octet_length(request_hash) = 32),
        status           text        NOT NULL CONSTRAINT idempotency_records_status_check CHECK (status IN ('running', 'completed')),
        recovery_point   text,
        step_no          integer     NOT NULL DEFAULT 0,
        subject_id       uuid,
        attempt          integer     NOT NULL DEFAULT 1,
        lease_until      timestamptz,
        next_run_at      timestamptz,
        parked_reason    text,
        response_status  integer,
        response_headers jsonb,
        -- Bytes, not JSON: a replay is what was sent.
        response_body    bytea       CONSTRAINT idempotency_records_body_check CHECK (octet_length(response_body) <= 2097152),
        resource         text,
        trace_id         text,
        window_ms        bigint      NOT NULL,
        created_at       timestamptz NOT NULL,
        completed_at     timestamptz,
        expires_at       timestamptz,
        -- The judge of races: one key, one record, one effect.
        CONSTRAINT idempotency_records_pkey PRIMARY KEY (account_id, key),
        -- Operations are read by their id.
        CONSTRAINT idempotency_records_operation_key UNIQUE (account_id, operation_id),
        -- Whatever is unfinished will be found by the recoverer.
        CONSTRAINT idempotency_records_running_check CHECK (status <> 'running' OR (recovery_point IS NOT NULL AND next_run_at IS NOT NULL)),
        CONSTRAINT idempotency_records_completed_check CHECK (
          status <> 'completed'
          OR (response_status IS NOT NULL AND response_body IS NOT NULL AND completed_at IS NOT NULL AND expires_at IS NOT NULL))
      )
      -- Rows are inserted, purged in batches and never grow old: vacuum comes after 1 % instead of 20 %.
      WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.05);
      -- What the purge reads.
      CREATE INDEX idempotency_records_expires_idx ON idempotency_records (expires_at) WHERE status = 'completed';
      -- What the recoverer reads; unfinished operations are few.
      CREATE INDEX idempotency_records_running_idx ON idempotency_records (next_run_at) WHERE status = 'running';

      CREATE TABLE idempotency_replays (
        account_id   uuid        NOT NULL,
        operation_id uuid        NOT NULL,
        reason       text        NOT NULL,
        count        integer     NOT NULL,
        last_at      timestamptz NOT NULL,
        CONSTRAINT idempotency_replays_pkey PRIMARY KEY (account_id, operation_id, reason)
      );

      CREATE TABLE idempotency_timeline (
        id           bigint      GENERATED ALWAYS AS IDENTITY CONSTRAINT idempotency_timeline_pkey PRIMARY KEY,
        account_id   uuid        NOT NULL,
        operation_id uuid        NOT NULL,
        at           timestamptz NOT NULL,
        event        text        NOT NULL,
        detail       text        NOT NULL
      );
      CREATE INDEX idempotency_timeline_operation_idx ON idempotency_timeline (account_id, operation_id, id);

      CREATE TABLE idempotency_archive (
        account_id      uuid        NOT NULL,
        key             text        COLLATE "C" NOT NULL,
        operation_id    uuid        NOT NULL,
        operation       text        NOT NULL,
        resource        text,
        response_status integer     NOT NULL,
        attempts        integer     NOT NULL,
        replays         integer     NOT NULL,
        created_at      timestamptz NOT NULL,
        completed_at    timestamptz NOT NULL,
        expires_at      timestamptz NOT NULL,
        archived_at     timestamptz NOT NULL,
        -- One probe tells a first request from a late one, so the table is not partitioned by time.
        CONSTRAINT idempotency_archive_pkey PRIMARY KEY (account_id, key)
      )
      -- Its own retention deletes as much as arrives: vacuum follows closely, and new rows take the room.
      WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.05);
      -- An archived operation is still found by its id.
      CREATE INDEX idempotency_archive_operation_idx ON idempotency_archive (account_id, operation_id);
      -- What the archive's retention reads.
      CREATE INDEX idempotency_archive_archived_idx ON idempotency_archive (archived_at);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE idempotency_archive, idempotency_timeline, idempotency_replays, idempotency_records`);
  }
}
