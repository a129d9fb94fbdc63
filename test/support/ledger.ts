import { v7 as uuidv7 } from 'uuid';
import { fingerprint } from '../../src/idempotency/requests/fingerprint.js';
import type { TestDatabase } from './database.js';

/** The accounts that KEY_A and KEY_B open. */
export const ACCOUNT_A = '018bcfe5-6800-7000-8000-00000000000a';
export const ACCOUNT_B = '018bcfe5-6800-7000-8000-00000000000b';

type Queries = Pick<TestDatabase, 'query'>;

/** One row of idempotency_records, as the tests look at it. */
export interface RecordRow {
  account_id: string;
  key: string;
  operation_id: string;
  operation: string;
  status: string;
  response_status: number;
  response_headers: Record<string, string>;
  response_body: Buffer;
  resource: string | null;
  trace_id: string | null;
  completed_at: Date;
  expires_at: Date;
}

/** How many rows a table has, or those of them that `where` lets through. */
export async function countOf(database: Queries, table: string, where = 'true', values: unknown[] = []): Promise<number> {
  const [row] = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table} WHERE ${where}`, values);
  return row?.count ?? 0;
}

/** The records of a key, in every account. */
export function recordsOf(database: Queries, key: string): Promise<RecordRow[]> {
  return database.query<RecordRow>('SELECT * FROM idempotency_records WHERE key = $1 ORDER BY account_id', [key]);
}

export async function stockOf(database: Queries, productId = '123', accountId = ACCOUNT_A): Promise<number> {
  const [row] = await database.query<{ stock: number }>('SELECT stock FROM products WHERE account_id = $1 AND id = $2', [
    accountId,
    productId,
  ]);
  return row?.stock ?? 0;
}

export async function setStock(database: Queries, stock: number, productId = '123', accountId = ACCOUNT_A): Promise<void> {
  await database.query(
    `WITH before AS (SELECT stock FROM products WHERE account_id = $1 AND id = $2),
          changed AS (UPDATE products SET stock = $3::integer WHERE account_id = $1 AND id = $2)
     INSERT INTO stock_changes (account_id, id, product_id, change) SELECT $1, gen_random_uuid(), $2, $3::integer - stock FROM before`,
    [accountId, productId, stock],
  );
}

/** A product of account A that only one test knows. */
export async function addProduct(database: Queries, { stock = 1_000, unitPrice = 100, accountId = ACCOUNT_A } = {}): Promise<string> {
  const id = `p-${uuidv7()}`;
  await database.query(
    `WITH made AS (INSERT INTO products (account_id, id, name, unit_price, currency, stock) VALUES ($1, $2, 'A test product', $3, 'EUR', $4))
     INSERT INTO stock_changes (account_id, id, product_id, change) VALUES ($1, gen_random_uuid(), $2, $4::integer)`,
    [accountId, id, unitPrice, stock],
  );
  return id;
}

/** What a request of long ago left behind. */
export interface OldRecord {
  key: string;
  method?: string;
  url?: string;
  request: unknown;
  status?: number;
  headers?: Record<string, string>;
  body: string;
  ifMatch?: string;
  resource?: string | null;
  expiresIn?: string;
}

/** Inserts a completed record as an earlier version of the service, with other rules, might have. Returns the operation's uuid. */
export async function insertRecord(database: Queries, record: OldRecord): Promise<string> {
  const {
    key,
    method = 'POST',
    url = '/v1/orders',
    request,
    status = 201,
    headers = {},
    body,
    resource = null,
    ifMatch,
    expiresIn = '1 hour',
  } = record;
  const operationId = uuidv7();
  await database.query(
    `INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, response_status,
                                      response_headers, response_body, resource, window_ms, created_at, completed_at, expires_at)
     VALUES ($1, $2, $3, $4, decode($5, 'hex'), 'completed', $6, $7, $8, $9, 86400000, now(), now(), now() + $10::interval)`,
    [
      ACCOUNT_A,
      key,
      operationId,
      `${method} ${url}`,
      fingerprint({ method, url, ifMatch, body: request }),
      status,
      JSON.stringify({ 'content-type': 'application/json; charset=utf-8', ...headers }),
      Buffer.from(body),
      resource,
      expiresIn,
    ],
  );
  return operationId;
}

/** Inserts what the purge leaves of a record. Returns the operation's uuid. */
export async function insertArchived(database: Queries, key: string, resource: string | null): Promise<string> {
  const operationId = uuidv7();
  await database.query(
    `INSERT INTO idempotency_archive (account_id, key, operation_id, operation, resource, response_status, attempts, replays,
                                      created_at, completed_at, expires_at, archived_at)
     VALUES ($1, $2, $3, 'POST /v1/orders', $4, 201, 1, 0, now(), now(), now(), now())`,
    [ACCOUNT_A, key, operationId, resource],
  );
  return operationId;
}
