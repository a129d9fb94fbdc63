import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A catalogue that its account changes: products have versions and may be deleted, and each change of a stock is written down. */
export class Catalogue1700000000017 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE products
        -- Counts changes of name and price, deletions and returns; not the stock, which changes with every order.
        ADD COLUMN version integer NOT NULL DEFAULT 1,
        -- The row of a deleted product stays: for its stock, which cancelled orders give back, and so that no ETag ever means two things.
        ADD COLUMN deleted_at timestamptz;

      -- How each stock came about, beside what orders took and gave back.
      CREATE TABLE stock_changes (
        account_id   uuid        NOT NULL,
        id           uuid        NOT NULL,
        product_id   text        COLLATE "C" NOT NULL,
        change       integer     NOT NULL,
        reason       text,
        -- Null for the stock at first, which nobody asked for.
        operation_id uuid,
        created_at   timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT stock_changes_pkey PRIMARY KEY (account_id, id)
      );
      INSERT INTO stock_changes (account_id, id, product_id, change, reason)
      SELECT p.account_id, gen_random_uuid(), p.id, p.stock + coalesce(o.taken, 0), 'the stock at first'
        FROM products p
        LEFT JOIN (SELECT i.account_id, i.product_id, sum(i.quantity)::integer AS taken
                     FROM order_items i JOIN orders o ON o.account_id = i.account_id AND o.id = i.order_id
                    WHERE o.status <> 'cancelled' GROUP BY i.account_id, i.product_id) o
          ON o.account_id = p.account_id AND o.product_id = p.id;

      -- A product was changed between its price's reading and its stock's taking: the transaction runs again, as after any
      -- serialization failure. Volatile, so that no plan calls it before its turn in a CASE.
      CREATE FUNCTION product_changed() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
      BEGIN
        RAISE EXCEPTION 'a product was changed while it was ordered' USING ERRCODE = 'serialization_failure';
      END $$;
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      DROP FUNCTION product_changed();
      DROP TABLE stock_changes;
      ALTER TABLE products DROP COLUMN version, DROP COLUMN deleted_at
    `);
  }
}
