import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import canonicalize from 'canonicalize';
import { Client, Pool, type PoolClient } from 'pg';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { parseApiKey, secretMatches } from '../../src/accounts/api-key.js';
import { newOperationId, publicOperationId } from '../../src/idempotency/operation-id.js';
import { readConfig } from '../../src/kernel/config.js';
import { orRollBack } from './order-work.js';

/** What a floor needs of a service, by hand on node:http and node-postgres: one route, its keys, its log line, and no second case. */
export const config = readConfig();

/** A request as it came in, with what is made of it. */
export interface Asked {
  accountId: string;
  key: string;
  body: unknown;
  /** SHA-256 in hexadecimal digits. */
  fingerprint: string;
  /** uuid */
  operationId: string;
  requestId: string;
}

/** What is answered, with 201. */
export interface Answered {
  headers: Record<string, string>;
  content: string;
  expiresAt: Date;
}

/** Answers with this status. */
export class Refusal extends Error {
  constructor(readonly status: number) {
    super(`refused with ${status}`);
  }
}

const logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime });
const poolOptions = { connectionString: config.databaseUrl, max: config.poolSize, pipeline: true, Client };
const pool = new Pool(poolOptions);
const { rows: keys } = await pool.query<{ id: string; account_id: string; secret_hash: Buffer }>(
  'SELECT id, account_id, secret_hash FROM api_keys',
);
const accounts = new Map(keys.map((key) => [key.id, key]));

/** Serves one route, and says so to the parent. `execute` may throw a Refusal. */
export function serveByHand(route: string, execute: (asked: Asked) => Promise<Answered>): void {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      answer(route, execute, request, response, Buffer.concat(chunks)).catch((error: unknown) => {
        response.writeHead(error instanceof Refusal ? error.status : 500).end(String(error));
      });
    });
  });
  server.listen(config.port, config.host, () => {
    process.send?.({ ready: { url: `http://${config.host}:${(server.address() as AddressInfo).port}` } });
  });
  process.on('SIGTERM', () => process.exit());
  process.on('disconnect', () => process.exit());
}

/** Runs `work` on a connection of the pool; a failure rolls back. */
export async function inTransaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await orRollBack(client, work);
  } finally {
    client.release();
  }
}

async function answer(
  route: string,
  execute: (asked: Asked) => Promise<Answered>,
  request: IncomingMessage,
  response: ServerResponse,
  bytes: Buffer,
): Promise<void> {
  const began = performance.now();
  const accountId = accountOf(request.headers.authorization);
  const key = request.headers['idempotency-key'];
  if (typeof key !== 'string') throw new Refusal(400);
  const body: unknown = JSON.parse(bytes.toString());
  const requestId = uuidv7();
  const operationId = newOperationId();
  const fingerprint = hash('sha256', `POST\n${request.url}\n\n${canonicalize(body)}`, 'hex');
  const { headers, content, expiresAt } = await execute({ accountId, key, body, fingerprint, operationId, requestId });
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
    { requestId, method: 'POST', route, status: 201, ms: performance.now() - began, operationId: publicOperationId(operationId) },
    'request',
  );
}

function accountOf(authorization = ''): string {
  const presented = parseApiKey(authorization.slice('Bearer '.length));
  const known = presented && accounts.get(presented.id);
  if (!known || !secretMatches(presented.secret, known.secret_hash)) throw new Refusal(401);
  return known.account_id;
}
