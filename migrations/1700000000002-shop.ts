import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Accounts, catalogue, orders and tickets. Every key leads with account_id, so that the schema
 * can be distributed by account without a rewrite. Nothing that is written on the hot path refers to `accounts`: the
 * foreign key would lock the account's one row in every transaction, and accounts are never deleted.
 */
export class Shop1700000000002 implements MigrationInterface {
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
        -- Part of what is presented: a test key is none of the live ones under another name.
        mode        text        NOT NULL DEFAULT 'test' CONSTRAINT api_keys_mode_check CHECK (mode IN ('test', 'live')),
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
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP TABLE tickets, order_items, orders, products, api_keys, accounts
    `);
  }
}
