/** A statement that is prepared once per connection, under its name. */
interface Statement {
  name: string;
  text: string;
}

/** What an order says to the database, the same as the service does. */
export const FIND_PRODUCTS: Statement = {
  name: 'products-find',
  text: `SELECT id, name, unit_price, currency, stock FROM products WHERE account_id = $1 AND id = ANY ((SELECT $2::text[])::text[])`,
};

export const INSERT_ORDER: Statement = {
  name: 'orders-insert',
  text: `INSERT INTO orders (account_id, id, status, currency, total, customer_reference, metadata, version, created_at, updated_at)
         VALUES ($1, $2, 'pending', $3, $4, $5, $6, 1, $7, $7)`,
};

export const INSERT_ITEMS: Statement = {
  name: 'order-items-insert',
  text: `INSERT INTO order_items (account_id, order_id, line_no, product_id, name, quantity, unit_price)
         SELECT $1, $2, i.line_no, i.product_id, i.name, i.quantity, i.unit_price
           FROM unnest($3::text[], $4::text[], $5::int[], $6::bigint[]) WITH ORDINALITY
                AS i (product_id, name, quantity, unit_price, line_no)`,
};

export const CHANGE_STOCK: Statement = {
  name: 'products-change-stock',
  text: `UPDATE products SET stock = stock + $3 WHERE account_id = $1 AND id = $2`,
};

/** What its record says, the same as the service does. */
export const LOCK: Statement = {
  name: 'idempotency-lock',
  text: `SELECT pg_try_advisory_xact_lock($1::bigint) AS locked, date_trunc('milliseconds', clock_timestamp()) AS now`,
};

export const FIND: Statement = {
  name: 'idempotency-find',
  text: `SELECT operation_id, request_hash, status, response_status, response_headers, response_body, resource, expires_at,
                (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::float8 AS remaining_ms,
                status = 'running' AND (lease_until IS NULL OR lease_until <= clock_timestamp()) AS interrupted
           FROM idempotency_records WHERE account_id = $1 AND key = $2`,
};

export const FIND_ARCHIVED: Statement = {
  name: 'idempotency-find-archived',
  text: `SELECT operation_id, resource FROM idempotency_archive WHERE account_id = $1 AND key = $2`,
};

export const INSERT_RECORD: Statement = {
  name: 'idempotency-insert-completed',
  text: `INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, response_status,
                                          response_headers, response_body, resource, trace_id, window_ms,
                                          created_at, completed_at, expires_at)
         SELECT $1::uuid, $2::text, $3::uuid, $4::text, $5::bytea, 'completed', $6::int, $7::jsonb, $8::bytea, $9::text, $10::text, $11::bigint,
                now(), clock_timestamp(), clock_timestamp() + $11::bigint * interval '1 millisecond' RETURNING expires_at`,
};
