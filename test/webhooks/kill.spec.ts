import { Client } from 'pg';
import { createMigratedDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { startProcess, type ApiProcess } from '../support/process.js';
import { Receiver, endpointAt, tell, untilAllSettled } from './receiver.js';

let database: TestDatabase;
let receiver: Receiver;
const started: ApiProcess[] = [];
beforeAll(async () => {
  [database, receiver] = await Promise.all([createMigratedDatabase(), Receiver.start()]);
});
beforeEach(async () => {
  receiver.received.length = 0;
  receiver.answer = () => 204;
  await database.query('DELETE FROM webhook_endpoints; DELETE FROM webhook_deliveries; DELETE FROM events');
});
afterEach(() => Promise.all(started.splice(0).map((api) => api.kill('SIGKILL'))));
afterAll(async () => {
  await receiver.close();
  await database.drop();
});

async function start(): Promise<ApiProcess> {
  const api = await startProcess(database.url);
  started.push(api);
  return api;
}

/** Locks a row on a connection of the test's own. */
async function hold(sql: string): Promise<{ release: () => Promise<void> }> {
  const client = new Client(database.url);
  await client.connect();
  await client.query(`BEGIN; ${sql}`);
  return {
    release: async () => {
      await client.query('ROLLBACK');
      await client.end();
    },
  };
}

const passLeases = (): Promise<unknown> =>
  database.query('UPDATE webhook_deliveries SET lease_until = now() WHERE lease_until IS NOT NULL');
const ids = (): unknown[] => receiver.received.map(({ headers }) => headers['webhook-id']);

describe('kill -9 loses nothing', () => {
  it('between an event’s commit and its delivery', async () => {
    const api = await start();
    await endpointAt(api, receiver.url);
    const held = await hold('SELECT FROM webhook_endpoints FOR UPDATE');
    const event = await tell(database, 'ord_1', 1);
    await api.kill('SIGKILL');
    await held.release();
    expect(receiver.received).toEqual([]);
    await start();
    await untilAllSettled(database);
    expect(ids()).toEqual([event]);
  });

  it('while the receiver takes its time', async () => {
    const api = await start();
    await endpointAt(api, receiver.url);
    receiver.answer = () => null;
    const [first, second] = [await tell(database, 'ord_1', 1), await tell(database, 'ord_1', 2)];
    await eventually('the first message', () => receiver.received.length === 1);
    await api.kill('SIGKILL');
    receiver.answer = () => 204;
    await start();
    await passLeases();
    await untilAllSettled(database);
    expect(ids()).toEqual([first, first, second]);
  });

  it('between the receiver’s answer and the word that it came', async () => {
    const api = await start();
    await endpointAt(api, receiver.url);
    receiver.answer = () => null;
    const event = await tell(database, 'ord_1', 1);
    await eventually('the message', () => receiver.received.length === 1);
    const held = await hold('SELECT FROM webhook_deliveries FOR UPDATE');
    receiver.let(204);
    await eventually('the settling to wait', async () => {
      const waiting = await database.query(`SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`);
      return waiting.length > 0;
    });
    await api.kill('SIGKILL');
    await database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    );
    await held.release();
    receiver.answer = () => 204;
    await start();
    await passLeases();
    await untilAllSettled(database);
    expect(ids()).toEqual([event, event]);
  });
});

it('SIGTERM lets a message under way end, and nothing is sent twice', async () => {
  const api = await start();
  await endpointAt(api, receiver.url);
  receiver.answer = () => null;
  const event = await tell(database, 'ord_1', 1);
  await eventually('the message', () => receiver.received.length === 1);
  api.signal('SIGTERM');
  receiver.let(204);
  expect(await api.ended).toBe(0);
  expect(await database.query('SELECT status, lease_until FROM webhook_deliveries')).toEqual([{ status: 'delivered', lease_until: null }]);
  await start();
  await untilAllSettled(database);
  expect(ids()).toEqual([event]);
});

it('SIGTERM leaves a message that takes longer to others', async () => {
  const api = await start();
  await endpointAt(api, receiver.url);
  receiver.answer = () => null;
  await tell(database, 'ord_1', 1);
  await eventually('the message', () => receiver.received.length === 1);
  expect(await api.kill('SIGTERM')).toBe(0);
  expect(await database.query('SELECT status, lease_until, failures FROM webhook_deliveries')).toEqual([
    { status: 'pending', lease_until: null, failures: 0 },
  ]);
});
