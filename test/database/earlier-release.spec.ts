import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataSource, type MigrationInterface } from 'typeorm';
import { Idempotency1700000000001 } from '../../migrations/1700000000001-idempotency.js';
import { Shop1700000000002 } from '../../migrations/1700000000002-shop.js';
import { Payments1700000000003 } from '../../migrations/1700000000003-payments.js';
import { Speculation1700000000004 } from '../../migrations/1700000000004-speculation.js';
import { buildSandbox, type Sandbox } from '../../sandbox/sandbox.js';
import { databaseOptions } from '../../src/database/data-source.js';
import { startApp, type TestApp, type TestResponse } from '../support/app.js';
import { createDatabase, prepare, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import type { ProviderLedger } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

/** The migrations that the earlier release had. */
const MIGRATIONS: (new () => MigrationInterface)[] = [
  Idempotency1700000000001,
  Shop1700000000002,
  Payments1700000000003,
  Speculation1700000000004,
];

/** What earlier-release/make.mjs has made. */
interface Earlier {
  madeAt: string;
  asked: {
    is: 'completed' | 'expired' | 'archived' | 'charged' | 'not charged';
    request: { method: string; path: string; key: string; body: Record<string, unknown>; headers: Record<string, string> };
    answer: { status: number; text: string; headers: Record<string, string> } | null;
  }[];
  /** What the provider had of the first of the interrupted payments. */
  charge: { key: string; reference: string; amount: number; currency: string; source: string };
  rows: Record<string, Record<string, unknown>[]>;
}

type Asked = Earlier['asked'][number];

const earlier = JSON.parse(readFileSync(join(__dirname, 'earlier-release/rows.json'), 'utf8')) as Earlier;
const those = (...kinds: Asked['is'][]): Asked[] => earlier.asked.filter(({ is }) => kinds.includes(is));

let database: TestDatabase;
let sandboxDatabase: TestDatabase;
let sandbox: Sandbox;
let provider: string;
let api: TestApp;
beforeAll(async () => {
  [database, sandboxDatabase] = await Promise.all([createDatabase(), createDatabase()]);
  await writeRows();
  await prepare(database.url);
  sandbox = await buildSandbox({ databaseUrl: sandboxDatabase.url });
  provider = await sandbox.listen(0, '127.0.0.1');
  await charge();
  // What is parked or was left is taken over by those who ask.
  const env = { PROVIDER_URL: provider, IDEMPOTENCY_RECOVERY_INTERVAL: '10m', IDEMPOTENCY_PURGE_INTERVAL: '10m' };
  api = await startApp(database, env);
}, 60_000);
afterAll(async () => {
  await api.close();
  await sandbox.close();
  await Promise.all([database.drop(), sandboxDatabase.drop()]);
});

/** The rows as the earlier release wrote them, in its tables, and as much before now as they were before they were read. */
async function writeRows(): Promise<void> {
  const options = { ...databaseOptions(database.url, 1), migrations: MIGRATIONS };
  const source = await new DataSource(options).initialize();
  await source.runMigrations({ transaction: 'each' });
  await source.destroy();
  for (const [table, rows] of Object.entries(earlier.rows)) {
    await database.query(`INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM json_populate_recordset(NULL::${table}, $1)`, [
      JSON.stringify(rows),
    ]);
  }
  // Its next ids follow those.
  await database.query(`SELECT setval(pg_get_serial_sequence('idempotency_timeline', 'id'), max(id)) FROM idempotency_timeline`);
  const times = await database.query<{ table: string; column: string }>(
    `SELECT table_name AS table, column_name AS column FROM information_schema.columns
      WHERE table_name = ANY ($1) AND data_type = 'timestamp with time zone'`,
    [Object.keys(earlier.rows)],
  );
  for (const { table, column } of times) await database.query(`UPDATE ${table} SET ${column} = ${column} + (now() - $1)`, [earlier.madeAt]);
}

/** The provider has a charge, as the earlier release has asked for it. */
async function charge(): Promise<void> {
  const { key, ...body } = earlier.charge;
  const headers = { 'idempotency-key': key, 'content-type': 'application/json' };
  // Its source never answers the first time.
  const asking = new AbortController();
  const asked = fetch(`${provider}/charges`, { method: 'POST', headers, body: JSON.stringify(body), signal: asking.signal });
  await eventually('the charge', async () => (await ledger()).charges.length === 1);
  asking.abort();
  await asked.catch(() => undefined);
  expect((await ledger()).charges).toEqual([expect.objectContaining({ reference: body.reference, amount: body.amount })]);
}

async function ledger(): Promise<ProviderLedger> {
  return (await fetch(`${provider}/ledger`)).json() as Promise<ProviderLedger>;
}

function again({ request }: Asked, other: Partial<Asked['request']> = {}): Promise<TestResponse> {
  const { method, path, headers, ...more } = { ...request, ...other };
  return api.send(method, path, { ...more, headers: { prefer: 'wait=20', ...headers } });
}

/** How many rows a replay might have added to. */
async function counts(): Promise<unknown> {
  const [row] = await database.query(
    `SELECT (SELECT count(*) FROM orders)::int AS orders, (SELECT count(*) FROM tickets)::int AS tickets, (SELECT count(*) FROM events)::int AS events,
            (SELECT count(*) FROM payments)::int AS payments, (SELECT count(*) FROM refunds)::int AS refunds, (SELECT sum(stock) FROM products)::int AS stock`,
  );
  return row;
}

describe('what an earlier release has stored', () => {
  it('is answered byte for byte, and nothing is done again', async () => {
    const before = await counts();
    const completed = those('completed');
    expect(new Set(completed.map(({ answer }) => answer?.status))).toEqual(new Set([200, 201, 402, 409, 412, 422]));
    for (const asked of completed) {
      const { status, text, headers } = await again(asked);
      const stored = Object.fromEntries(Object.keys(asked.answer?.headers ?? {}).map((name) => [name, headers.get(name)]));
      expect({ key: asked.request.key, status, text, headers: stored }).toEqual({ key: asked.request.key, ...asked.answer });
      expect([headers.get('idempotent-replayed'), headers.get('cache-control')]).toEqual(['true', 'no-store']);
    }
    expect(await counts()).toEqual(before);
  });

  it('is no answer to another request, by the rule of then', async () => {
    for (const asked of those('completed')) {
      expectProblem(await again(asked, { body: { ...asked.request.body, more: 1 } }), 'idempotency-key-reused');
      expectProblem(await again(asked, { path: `${asked.request.path}?more=1` }), 'idempotency-key-reused');
      const { headers } = asked.request;
      if (headers['if-match']) expectProblem(await again(asked, { headers: { 'if-match': '"8"' } }), 'idempotency-key-reused');
    }
  });

  it('is gone when its window has passed, whether it was purged or not', async () => {
    const before = await counts();
    for (const asked of those('expired', 'archived')) {
      const answer = await again(asked);
      expectProblem(answer, 'idempotency-key-expired');
      const first = asked.answer?.headers;
      expect(answer.body['operationId']).toBe(first?.['operation-id']);
      expect(answer.headers.get('link')).toBe(`<${first?.['location']}>; rel="related"`);
    }
    expect(await counts()).toEqual(before);
  });

  it('is found as an operation, with its story', async () => {
    for (const { request, answer } of those('completed', 'archived')) {
      const { body } = await api.send('GET', `/v1/operations?idempotencyKey=${encodeURIComponent(request.key)}`);
      expect(body['data']).toEqual([
        expect.objectContaining({ id: answer?.headers['operation-id'], status: 'completed', response: { status: answer?.status } }),
      ]);
    }
  });
});

it.each(['charged', 'not charged'] as const)('a payment that an earlier release left %s is finished, and charges once', async (is) => {
  const [asked] = those(is);
  if (!asked) throw new Error(`there is no payment that is ${is}`);
  const [first, second] = [await again(asked), await again(asked)];
  expect([first.status, first.body['status'], second.status, second.text]).toEqual([201, 'succeeded', 201, first.text]);
  const { charges } = await ledger();
  const { orderId, amount } = asked.request.body;
  expect(charges.filter((made) => made.amount === amount)).toEqual([expect.objectContaining({ id: first.body['providerReference'] })]);
  expect((await api.send('GET', `/v1/orders/${String(orderId)}`)).body['status']).toBe('paid');
});
