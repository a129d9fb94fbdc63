import { hash } from 'node:crypto';
import type { PoolClient, QueryResult } from 'pg';
import { publicOperationId } from '../../src/idempotency/operation-id.js';
import type { CreateOrder } from '../../src/orders/order.dto.js';
import { Refusal, inTransaction, serveByHand, type Answered, type Asked } from './by-hand.js';
import { findProducts, flight, headersOf, makeOrder } from './order-work.js';
import { FIND, FIND_ARCHIVED, INSERT_COMPLETED, LOCK } from './statements.js';

/**
 * The floor: an order with its record, by hand on node:http and node-postgres, in the two flights of the careful path and
 * with its statements; key, fingerprint, validation and log line included. No framework, one route, no second case.
 */
const WINDOW_MS = 86_400_000;

serveByHand('/v1/orders', (asked) => {
  const body = validated(asked.body as CreateOrder);
  return inTransaction((client) => place(client, asked, body));
});

function validated(body: CreateOrder): CreateOrder {
  if (Object.keys(body).some((name) => name !== 'items') || !Array.isArray(body.items)) throw new Refusal(400);
  for (const item of body.items) {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(item.productId) || !Number.isInteger(item.quantity) || item.quantity < 1) throw new Refusal(400);
  }
  return body;
}

async function place(
  client: PoolClient,
  { accountId, key, fingerprint, operationId, requestId }: Asked,
  body: CreateOrder,
): Promise<Answered> {
  const lock = hash('sha256', `${accountId}\0${key}`, 'buffer').readBigInt64BE(0).toString();
  const [, locked, found, archived, products] = (await flight(client, [
    'BEGIN',
    { ...LOCK, values: [lock, accountId] },
    { ...FIND, values: [accountId, key] },
    { ...FIND_ARCHIVED, values: [accountId, key] },
    findProducts(accountId, body),
  ])) as [QueryResult, QueryResult, QueryResult, QueryResult, QueryResult];
  const [{ locked: won }] = locked.rows as [{ locked: boolean }];
  if (!won || found.rows.length > 0 || archived.rows.length > 0) throw new Refusal(409);
  const { view, writes } = makeOrder(accountId, body, products.rows);
  const headers: Record<string, string> = {
    'content-type': 'application/json; charset=utf-8',
    ...headersOf(view),
    'operation-id': publicOperationId(operationId),
  };
  const content = JSON.stringify(view);
  const record = [
    accountId,
    key,
    operationId,
    'POST /v1/orders',
    fingerprint,
    201,
    JSON.stringify(headers),
    content,
    headers['location'],
    requestId,
    null,
    WINDOW_MS,
    null,
  ];
  const [inserted, ended] = (await flight(client, [...writes, { ...INSERT_COMPLETED, values: record }, 'COMMIT'])).slice(-2);
  if (!inserted || ended?.command !== 'COMMIT') throw new Refusal(500);
  const [{ expires_at: expiresAt }] = inserted.rows as [{ expires_at: Date }];
  return { headers, content, expiresAt };
}
