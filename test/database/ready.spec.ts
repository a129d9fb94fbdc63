import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../local/embedded-postgres.js';
import { prepare, envOf } from '../support/database.js';
import { ORDER, startApp, startWorld, type TestApp } from '../support/app.js';
import { eventually } from '../support/eventually.js';

/** What readiness answers: its status, and why. */
async function readiness(app: TestApp): Promise<string> {
  const { status, body } = await app.send('GET', '/health/ready', { as: null });
  const { database } = (body['error'] ?? {}) as { database?: { reason: string } };
  return `${status} ${database?.reason}`;
}

const READY = '200 undefined';

/** Waits until the app is not ready for this reason, or with null until it is ready. */
async function expectState(app: TestApp, reason: string | null): Promise<void> {
  const wanted = reason === null ? READY : `503 ${reason}`;
  await eventually(wanted, async () => (await readiness(app)) === wanted);
}

describe('a server that does not take writes', () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-ready-'));
  const data = join(directory, 'data');
  let server: EmbeddedPostgres;
  let app: TestApp;
  const start = (port: number): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({ directory: data, port, databases: [], flags: ['-c', 'fsync=off'] });
  beforeAll(async () => {
    // As root the server runs as another account, which must be able to enter.
    chmodSync(directory, 0o755);
    server = await start(0);
    const url = server.url('postgres');
    await prepare(url);
    app = await startApp({ url, env: envOf(url), query: () => Promise.resolve([]), drop: () => Promise.resolve() });
  });
  afterAll(async () => {
    await app.close();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  it('a standby is not ready, and is once it is promoted', async () => {
    expect(await readiness(app)).toBe(READY);
    const { port } = server;
    await server.stop();
    expect(await readiness(app)).toBe('503 the database does not answer');
    const { uid, gid } = statSync(data);
    writeFileSync(join(data, 'standby.signal'), '');
    chownSync(join(data, 'standby.signal'), uid, gid);
    // It counts as started when it takes writes.
    const promoted = start(port);
    await expectState(app, 'the database is read-only');
    const client = new Client(server.url('postgres'));
    await client.connect();
    await client.query('SELECT pg_promote()');
    await client.end();
    server = await promoted;
    await expectState(app, null);
    expect((await app.send('POST', '/v1/orders', { body: ORDER })).status).toBe(201);
  });
});

describe('a database that does not take writes', () => {
  let world: Awaited<ReturnType<typeof startWorld>>;
  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(() => world.close());

  /** Changes the database, then ends the sessions that began before. */
  const change = async (sql: string): Promise<void> => {
    await world.database.query(`BEGIN READ WRITE; ${sql}; COMMIT`);
    await world.database.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'holdfast'`,
    );
  };
  it('is read-only by a setting', async () => {
    const name = new URL(world.database.url).pathname.slice(1);
    await change(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    await expectState(world, 'the database is read-only');
    await change(`ALTER DATABASE ${name} RESET default_transaction_read_only`);
    await expectState(world, null);
  });

  it('has no tables, or an older schema', async () => {
    const [{ name } = { name: '' }] = await world.database.query<{ name: string }>('SELECT max(name) AS name FROM migrations');
    await change('ALTER TABLE migrations RENAME TO elsewhere');
    await expectState(world, 'migrations are pending');
    await change('ALTER TABLE elsewhere RENAME TO migrations');
    await expectState(world, null);
    await change(`UPDATE migrations SET name = 'x' WHERE name = '${name}'`);
    await expectState(world, 'migrations are pending');
    await change(`UPDATE migrations SET name = '${name}' WHERE name = 'x'`);
    await expectState(world, null);
  });
});
