import { Client, type ClientConfig } from 'pg';
import { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { Idempotency1700000000001 } from '../migrations/1700000000001-idempotency.js';
import { Shop1700000000002 } from '../migrations/1700000000002-shop.js';
import { Payments1700000000003 } from '../migrations/1700000000003-payments.js';
import { Speculation1700000000004 } from '../migrations/1700000000004-speculation.js';
import { Account, ApiKey } from './accounts/account.entity.js';
import { Product } from './catalog/product.entity.js';
import type { Config } from './config.js';
import { ArchivedRecord, IdempotencyRecord, IdempotencyReplay, TimelineEntry } from './idempotency/index.js';
import { Order, OrderItem } from './orders/order.entity.js';
import { Payment, ProviderEvent, Refund } from './payments/payment.entity.js';
import { Ticket } from './tickets/ticket.entity.js';

/** TypeORM's name of the small pool for authentication, purge and other work that handlers must not starve. */
export const BACKGROUND = 'background';

const BACKGROUND_POOL_SIZE = 3;
/** How long a request waits for a connection before it is told to come back, in milliseconds. */
const POOL_WAIT_MS = 2_000;
/** How long a statement may stay without an answer; above statement_timeout, so that the server's own word comes first. */
const ANSWER_WAIT_MS = 20_000;

/** read_only_sql_transaction */
const READ_ONLY = '25006';

const migrations = [Idempotency1700000000001, Shop1700000000002, Payments1700000000003, Speculation1700000000004];

/**
 * A connection that is never without an ear for its errors. The pool and TypeORM listen too, but the latter only from a
 * moment after connecting: a server that ends the session in between would end this process, by an error nobody heard.
 */
class AttendedClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.on('error', () => undefined);
    // The session has not ended, but it leads to a server that became a standby: the pool lets go of a client that is ending.
    this.connection.on('errorMessage', ({ code }: { code?: string }) => {
      if (code === READ_ONLY) void this.end();
    });
  }
}

/** TypeORM's options for one pool on the given database. */
export function databaseOptions(url: string, poolSize: number): PostgresDataSourceOptions {
  return {
    type: 'postgres',
    url,
    entities: [
      Account,
      ApiKey,
      Product,
      Order,
      OrderItem,
      Payment,
      Refund,
      ProviderEvent,
      Ticket,
      IdempotencyRecord,
      IdempotencyReplay,
      TimelineEntry,
      ArchivedRecord,
    ],
    migrations,
    migrationsTableName: 'migrations',
    poolSize,
    applicationName: 'holdfast',
    extra: {
      // Statements issued together leave together; what issues them one by one sees no difference.
      pipeline: true,
      Client: AttendedClient,
      connectionTimeoutMillis: POOL_WAIT_MS,
      keepAlive: true,
    },
  };
}

/** Options of the pool that handlers use. */
export function mainPool(config: Config): PostgresDataSourceOptions {
  return bounded(databaseOptions(config.databaseUrl, config.poolSize));
}

/** Options of the background pool. */
export function backgroundPool(config: Config): PostgresDataSourceOptions {
  return bounded(databaseOptions(config.databaseUrl, BACKGROUND_POOL_SIZE));
}

/** The server's own limits need a server that runs: a frozen one, or a network that drops packets, is given up from here. */
function bounded(options: PostgresDataSourceOptions): PostgresDataSourceOptions {
  return { ...options, extra: { ...options.extra, query_timeout: ANSWER_WAIT_MS } };
}

/** "holdfast" in ASCII, as a number: the advisory lock under which one process at a time migrates. */
const MIGRATION_LOCK = 0x686f6c64;

/**
 * Applies pending migrations under a lock, so that replicas that start together don't collide, and sets the limits of
 * the role that the API uses. PgBouncer refuses such settings at connection start, so they belong to the role.
 */
export async function migrate(ownerUrl: string, apiUrl: string): Promise<void> {
  // One connection, so that the session's lock and limits hold for the migrations too: the role's own limits, set below the
  // last time, would cut a long migration off, or the wait for another replica's.
  const dataSource = await new DataSource(databaseOptions(ownerUrl, 1)).initialize();
  try {
    for (const limit of Object.keys(LIMITS)) await dataSource.query(`SET ${limit} = 0`);
    await dataSource.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations({ transaction: 'each' });
    await limitRole(dataSource, decodeURIComponent(new URL(apiUrl).username));
  } finally {
    // Ending the session gives the lock back.
    await dataSource.destroy();
  }
}

/** Limits of every session of the API's role in this database (PostgreSQL manual, sections 19.11 and 19.3.2). */
const LIMITS = {
  lock_timeout: '5s',
  statement_timeout: '15s',
  idle_in_transaction_session_timeout: '10s',
  // A client that was killed leaves its backend waiting for a lock; this ends it.
  client_connection_check_interval: '1s',
};

async function limitRole(dataSource: DataSource, apiRole: string): Promise<void> {
  const [names] = await dataSource.query<{ owner: string; database: string }[]>(
    `SELECT quote_ident(current_user) AS owner, quote_ident(current_database()) AS database`,
  );
  if (!names) return;
  const [role] = await dataSource.query<{ name: string }[]>(`SELECT quote_ident(rolname) AS name FROM pg_roles WHERE rolname = $1`, [
    apiRole,
  ]);
  const name = role?.name ?? names.owner;
  for (const [setting, value] of Object.entries(LIMITS)) {
    await dataSource.query(`ALTER ROLE ${name} IN DATABASE ${names.database} SET ${setting} = '${value}'`);
  }
  if (name === names.owner) return;
  await dataSource.query(`GRANT USAGE ON SCHEMA public TO ${name}`);
  await dataSource.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${name}`);
}

/** True when this code knows no migration that the database doesn't have. */
export async function isMigrated(dataSource: DataSource): Promise<boolean> {
  const rows = await dataSource.query<{ name: string }[]>('SELECT name FROM migrations');
  const applied = new Set(rows.map((row) => row.name));
  return migrations.every((migration) => applied.has(migration.name));
}
