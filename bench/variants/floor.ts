import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import canonicalize from 'canonicalize';
import { Client, Pool, type PoolClient, type QueryResult } from 'pg';
import { pino } from 'pino';
import { TypeID } from 'typeid-js';
import { v7 as uuidv7 } from 'uuid';
import { parseApiKey, secretMatches } from '../../src/accounts/api-key.js';
import { readConfig } from '../../src/kernel/config.js';
import type { CreateOrder } from '../../src/orders/order.dto.js';
import { findProducts, flight, headersOf, makeOrder } from './order-work.js';
import { FIND, FIND_ARCHIVED, INSERT_COMPLETED, LOCK } from './statements.js';

/**
 * The floor: an order with its record, by hand on node:http and node-postgres, in the two flights of the careful path and
 * with its statements; key, fingerprint, validation and log line included. No framework, one route, no second case.
 */
const WINDOW_MS = 86_400_000;
const config = readConfig();
const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
const poolOptions = { connectionString: config.databaseUrl, max: config.poolSize, pipeline: true, Client };
const pool = new Pool(poolOptions);
const { rows: keys } = await pool.query<{ id: string; account_id: string; secret_hash: Buffer }>(
  'SELECT id, account_id, secret_hash FROM api_keys',
);
const accounts = new Map(keys.map((key) => [key.id, key]));

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    answer(request, response, Buffer.concat(chunks)).catch((error: unknown) => {
      response.writeHead(error instanceof Refusal ? error.status : 500).end(String(error));
    });
  });
});

class Refusal extends Error {
  constructor(readonly status: number) {
    super(`refused with ${status}`);
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, bytes: Buffer): Promise<void> {
  const began = performance.now();
  const accountId = accountOf(request.headers.authorization);
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string') throw new Refusal(400);
  const body = validated(JSON.parse(bytes.toString()));
  const requestId = uuidv7();
  const operationId = uuidv7();
  const fingerprint = hash('sha256', `POST\n${request.url}\n\n${canonicalize(body)}`, 'hex');
  const operation = TypeID.fromUUID('op', operationId).toString();
  const { headers, content, expiresAt } = await place(accountId, key, body, { fingerprint, operationId, operation, requestId });
  response
    .writeHead(201, {
      ...headers,
      'content-length': Buffer.byteLength(content),
      'idempotency-key': key,
      'idempotency-expires': expiresAt.toUTCString(),
      'x-request-id': requestId,
    })
    .end(content);
  logger.info(
    { requestId, method: 'POST', route: '/v1/orders', status: 201, ms: performance.now() - began, operationId: operation },
    'request',
  );
}

function accountOf(authorization = ''): string {
  const presented = parseApiKey(authorization.slice('Bearer '.length));
  const known = presented && accounts.get(presented.id);
  if (!known || !secretMatches(presented.secret, known.secret_hash)) throw new Refusal(401);
  return known.account_id;
}

function validated(body: CreateOrder): CreateOrder {
  if (Object.keys(body).some((name) => name !== 'items') || !Array.isArray(body.items)) throw new Refusal(400);
  for (const item of body.items) {
    if (!/^[A-Za-z0-9._-]{1,64}$/.test(item.productId) || !Number.isInteger(item.quantity) || item.quantity < 1) throw new Refusal(400);
  }
  return body;
}

async function place(
  accountId: string,
  key: string,
  body: CreateOrder,
  ids: { fingerprint: string; operationId: string; operation: string; requestId: string },
): Promise<{ headers: Record<string, string>; content: string; expiresAt: Date }> {
  const client: PoolClient = await pool.connect();
  try {
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
      'operation-id': ids.operation,
    };
    const content = JSON.stringify(view);
    const record = [
      accountId,
      key,
      ids.operationId,
      'POST /v1/orders',
      ids.fingerprint,
      201,
      JSON.stringify(headers),
      content,
      headers['location'],
      ids.requestId,
      null,
      WINDOW_MS,
      null,
    ];
    const [inserted, ended] = (await flight(client, [...writes, { ...INSERT_COMPLETED, values: record }, 'COMMIT'])).slice(-2);
    if (!inserted || ended?.command !== 'COMMIT') throw new Refusal(500);
    const [{ expires_at: expiresAt }] = inserted.rows as [{ expires_at: Date }];
    return { headers, content, expiresAt };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

server.listen(config.port, config.host, () => {
  process.send?.({ ready: { url: `http://${config.host}:${(server.address() as AddressInfo).port}` } });
});
process.on('SIGTERM', () => process.exit());
process.on('disconnect', () => process.exit());
