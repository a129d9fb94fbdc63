import { setTimeout as sleep } from 'node:timers/promises';
import { Client, DatabaseError, Pool, escapeIdentifier, type PoolClient } from 'pg';
import type { Logger } from 'pino';
import { databaseOf, withDatabase } from '../src/kernel/database-url.js';

/** The answer to COMMIT never came: the effect may be there or not, and only a look at the database tells. */
export class UnknownOutcome extends Error {}

const TABLES = `
  -- Two sandboxes that start at once would both find a table missing: CREATE TABLE IF NOT EXISTS doesn't protect from that.
  SELECT pg_advisory_xact_lock(7203411925501);

  CREATE TABLE IF NOT EXISTS charges (
    id text PRIMARY KEY,
    key text NOT NULL CONSTRAINT charges_one_per_key UNIQUE,
    reference text NOT NULL,
    amount bigint NOT NULL CONSTRAINT charges_amount CHECK (amount > 0),
    currency text NOT NULL,
    source text NOT NULL,
    created_at timestamptz(3) NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY
  );
  ALTER TABLE charges ADD COLUMN IF NOT EXISTS metadata jsonb;
  CREATE INDEX IF NOT EXISTS charges_reference ON charges (reference);

  CREATE TABLE IF NOT EXISTS refunds (
    id text PRIMARY KEY,
    charge_id text NOT NULL REFERENCES charges,
    key text NOT NULL CONSTRAINT refunds_one_per_key UNIQUE,
    reference text NOT NULL,
    amount bigint NOT NULL CONSTRAINT refunds_amount CHECK (amount > 0),
    currency text NOT NULL,
    created_at timestamptz(3) NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY
  );
  ALTER TABLE refunds ADD COLUMN IF NOT EXISTS metadata jsonb;
  CREATE INDEX IF NOT EXISTS refunds_reference ON refunds (reference);
  CREATE INDEX IF NOT EXISTS refunds_charge ON refunds (charge_id);

  -- What each key was answered; body is text, so that a repeat gets the same bytes.
  CREATE TABLE IF NOT EXISTS results (
    key text PRIMARY KEY,
    parameters jsonb NOT NULL,
    status integer NOT NULL,
    body text NOT NULL
  );

  -- How often a key failed on purpose before it may have an effect.
  CREATE TABLE IF NOT EXISTS attempts (key text PRIMARY KEY, failures integer NOT NULL);

  CREATE TABLE IF NOT EXISTS requests (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    method text NOT NULL,
    path text NOT NULL,
    key text,
    reference text,
    at timestamptz(3) NOT NULL DEFAULT clock_timestamp()
  );

  -- Events that nobody has accepted yet; a delivered one is deleted.
  CREATE TABLE IF NOT EXISTS events (
    id text PRIMARY KEY,
    body text NOT NULL,
    deliveries integer NOT NULL DEFAULT 0,
    next_delivery_at timestamptz NOT NULL DEFAULT clock_timestamp()
  );
  CREATE INDEX IF NOT EXISTS events_next_delivery ON events (next_delivery_at);
`;

/**
 * Connects to the sandbox's database, waiting for it, creating it where that is allowed, and creates the tables.
 * @throws Error with a sentence for people once `waitMs` is over
 */
export async function openDatabase(url: string, log: Logger, waitMs: number): Promise<Pool> {
  const pool = new Pool({ ...connection(url), max: 20 });
  // Without these two a connection that dies, idle or in use, would take the whole process with it.
  pool.on('error', (error) => log.warn(`a database connection was lost: ${reasonOf(error)}`));
  pool.on('connect', (client) => client.on('error', () => undefined));

  const { host, port } = new Client(connection(url));
  const place = `${host}:${port}/${databaseOf(url)}`;
  const deadline = performance.now() + waitMs;
  let lastReason = '';
  for (;;) {
    const reason = await createTables(pool, url);
    if (reason === null) return pool;
    if (performance.now() >= deadline) {
      await pool.end();
      throw new Error(`The sandbox's database ${place} could not be used within ${waitMs / 1000} s: ${reason}`);
    }
    if (reason !== lastReason) log.info(`waiting up to ${waitMs / 1000} s for the sandbox's database ${place}: ${reason}`);
    lastReason = reason;
    await sleep(200);
  }
}

/** Everything `work` does commits together, or nothing does. A connection that failed once is not used again: closing it is the rollback. */
export async function inTransaction<T>(pool: Pool, begin: string, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let healthy = false;
  try {
    await client.query(begin);
    const result = await work(client);
    await client.query('COMMIT').catch((error: unknown) => {
      throw new UnknownOutcome('no answer to COMMIT', { cause: error });
    });
    healthy = true;
    return result;
  } finally {
    client.release(!healthy);
  }
}

function connection(url: string) {
  return { connectionString: url, application_name: 'holdfast-sandbox', connectionTimeoutMillis: 5_000, query_timeout: 15_000 };
}

/** Null when all is well, else what is in the way. */
async function createTables(pool: Pool, url: string): Promise<string | null> {
  try {
    // One simple query of many statements is one transaction (PostgreSQL manual, 54.2.2.1).
    await pool.query(TABLES);
    return null;
  } catch (error) {
    const missing = error instanceof DatabaseError && error.code === '3D000';
    return missing ? `${reasonOf(error)}; ${await createDatabase(url)}` : reasonOf(error);
  }
}

async function createDatabase(url: string): Promise<string> {
  const pool = new Pool({ ...connection(withDatabase(url, 'postgres')), max: 1 });
  pool.on('error', () => undefined);
  try {
    await pool.query(`CREATE DATABASE ${escapeIdentifier(databaseOf(url))}`);
    return 'created it';
  } catch (error) {
    return `creating it: ${reasonOf(error)}`;
  } finally {
    await pool.end();
  }
}

/** Node reports a host with several addresses that all refuse as an AggregateError with an empty message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
