import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { migrate } from '../../src/database/migrate.js';

/** A database of one test file. */
export interface TestDatabase {
  url: string;
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
  if (template) await migrate(url, url);
  return {
    url,
    query: (text, values) => on(url, text, values),
    drop: async () => {
      await on(serverUrl(), `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

export function createDatabase(): Promise<TestDatabase> {
  return create(undefined);
}

export function createMigratedDatabase(): Promise<TestDatabase> {
  return create(TEMPLATE);
}
