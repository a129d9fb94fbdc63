import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { ensureDemoAccounts } from '../../src/accounts/demo-accounts.js';
import { migrate, type DatabaseUrls } from '../../src/database/migrate.js';
import { EMBEDDED_ROLES } from '../../src/kernel/config.js';
import { KEY_A, KEY_B } from './keys.js';

/** A database of one test file. */
export interface TestDatabase {
  url: string;
  /** The variables that name it, each role by its own address. */
  env: Record<string, string>;
  /** Runs one statement on a connection of its own. */
  query<R = Record<string, unknown>>(text: string, values?: unknown[]): Promise<R[]>;
  drop(): Promise<void>;
}

const TEMPLATE = 'holdfast_template';

function serverUrl(): string {
  const url = process.env['TEST_SERVER_URL'];
  if (!url) throw new Error('No test server: run the tests with `npm test` or `npx jest`, which start one, or set TEST_SERVER_URL');
  return url;
}

function urlOf(database: string): string {
  const url = new URL(serverUrl());
  url.pathname = `/${database}`;
  return url.toString();
}

/** One statement on a connection of its own. */
export async function on<R>(url: string, text: string, values: unknown[] = []): Promise<R[]> {
  const client = new Client(url);
  // A server that a test kills cuts this connection too.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(text, values)).rows as R[];
  } finally {
    await client.end();
  }
}

/** An empty database, or with `migrated` a clone of the template. */
async function create(template: string | undefined): Promise<TestDatabase> {
  // Never one that another file has left behind when it failed.
  const name = `holdfast_test_${randomBytes(8).toString('hex')}`;
  await on(serverUrl(), `CREATE DATABASE ${name}${template ? ` TEMPLATE ${template}` : ''}`);
  const url = urlOf(name);
  // A clone has the template's tables, but not the limits that `migrate` sets for the role in a database.
  if (template) {
    await migrate(urlsOf(url));
    // What a test asks is not cut off by a limit that it tries.
    for (const limit of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'])
      await on(url, `ALTER ROLE CURRENT_USER IN DATABASE ${name} SET ${limit} = 0`);
  }
  return {
    url,
    env: envOf(url),
    query: (text, values) => on(url, text, values),
    drop: async () => {
      await on(serverUrl(), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** The database as each role; whoever owns it is the superuser of the tests. */
export function urlsOf(url: string): DatabaseUrls {
  const as = (role: string): string => {
    const own = new URL(url);
    own.username = role;
    return own.toString();
  };
  return { databaseOwnerUrl: url, databaseUrl: as(EMBEDDED_ROLES.api), backgroundUrl: as(EMBEDDED_ROLES.background) };
}

/** Migrates a database and makes the accounts of the tests' keys in it. */
export async function prepare(url: string): Promise<void> {
  await migrate(urlsOf(url));
  await ensureDemoAccounts(url, [KEY_A, KEY_B]);
}

/** The variables of a database that is reached as each role. */
export function envOf(url: string): Record<string, string> {
  const { databaseUrl, backgroundUrl } = urlsOf(url);
  return { DATABASE_URL: databaseUrl, DATABASE_BACKGROUND_URL: backgroundUrl, DATABASE_OWNER_URL: url };
}

export function createDatabase(): Promise<TestDatabase> {
  return create(undefined);
}

export function createMigratedDatabase(): Promise<TestDatabase> {
  return create(TEMPLATE);
}
