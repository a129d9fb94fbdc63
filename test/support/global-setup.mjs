import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startEmbeddedPostgres } from '../../dist/local/embedded-postgres.js';
import { ensureDemoAccounts } from '../../dist/src/accounts/demo-accounts.js';
import { migrate } from '../../dist/src/database/migrate.js';

/**
 * One PostgreSQL for the whole run, with a migrated template database that each test file clones. TEST_SERVER_URL may
 * name another server, whose user may create databases. Runs on the build, as the crash tests do.
 */
export default async function setUp() {
  const server = process.env.TEST_SERVER_URL ?? (await startServer());
  process.env.TEST_SERVER_URL = server;
  await createTemplate(server);
}

async function startServer() {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
  // As root the server runs as another account, which must be able to enter.
  chmodSync(directory, 0o755);
  // Nothing here outlives the run, so nothing needs to reach the disk.
  const flags = ['-c', 'fsync=off', '-c', 'full_page_writes=off', '-c', 'max_connections=400'];
  const server = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), port: 0, databases: [], flags });
  globalThis.testServer = { server, directory };
  return server.url('postgres');
}

async function createTemplate(server) {
  const client = new Client(server);
  await client.connect();
  // One of an earlier run may have other tables.
  await client.query('DROP DATABASE IF EXISTS holdfast_template WITH (FORCE)');
  await client.query('CREATE DATABASE holdfast_template');
  await client.end();
  const url = new URL(server);
  url.pathname = '/holdfast_template';
  const as = (role) => Object.assign(new URL(url), { username: role }).toString();
  const databaseOwnerUrl = url.toString();
  await migrate({ databaseOwnerUrl, databaseUrl: as('holdfast_api'), backgroundUrl: as('holdfast_background') });
  // The keys of test/support/app.ts.
  await ensureDemoAccounts(databaseOwnerUrl, [`hf_test_${'a'.repeat(26)}_secretofaccounta`, `hf_test_${'b'.repeat(26)}_secretofaccountb`]);
}
