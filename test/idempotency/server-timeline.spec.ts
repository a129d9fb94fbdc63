import { randomBytes } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { migrate } from '../../src/database/migrate.js';
import { ServerTimeline } from '../../src/idempotency/postgres/server-timeline.js';
import { ORDER, startApp, type TestApp } from '../support/app.js';
import { createMigratedDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { recordsOf } from '../support/ledger.js';

let database: TestDatabase;
let app: TestApp;
beforeEach(async () => {
  database = await createMigratedDatabase();
});
afterEach(async () => {
  jest.restoreAllMocks();
  await app.close();
  await database.drop();
});

/** Whether a retry on this replica gets what it remembers, or what is stored by now. */
async function answersFromMemory(key: string): Promise<boolean> {
  const [{ body } = { body: '' }] = await database.query<{ body: string }>(
    `UPDATE idempotency_records SET response_body = convert_to('{"stored":"' || gen_random_uuid() || '"}', 'UTF8') WHERE key = $1
     RETURNING convert_from(response_body, 'UTF8') AS body`,
    [key],
  );
  const { status, text } = await app.send('POST', '/v1/orders', { key, body: ORDER });
  expect(status).toBe(201);
  return text !== body;
}

async function place(): Promise<string> {
  const key = uuidv7();
  expect((await app.send('POST', '/v1/orders', { key, body: ORDER })).status).toBe(201);
  return key;
}

/** A function of the same name that says something else, in the place of PostgreSQL's own. */
async function replace(name: string, args: string, returns: string, body: string): Promise<void> {
  await database.query(`
    ALTER FUNCTION pg_catalog.${name}(${args}) RENAME TO ${name}_of_old;
    CREATE FUNCTION public.${name}(${args}) ${returns} LANGUAGE sql AS $$ ${body} $$`);
}

const read = (): Promise<void> => app.app.get(ServerTimeline, { strict: false }).read();
const readiness = async (): Promise<number> => (await app.send('GET', '/health/ready', { as: null })).status;

it.each<[string, () => Promise<void>]>([
  [
    'it was promoted',
    () => replace('pg_walfile_name', 'pg_lsn', 'RETURNS text', `SELECT '0000000F' || substring(pg_walfile_name_of_old($1), 9)`),
  ],
  [
    'it was set back on its timeline',
    () => replace('pg_current_wal_lsn', '', 'RETURNS pg_lsn', `SELECT '0/0'::pg_lsn + trunc((pg_current_wal_lsn_of_old() - '0/0') / 2)`),
  ],
  [
    'it is another cluster, restored from a dump',
    () =>
      replace(
        'pg_control_system',
        '',
        'RETURNS TABLE (system_identifier bigint)',
        'SELECT system_identifier + 1 FROM pg_control_system_of_old()',
      ),
  ],
])('what a server gave is forgotten, and the next one is taken, when %s', async (_why, become) => {
  app = await startApp(database);
  const key = await place();
  expect(await answersFromMemory(key)).toBe(true);
  await become();
  await read();
  expect(await answersFromMemory(key)).toBe(false);
  expect(await readiness()).toBe(200);
  // What the next one gave is remembered.
  expect(await answersFromMemory(await place())).toBe(true);
});

it('the server is asked by itself, once a second: what is remembered counts on meanwhile, and no longer when another one answers', async () => {
  app = await startApp(database);
  const reads = jest.spyOn(ServerTimeline.prototype, 'read');
  const key = await place();
  // What was read before they began would not count any more.
  await eventually('three readings', () => reads.mock.calls.length > 3);
  expect(await answersFromMemory(key)).toBe(true);
  await replace('pg_walfile_name', 'pg_lsn', 'RETURNS text', `SELECT '0000000F' || substring(pg_walfile_name_of_old($1), 9)`);
  await eventually('another server to be noticed', async () => !(await answersFromMemory(key)));
  expect(await answersFromMemory(await place())).toBe(true);
});

it('an answer from memory counts only for two seconds after the server was seen', async () => {
  app = await startApp(database);
  const key = await place();
  await replace('pg_is_in_recovery', '', 'RETURNS boolean', 'SELECT true');
  expect(await answersFromMemory(key)).toBe(true);
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + 2_000);
  expect(await answersFromMemory(key)).toBe(false);
});

it('a role that may not ask is served from the database, and that is logged once', async () => {
  const role = `plain_${randomBytes(4).toString('hex')}`;
  await database.query(`CREATE ROLE ${role} LOGIN; REVOKE EXECUTE ON FUNCTION pg_walfile_name(pg_lsn) FROM PUBLIC`);
  const url = new URL(database.url);
  url.username = role;
  await migrate({ databaseOwnerUrl: database.url, databaseUrl: url.toString(), backgroundUrl: url.toString() });
  const warn = jest.spyOn(Logger.prototype, 'warn');
  app = await startApp(database, { DATABASE_URL: url.toString(), DATABASE_OWNER_URL: database.url });
  try {
    const key = await place();
    expect(await answersFromMemory(key)).toBe(false);
    await read();
    expect(warn.mock.calls.filter((call) => String(call.at(-1)).includes('timeline'))).toHaveLength(1);
  } finally {
    await app.close();
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`);
    app = await startApp(database);
  }
});

it('a connection to a server that does not tell which one it is, though it could, is not used', async () => {
  app = await startApp(database);
  await place();
  await replace('pg_control_system', '', 'RETURNS TABLE (system_identifier bigint)', 'SELECT 1 / (SELECT 0)::bigint');
  await database.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  );
  const key = uuidv7();
  await eventually('the old connections to be gone', async () => {
    const { status, body } = await app.send('POST', '/v1/orders', { key, body: ORDER });
    expect([status, body['code']]).toEqual([503, 'service-unavailable']);
    return (await readiness()) === 503;
  });
  expect(await recordsOf(database, key)).toEqual([]);
  await database.query(
    'DROP FUNCTION public.pg_control_system(); ALTER FUNCTION pg_catalog.pg_control_system_of_old() RENAME TO pg_control_system',
  );
  await eventually('an order', async () => (await app.send('POST', '/v1/orders', { key, body: ORDER })).status === 201);
});
