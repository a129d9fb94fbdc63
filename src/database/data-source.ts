import type { DataSource } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { Idempotency1700000000001 } from '../../migrations/1700000000001-idempotency.js';
import { Shop1700000000002 } from '../../migrations/1700000000002-shop.js';
import { Payments1700000000003 } from '../../migrations/1700000000003-payments.js';
import { Speculation1700000000004 } from '../../migrations/1700000000004-speculation.js';
import { ProviderBooks1700000000005 } from '../../migrations/1700000000005-provider-books.js';
import { Inbox1700000000006 } from '../../migrations/1700000000006-inbox.js';
import { Resumable1700000000007 } from '../../migrations/1700000000007-resumable.js';
import { RateLimits1700000000008 } from '../../migrations/1700000000008-rate-limits.js';
import { OwnerFunctions1700000000009 } from '../../migrations/1700000000009-owner-functions.js';
import { PaymentsTakeBack1700000000010 } from '../../migrations/1700000000010-payments-take-back.js';
import { Decisions1700000000012 } from '../../migrations/1700000000012-decisions.js';
import { Events1700000000013 } from '../../migrations/1700000000013-events.js';
import { Sealing1700000000015 } from '../../migrations/1700000000015-sealing.js';
import { DuplicatesAndRetries1700000000016 } from '../../migrations/1700000000016-duplicates-and-retries.js';
import { Catalogue1700000000017 } from '../../migrations/1700000000017-catalogue.js';
import { Deadlines1700000000018 } from '../../migrations/1700000000018-deadlines.js';
import { Versions1700000000019 } from '../../migrations/1700000000019-versions.js';
import { Webhooks1700000000020 } from '../../migrations/1700000000020-webhooks.js';
import { Traceparent1700000000021 } from '../../migrations/1700000000021-traceparent.js';
import { EventsTraceparent1700000000022 } from '../../migrations/1700000000022-events-traceparent.js';
import { Restores1700000000024 } from '../../migrations/1700000000024-restores.js';
import { Prices1700000000025 } from '../../migrations/1700000000025-prices.js';
import { FinalRecords1700000000026 } from '../../migrations/1700000000026-final-records.js';
import { FinalPayments1700000000027 } from '../../migrations/1700000000027-final-payments.js';
import { UncheckedKeyIds1700000000028 } from '../../migrations/1700000000028-unchecked-key-ids.js';
import { LastTry1700000000029 } from '../../migrations/1700000000029-last-try.js';
import { QuickFinalRecords1700000000030 } from '../../migrations/1700000000030-quick-final-records.js';
import { TimelineByAccount1700000000031 } from '../../migrations/1700000000031-timeline-by-account.js';
import { ReferencesByAccount1700000000032 } from '../../migrations/1700000000032-references-by-account.js';
import { GateByServer1700000000033 } from '../../migrations/1700000000033-gate-by-server.js';
import { OwnerFunctionsByAccount1700000000034 } from '../../migrations/1700000000034-owner-functions-by-account.js';
import { PaymentsTakeBackByAccount1700000000035 } from '../../migrations/1700000000035-payments-take-back-by-account.js';
import type { Config } from '../kernel/config.js';
import { codeOf } from '../kernel/trouble.js';
import { DatabaseClient } from './client.js';

/** TypeORM's name of the small pool for purge, recovery and other work that handlers must not starve. */
export const BACKGROUND = 'background';
/** The same for looking up API keys, and for counting requests: whoever sends many unknown ones keeps nobody else waiting. */
export const AUTHENTICATION = 'authentication';

/** And for the steps that the recoverer drives: as the role that serves requests, so that each sees its account alone. */
export const RECOVERY = 'recovery';

const BACKGROUND_POOL_SIZE = 3;
const RECOVERY_POOL_SIZE = 3;
const AUTHENTICATION_POOL_SIZE = 2;
/** More of them where requests are counted in the database, so that no count waits behind an API key. */
const COUNTING_POOL_SIZE = 2;
/** undefined_table */
const UNDEFINED_TABLE = '42P01';
/** How long a request waits for a connection before it is told to come back, in milliseconds. */
const POOL_WAIT_MS = 2_000;
/** How long a statement may stay without an answer; above statement_timeout, so that the server's own word comes first. */
const ANSWER_WAIT_MS = 20_000;

const migrations = [
  Idempotency1700000000001,
  Shop1700000000002,
  Payments1700000000003,
  Speculation1700000000004,
  ProviderBooks1700000000005,
  Inbox1700000000006,
  Resumable1700000000007,
  RateLimits1700000000008,
  OwnerFunctions1700000000009,
  PaymentsTakeBack1700000000010,
  Decisions1700000000012,
  Events1700000000013,
  Sealing1700000000015,
  DuplicatesAndRetries1700000000016,
  Catalogue1700000000017,
  Deadlines1700000000018,
  Versions1700000000019,
  Webhooks1700000000020,
  Traceparent1700000000021,
  EventsTraceparent1700000000022,
  Restores1700000000024,
  Prices1700000000025,
  FinalRecords1700000000026,
  FinalPayments1700000000027,
  UncheckedKeyIds1700000000028,
  LastTry1700000000029,
  QuickFinalRecords1700000000030,
  TimelineByAccount1700000000031,
  ReferencesByAccount1700000000032,
  GateByServer1700000000033,
  OwnerFunctionsByAccount1700000000034,
  PaymentsTakeBackByAccount1700000000035,
];

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
  return bounded(databaseOptions(config.backgroundUrl, BACKGROUND_POOL_SIZE, entities));
}

/** Options of the pool for recovered steps. */
export function recoveryPool(config: Config, entities?: Entities): PostgresDataSourceOptions {
  return bounded(databaseOptions(config.databaseUrl, RECOVERY_POOL_SIZE, entities));
}

/** Options of the pool for authentication and rate limits. */
export function authenticationPool(config: Config): PostgresDataSourceOptions {
  const counting = config.rateLimitStore === 'postgres' ? COUNTING_POOL_SIZE : 0;
  return bounded(databaseOptions(config.backgroundUrl, AUTHENTICATION_POOL_SIZE + counting));
}

/** The server's own limits need a server that runs: a frozen one, or a network that drops packets, is given up from here. */
function bounded(options: PostgresDataSourceOptions): PostgresDataSourceOptions {
  return { ...options, extra: { ...options.extra, query_timeout: ANSWER_WAIT_MS } };
}

const STATE = `
  SELECT array(SELECT name::text FROM migrations) AS applied, current_setting('transaction_read_only') = 'on' AS read_only,
         has_table_privilege('idempotency_records', 'INSERT') AS may_write`;

/**
 * Why requests should go elsewhere, or null when all is well: the migrations of this code are there, and the server takes
 * writes from this role. A standby says that it is read-only, so nothing is written to find out.
 * @throws the database's error, and what a pool says that has no connection
 */
export async function whyNotReady(dataSource: DataSource): Promise<string | null> {
  const [state] = await dataSource.query<{ applied: string[]; read_only: boolean; may_write: boolean }[]>(STATE).catch((error: unknown) => {
    if (codeOf(error) === UNDEFINED_TABLE) return [];
    throw error;
  });
  if (!state || !migrations.every(({ name }) => state.applied.includes(name))) return 'migrations are pending';
  if (state.read_only) return 'the database is read-only';
  return state.may_write ? null : 'the database does not let this role write';
}
