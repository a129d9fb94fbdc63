import { v7 as uuidv7 } from 'uuid';
import { TemporaryPostgres } from '../../local/temporary-postgres.js';
import type { EmbeddedPostgres } from '../../local/embedded-postgres.js';
import { ORDER, startApp, type TestApp, type TestResponse } from '../support/app.js';
import { envOf, on, prepare } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { expectProblem } from '../support/problems.js';

const POOL_SIZE = 4;
/** Connections that one process keeps for other things than requests. */
const OTHER_POOLS = 3 + 3 + 2;

const temporary = new TemporaryPostgres('standby', []);
let server: EmbeddedPostgres;
let app: TestApp;
beforeAll(async () => {
  server = await temporary.ready;
  const url = server.url('postgres');
  await prepare(url);
  const database = { url, env: envOf(url), query: () => Promise.resolve([]), drop: () => Promise.resolve() };
  app = await startApp(database, { DB_POOL_SIZE: String(POOL_SIZE), LOG_LEVEL: 'silent' });
}, 60_000);
afterAll(async () => {
  await app.close();
  await temporary.end();
});

const query = <R>(text: string, values?: unknown[]): Promise<R[]> => on<R>(server.url('postgres'), text, values);
const place = (key: string): Promise<TestResponse> => app.send('POST', '/v1/orders', { key, body: ORDER });

/** Whose answer commits wait for from now on; '' for nobody's. */
async function awaitStandby(name: string): Promise<void> {
  await query(`ALTER SYSTEM SET synchronous_standby_names = '${name}'`);
  await query('SELECT pg_reload_conf()');
  await eventually(
    'the setting',
    async () => (await query(`SELECT 1 WHERE current_setting('synchronous_standby_names') = '${name}'`)).length > 0,
  );
}

/** Backends that wait for the standby. */
async function waiting(): Promise<number> {
  const [row] = await query<{ count: number }>(`SELECT count(*)::int AS count FROM pg_stat_activity WHERE wait_event = 'SyncRep'`);
  return row?.count ?? 0;
}

async function commits(): Promise<unknown> {
  const { status, body } = await app.send('GET', '/health/ready', { as: null });
  expect(status).toBe(200);
  return (body['info'] as { database: { commits?: string } }).database.commits;
}

it('while no synchronous standby answers nothing is confirmed, and reading goes on; afterwards each key has one answer and one order', async () => {
  const stored = uuidv7();
  const answer = await place(stored);
  expect(answer.status).toBe(201);
  await awaitStandby('nobody');

  // More than there are connections: those that got one are cut off, and the others get none for that.
  const cut = Array.from({ length: 3 * POOL_SIZE }, () => uuidv7());
  for (const one of await Promise.all(cut.map(place))) {
    expectProblem(one, 'service-unavailable');
    expect(one.body['retry']).toBe('same-key');
  }
  await eventually('readiness to say so', async () => (await commits()) === 'unconfirmed');

  // By now they are refused before they reach the database, however many come.
  const before = await waiting();
  const refused = Array.from({ length: 60 }, () => uuidv7());
  for (const key of refused) expectProblem(await place(key), 'service-unavailable');
  for (const key of cut) expectProblem(await place(key), 'service-unavailable');
  expect(await waiting()).toBeLessThanOrEqual(before + OTHER_POOLS);
  expect(before).toBeLessThanOrEqual(POOL_SIZE + OTHER_POOLS);

  const again = await place(stored);
  expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([201, answer.text, 'true']);
  expect((await app.send('GET', `/v1/orders/${answer.body['id']}`)).status).toBe(200);

  await awaitStandby('');
  await eventually('commits to be confirmed', async () => (await commits()) === undefined);
  await eventually('what waited to be over', async () => (await waiting()) === 0);
  for (const key of [...cut, ...refused]) expect((await place(key)).status).toBe(201);
  const [row] = await query<{ orders: number; records: number }>(
    `SELECT (SELECT count(*)::int FROM orders) AS orders, (SELECT count(*)::int FROM idempotency_records) AS records`,
  );
  expect(row).toEqual({ orders: 1 + cut.length + refused.length, records: 1 + cut.length + refused.length });
}, 120_000);

it('a process ends in order while commits hang', async () => {
  const other = await startApp({
    url: server.url('postgres'),
    env: envOf(server.url('postgres')),
    query: () => Promise.resolve([]),
    drop: () => Promise.resolve(),
  });
  await awaitStandby('nobody');
  await eventually('the process to notice', async () =>
    (await other.send('GET', '/health/ready', { as: null })).text.includes('unconfirmed'),
  );
  await other.close();
  // All that is left is what hung when it closed, and what the other one waits for.
  expect(await waiting()).toBeGreaterThan(0);
  await awaitStandby('');
  await eventually('what waited to be over', async () => (await waiting()) === 0);
}, 60_000);
