import { Agent, get, type IncomingMessage } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import { KEY_A, ORDER, atOnce, startApp } from '../support/app.js';
import { createMigratedDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A, countOf, recordsOf, stockOf } from '../support/ledger.js';
import { blockedBackends, hold, holdProduct, untilBlocked } from '../support/locks.js';
import { expectProblem } from '../support/problems.js';
import { startProcess, type ApiProcess } from '../support/process.js';

let database: TestDatabase;
let api: ApiProcess;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterEach(() => api.kill('SIGKILL'));
afterAll(() => database.drop());

it('SIGTERM lets requests in flight finish and takes no new ones; every answer was true', async () => {
  api = await startProcess(database.url);
  const before = await stockOf(database, '123');
  const held = await hold(database, `SELECT FROM products WHERE id = '123' AND account_id = '${ACCOUNT_A}' FOR UPDATE`);
  const running = atOnce(5, () => api.send('POST', '/v1/orders', { key: uuidv7(), body: ORDER }));
  await untilBlocked(database, 5);
  api.signal('SIGTERM');
  await eventually('new connections to be refused', () => refused(api.url));
  expect(await blockedBackends(database)).toHaveLength(5);
  await held.release();
  const answers = await running;
  expect(answers.map((answer) => answer.status)).toEqual([201, 201, 201, 201, 201]);
  for (const answer of answers) expect(answer.headers.get('connection')).toBe('close');
  expect(await api.ended).toBe(0);
  expect(await stockOf(database, '123')).toBe(before - 5);
  expect(await countOf(database, 'idempotency_records')).toBe(5);
});

it('SIGTERM does not wait for clients that keep their connection open, and gives every database connection back', async () => {
  api = await startProcess(database.url);
  const agent = new Agent({ keepAlive: true });
  const kept = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${api.url}/v1/products`, { agent, headers: { authorization: `Bearer ${KEY_A}` } }, resolve).on('error', reject);
  });
  kept.resume();
  expect(kept.statusCode).toBe(200);
  expect(await api.kill('SIGTERM')).toBe(0);
  agent.destroy();
  // The server ends a session a moment after it was told to.
  const sessions = `datname = current_database() AND application_name = 'holdfast'`;
  await eventually('every session to end', async () => (await countOf(database, 'pg_stat_activity', sessions)) === 0);
});

it('with DRAIN_TIME it answers on after SIGTERM, over new connections too, while readiness says no; then it ends', async () => {
  api = await startProcess(database.url, { DRAIN_TIME: '3s' });
  const ready = async (): Promise<number> => (await fetch(`${api.url}/health/ready`)).status;
  expect(await ready()).toBe(200);
  api.signal('SIGTERM');
  await eventually('readiness to say no', async () => (await ready()) === 503);
  const placed = await api.send('POST', '/v1/orders', { body: ORDER });
  expect([placed.status, placed.headers.get('connection')]).toEqual([201, 'close']);
  expect(await api.ended).toBe(0);
  expect(await refused(api.url)).toBe(true);
});

it("a request that waits for another process's key is told so when its process ends", async () => {
  const other = await startApp(database);
  api = await startProcess(database.url);
  const [key, before] = [uuidv7(), await stockOf(database)];
  const held = await holdProduct(database);
  const first = other.send('POST', '/v1/orders', { key, body: ORDER });
  try {
    await untilBlocked(database);
    const waiting = api.send('POST', '/v1/orders', { key, body: ORDER, headers: { prefer: 'wait=30' } });
    await eventually('the second process to find the key taken', hasRolledBack);
    api.signal('SIGTERM');
    expectProblem(await waiting, 'idempotency-request-in-progress');
    expect(await api.ended).toBe(0);
    expect(await untilBlocked(database)).toHaveLength(1);
    expect(await recordsOf(database, key)).toEqual([]);
  } finally {
    await held.release();
    await first.finally(() => other.close());
  }
  expect((await first).status).toBe(201);
  expect(await recordsOf(database, key)).toHaveLength(1);
  expect(await stockOf(database)).toBe(before - 1);
});

it('a shutdown in order logs no error', async () => {
  api = await startProcess(database.url);
  expect((await api.send('POST', '/v1/orders', { body: ORDER })).status).toBe(201);
  expect(await api.kill('SIGTERM')).toBe(0);
  expect(api.log()).toEqual([]);
});

/** True when a session's last statement gave a claim up. */
async function hasRolledBack(): Promise<boolean> {
  const ours = `datname = current_database() AND application_name = 'holdfast'`;
  return (await countOf(database, 'pg_stat_activity', `${ours} AND query = 'ROLLBACK'`)) > 0;
}

/** True when nobody listens there any more. */
function refused(url: string): Promise<boolean> {
  return fetch(`${url}/health/live`, { headers: { connection: 'close' } }).then(
    () => false,
    () => true,
  );
}
