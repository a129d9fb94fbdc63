import type { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { Idempotency1700000000001 } from '../../migrations/1700000000001-idempotency.js';
import { Shop1700000000002 } from '../../migrations/1700000000002-shop.js';
import { Payments1700000000003 } from '../../migrations/1700000000003-payments.js';
import { Speculation1700000000004 } from '../../migrations/1700000000004-speculation.js';
import type { Config } from '../kernel/config.js';
import { DatabaseClient } from './client.js';

/** TypeORM's name of the small pool for authentication, purge and other work that handlers must not starve. */
export const BACKGROUND = 'background';

const BACKGROUND_POOL_SIZE = 3;
/** How long a request waits for a connection before it is told to come back, in milliseconds. */
const POOL_WAIT_MS = 2_000;
/** How long a statement may stay without an answer; above statement_timeout, so that the server's own word comes first. */
const ANSWER_WAIT_MS = 20_000;

const migrations = [Idempotency1700000000001, Shop1700000000002, Payments1700000000003, Speculation1700000000004];

/** What TypeORM reads and writes through a pool; statements as text need none. */
type Entities = NonNullable<PostgresDataSourceOptions['entities']>;

/** TypeORM's options for one pool on the given database. */
export function databaseOptions(url: string, poolSize: number, entities: Entities = []): PostgresDataSourceOptions {
  return {
    type: 'postgres',
    entities,
    migrations,
    migrationsTableName: 'migrations',
    poolSize,
    applicationName: 'holdfast',
    extra: {
      // Here and not as TypeORM's url, whose own reading of it knows fewer forms than node-postgres'.
      connectionString: url,
      // Statements issued together leave together; what issues them one by one sees no difference.
      pipeline: true,
      Client: DatabaseClient,
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
