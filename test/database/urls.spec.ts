import { ensureDemoAccounts } from '../../src/accounts/demo-accounts.js';
import { KEY_A, KEY_B } from '../support/keys.js';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../local/embedded-postgres.js';
import { migrate } from '../../src/database/migrate.js';
import { buildSandbox } from '../../sandbox/sandbox.js';
import { parseConfig } from '../../src/kernel/config.js';
import { ORDER, startApp } from '../support/app.js';

let server: EmbeddedPostgres;
const directory = mkdtempSync(join(tmpdir(), 'holdfast-urls-'));
const sockets = join(directory, 'sockets');
beforeAll(async () => {
  mkdirSync(sockets);
  // As root the server runs as another account, which must be able to enter, and to make its sockets.
  chmodSync(directory, 0o755);
  chmodSync(sockets, 0o777);
  const flags = ['-c', 'fsync=off', '-c', `unix_socket_directories=${sockets}`];
  server = await startEmbeddedPostgres({ directory: join(directory, 'data'), port: 0, databases: ['holdfast'], flags });
  const { PGUSER, PGPORT } = process.env;
  Object.assign(before, { PGUSER, PGPORT });
  // What a URL doesn't say comes from here, as with psql.
  Object.assign(process.env, { PGUSER: 'holdfast', PGPORT: String(server.port) });
});
const before: Record<string, string | undefined> = {};
afterAll(async () => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

it.each([
  ['a user and a port', () => server.url('holdfast')],
  ['a password that is percent-encoded', () => `postgres://holdfast:p%40ss%2F%3A%25@127.0.0.1:${server.port}/holdfast`],
  ['neither user nor port', () => 'postgres://127.0.0.1/holdfast'],
  ['a user as a parameter', () => `postgresql://127.0.0.1:${server.port}/holdfast?user=holdfast&sslmode=disable`],
  ['no database', () => `postgres://holdfast@127.0.0.1:${server.port}`],
  ['options', () => `postgres://holdfast@127.0.0.1:${server.port}/holdfast?options=-c%20work_mem%3D8MB%20-c%20DateStyle%3DGerman`],
  ['a socket as a parameter', () => `postgres://holdfast@/holdfast?host=${sockets}`],
  ['a socket and no user', () => `postgres:///holdfast?host=${sockets}`],
  ['a socket as the host', () => `postgres://holdfast@${encodeURIComponent(sockets)}/holdfast`],
  ['a socket as the scheme', () => `socket://holdfast@${sockets}?db=holdfast`],
  ['a directory and a name', () => `${sockets} holdfast`],
])('the service runs on a URL with %s', async (_what, url) => {
  const config = parseConfig({ DATABASE_URL: url() });
  const { databaseUrl, sandboxDatabaseUrl } = config;
  await migrate(config);
  await ensureDemoAccounts(databaseUrl, [KEY_A, KEY_B]);
  const app = await startApp({
    url: databaseUrl,
    env: { DATABASE_URL: databaseUrl },
    query: () => Promise.resolve([]),
    drop: () => Promise.resolve(),
  });
  const sandbox = await buildSandbox({ databaseUrl: sandboxDatabaseUrl });
  try {
    expect((await app.send('POST', '/v1/orders', { body: ORDER })).status).toBe(201);
    expect((await app.send('GET', '/health/ready', { as: null })).status).toBe(200);
  } finally {
    await app.close();
    await sandbox.close();
  }
});
