import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { TestDatabase } from './database.js';
import { eventually } from './eventually.js';

/** A lock that a test holds on a connection of its own. */
export interface Hold {
  release(): Promise<void>;
  /** Keeps what the statement changed. */
  commit(): Promise<void>;
}

/** Opens a transaction, runs the statement and keeps what it locks until `release`. */
export async function hold(database: Pick<TestDatabase, 'url'>, text: string, values: unknown[] = []): Promise<Hold> {
  const client = new Client(database.url);
  // A server that a test stops cuts this connection too.
  client.on('error', () => undefined);
  await client.connect();
  await client.query('SET idle_in_transaction_session_timeout = 0');
  await client.query('BEGIN');
  await client.query(text, values);
  const finish = async (how: 'ROLLBACK' | 'COMMIT'): Promise<void> => {
    await client.query(how).catch(() => undefined);
    await client.end();
  };
  return { release: () => finish('ROLLBACK'), commit: () => finish('COMMIT') };
}

/** Holds a product of every account: an order of it waits with its last flight, the record and COMMIT behind it. */
export function holdProduct(database: Pick<TestDatabase, 'url'>, id = '123'): Promise<Hold> {
  return hold(database, 'SELECT FROM products WHERE id = $1 FOR UPDATE', [id]);
}

/** The process ids of the backends that wait for a lock in this database. */
export async function blockedBackends(database: Pick<TestDatabase, 'query'>): Promise<number[]> {
  const rows = await database.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows.map((row) => row.pid);
}

/** Waits until some backends wait for a lock, and within half a second no more of them come. */
export async function untilAllAreBlocked(database: Pick<TestDatabase, 'query'>): Promise<void> {
  let [before, now] = [0, (await untilBlocked(database)).length];
  while (now > before) {
    await sleep(500);
    [before, now] = [now, (await blockedBackends(database)).length];
  }
}

/** Waits until `count` backends wait for a lock. */
export function untilBlocked(database: Pick<TestDatabase, 'query'>, count = 1): Promise<number[]> {
  return eventually(`${count} backends to wait for a lock`, async () => {
    const pids = await blockedBackends(database);
    return pids.length >= count && pids;
  });
}
