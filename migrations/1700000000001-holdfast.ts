import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Accounts, catalogue, orders, tickets and the idempotency records. Every key leads with account_id, so that the schema
 * can be distributed by account without a rewrite. Nothing that is written on the hot path refers to `accounts`: the
 * foreign key would lock the account's one row in every transaction, and accounts are never deleted.
 */
export class Holdfast1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE accounts (
        id         uuid        CONSTRAINT accounts_pkey PRIMARY KEY,
        name       text        NOT NULL,
        currency   text        NOT NULL CONSTRAINT accounts_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
        created_at timestamptz NOT NULL DEFAULT now()
      );

      -- The id is the public part of the key and finds the row; of the secret only the SHA-256 is kept.
      CREATE TABLE api_keys (
        id          text        CONSTRAINT api_keys_pkey PRIMARY KEY,
        account_id  uuid        NOT NULL CONSTRAINT api_keys_account_fkey REFERENCES accounts (id),
        name        text        NOT NULL,
        secret_hash bytea       NOT NULL CONSTRAINT api_keys_hash_check CHECK (octet_length(secret_hash) = 32),
        scopes      text[]      NOT NULL,
        created_at  timestamptz NOT NULL DEFAULT now(),
        expires_at  timestamptz,
        revoked_at  timestamptz
      );
      -- Listing and rotating the keys of one account.
      CREATE INDEX api_keys_account_idx ON api_keys (account_id);

      CREATE TABLE products (
        account_id uuid    NOT NULL,
        id         text    COLLATE "C" NOT NULL,
        name       text    NOT NULL,
        unit_price bigint  NOT NULL CONSTRAINT products_price_check CHECK (unit_price BETWEEN 1 AND 9999999999),
        currency   text    NOT NULL,
        -- The judge of two orders that race for the last piece.
        stock      integer NOT NULL CONSTRAINT products_stock_check CHECK (stock >= 0),
        CONSTRAINT products_pkey PRIMARY KEY (account_id, id)
      )
      -- Stock changes with every order: room on each page keeps those updates off the index (HOT).
      WITH (fillfactor = 50);

      CREATE TABLE orders (
        account_id         uuid        NOT NULL,
        id                 uuid        NOT NULL,
        status             text        NOT NULL CONSTRAINT orders_status_check CHECK (status IN ('pending', 'paid', 'cancelled')),
        currency           text        NOT NULL,
        total              bigint      NOT NULL CONSTRAINT orders_total_check CHECK (total BETWEEN 1 AND 999999999999),
        customer_reference text,
        -- json, not jsonb: the client gets its members back in the order in which it sent them.
        metadata           json        NOT NULL,
        version            integer     NOT NULL DEFAULT 1,
        created_at         timestamptz NOT NULL,
        updated_at         timestamptz NOT NULL,
        -- Lists go by id, newest first: UUIDv7 sorts by time, so the primary key serves them.
        CONSTRAINT orders_pkey PRIMARY KEY (account_id, id)
      );
      -- Lists filtered by status.
      CREATE INDEX orders_status_idx ON orders (account_id, status, id);

      -- Name and price are copied from the catalogue, so that an order tells what was agreed, whatever becomes of the product.
      CREATE TABLE order_items (
        account_id uuid    NOT NULL,
        order_id   uuid    NOT NULL,
        line_no    integer NOT NULL,
        product_id text    COLLATE "C" NOT NULL,
        name       text    NOT NULL,
        quantity   integer NOT NULL CONSTRAINT order_items_quantity_check CHECK (quantity BETWEEN 1 AND 1000),
        unit_price bigint  NOT NULL,
        CONSTRAINT order_items_pkey PRIMARY KEY (account_id, order_id, line_no),
        CONSTRAINT order_items_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES orders (account_id, id)
      );

      CREATE TABLE tickets (
        account_id  uuid        NOT NULL,
        id          uuid        NOT NULL,
        subject     text        NOT NULL,
        description text        NOT NULL,
        order_id    uuid,
        status      text        NOT NULL CONSTRAINT tickets_status_check CHECK (status IN ('open', 'pending', 'closed')),
        priority    text        NOT NULL CONSTRAINT tickets_priority_check CHECK (priority IN ('low', 'normal', 'high')),
        version     integer     NOT NULL DEFAULT 1,
        created_at  timestamptz NOT NULL,
        updated_at  timestamptz NOT NULL,
        CONSTRAINT tickets_pkey PRIMARY KEY (account_id, id),
        CONSTRAINT tickets_order_fkey FOREIGN KEY (account_id, order_id) REFERENCES orders (account_id, id)
      );
      CREATE INDEX tickets_status_idx ON tickets (account_id, status, id);

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
    await runner.query(`
      DROP TABLE idempotency_archive, idempotency_timeline, idempotency_replays, idempotency_records, tickets, order_items, orders, products, api_keys, accounts
    `);
  }
}
