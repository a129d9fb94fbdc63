import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../local/embedded-postgres.js';
import { prepare } from '../support/database.js';
import { temporaryDirectory } from '../local/checkout.js';
import type { TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { countOf, stockOf } from '../support/ledger.js';
import { startProcess, type ApiProcess } from '../support/process.js';

const WORKERS = 10;
const RESTARTS = 2;

const directory = temporaryDirectory();
let server: EmbeddedPostgres;
let replicas: ApiProcess[] = [];
/** With fsync, as in production: what is acknowledged is on the disk. */
const startServer = (port: number): Promise<EmbeddedPostgres> =>
  startEmbeddedPostgres({ directory: join(directory, 'postgres'), port, databases: ['holdfast'] });

beforeAll(async () => {
  server = await startServer(0);
  const url = server.url('holdfast');
  await prepare(url);
  replicas = [await startProcess(url), await startProcess(url)];
});
afterAll(async () => {
  await Promise.all(replicas.map((api) => api.kill('SIGKILL')));
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** What each key was told in the end, and how often it was told something else before. */
const acknowledged = new Map<string, string>();
let retries = 0;

it('an immediate restart of PostgreSQL under load loses no acknowledged order and doubles none', async () => {
  const stop = new AbortController();
  const work = Promise.all(
    Array.from({ length: WORKERS }, async (_, worker) => {
      while (!stop.signal.aborted) await placeUntilAcknowledged(worker);
    }),
  );
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    const before = acknowledged.size;
    await eventually('orders to be acknowledged', () => acknowledged.size > before + 100, 60_000);
    // What `pg_ctl stop -m immediate` sends: no checkpoint, no goodbye; the next start recovers from the log.
    process.kill(server.pid, 'SIGQUIT');
    await server.exited;
    server = await startServer(server.port);
  }
  const before = acknowledged.size;
  await eventually('orders to be acknowledged again', () => acknowledged.size > before + 100, 60_000);
  stop.abort();
  await work;

  expect(retries).toBeGreaterThan(0);
  const database = { query };
  expect(await countOf(database, 'orders')).toBe(acknowledged.size);
  expect(await countOf(database, 'order_items')).toBe(acknowledged.size);
  expect(await countOf(database, 'idempotency_records')).toBe(acknowledged.size);
  expect(await stockOf(database, 'rope-10m')).toBe(1_000_000 - acknowledged.size);
  const stored = await query<{ key: string; body: string }>(
    `SELECT key, convert_from(response_body, 'UTF8') AS body FROM idempotency_records`,
  );
  expect(new Map(stored.map(({ key, body }) => [key, body]))).toEqual(acknowledged);
}, 240_000);

/** One order under one key, sent to the replicas in turn until one answers 201. */
async function placeUntilAcknowledged(worker: number): Promise<void> {
  const key = uuidv7();
  for (let tries = worker; ; tries += 1) {
    const answer = await place(replicas[tries % replicas.length], key);
    if (answer?.status === 201) {
      acknowledged.set(key, answer.text);
      return;
    }
    if (answer && answer.body['retry'] !== 'same-key') throw new Error(`${answer.status}: ${answer.text}`);
    retries += 1;
    await sleep(50);
  }
}

function place(api: ApiProcess | undefined, key: string): Promise<TestResponse | null> {
  const body = { items: [{ productId: 'rope-10m', quantity: 1 }] };
  return api?.send('POST', '/v1/orders', { key, body }).catch(() => null) ?? Promise.resolve(null);
}

async function query<R>(text: string, values: unknown[] = []): Promise<R[]> {
  const client = new Client(server.url('holdfast'));
  await client.connect();
  try {
    return (await client.query(text, values)).rows as R[];
  } finally {
    await client.end();
  }
}
