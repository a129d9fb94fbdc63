import { Client, type ClientConfig } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { Idempotency1700000000001 } from '../../migrations/1700000000001-idempotency.js';
import { Shop1700000000002 } from '../../migrations/1700000000002-shop.js';
import { Payments1700000000003 } from '../../migrations/1700000000003-payments.js';
import { Speculation1700000000004 } from '../../migrations/1700000000004-speculation.js';
import type { Config } from '../kernel/config.js';

/** TypeORM's name of the small pool for purge, recovery and other work that handlers must not starve. */
export const BACKGROUND = 'background';
/** The same for looking up API keys: whoever sends many unknown ones keeps nobody else waiting. */
export const AUTHENTICATION = 'authentication';

const BACKGROUND_POOL_SIZE = 3;
const AUTHENTICATION_POOL_SIZE = 2;
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

/** What TypeORM reads and writes through a pool; statements as text need none. */
type Entities = NonNullable<PostgresDataSourceOptions['entities']>;

/** TypeORM's options for one pool on the given database. */
export function databaseOptions(url: string, poolSize: number, entities: Entities = []): PostgresDataSourceOptions {
  return {
    type: 'postgres',
    url,
    entities,
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
export function mainPool(config: Config, entities?: Entities): PostgresDataSourceOptions {
  return bounded(databaseOptions(config.databaseUrl, config.poolSize, entities));
}

/** Options of the background pool. */
export function backgroundPool(config: Config, entities?: Entities): PostgresDataSourceOptions {
  return bounded(databaseOptions(config.databaseUrl, BACKGROUND_POOL_SIZE, entities));
}

/** Options of the pool for authentication. */
export function authenticationPool(config: Config, entities?: Entities): PostgresDataSourceOptions {
  return bounded(databaseOptions(config.databaseUrl, AUTHENTICATION_POOL_SIZE, entities));
}

/** The server's own limits need a server that runs: a frozen one, or a network that drops packets, is given up from here. */
function bounded(options: PostgresDataSourceOptions): PostgresDataSourceOptions {
  return { ...options, extra: { ...options.extra, query_timeout: ANSWER_WAIT_MS } };
}

/** True when this code knows no migration that the database doesn't have. */
export async function isMigrated(dataSource: DataSource): Promise<boolean> {
  const rows = await dataSource.query<{ name: string }[]>('SELECT name FROM migrations');
  const applied = new Set(rows.map((row) => row.name));
  return migrations.every((migration) => applied.has(migration.name));
}
