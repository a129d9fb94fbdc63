// The originals are called with the `this` that belongs to them.
/* oxlint-disable typescript/unbound-method */
import { DataSource } from 'typeorm';
import { IdempotencyInterceptor } from '../../src/idempotency/idempotency.interceptor.js';
import type { Call } from '../../src/idempotency/postgres/pipeline.js';
import { Transaction, type Commit } from '../../src/idempotency/transaction.js';
import { Problem } from '../../src/http/problem.js';
import type { TestDatabase } from '../support/database.js';
import { ACCOUNT_A } from '../support/ledger.js';
import type { RuleName } from './rules.js';

/** One way to break the service from outside, and the rule that must notice; all others must still hold. */
export interface Saboteur {
  name: string;
  breaks?: RuleName;
  /** What is changed in the database before the replicas start, or in the code of this process. */
  sabotage: (database: TestDatabase) => Promise<void> | void;
}

export const SABOTEURS: Saboteur[] = [
  { name: 'nothing is broken', sabotage: () => undefined },
  { name: 'the lock is missing, and the primary key is the judge', sabotage: dropLock },
  { name: 'the primary key is missing, and the lock keeps the others out', sabotage: dropPrimaryKey },
  {
    name: 'neither lock nor primary key',
    breaks: 'oneEffect',
    sabotage: async (database) => {
      await dropLock(database);
      await dropPrimaryKey(database);
    },
  },
  { name: 'the record is written in another transaction', breaks: 'noRecordWithoutWork', sabotage: recordFirst },
  { name: 'the record is committed after the work', breaks: 'noWorkWithoutRecord', sabotage: recordLast },
  { name: 'the key is not scoped to the account', breaks: 'ownKeys', sabotage: () => changeIntents({ accountId: ACCOUNT_A }) },
  { name: 'the fingerprint is not compared', breaks: 'sameRequest', sabotage: () => changeIntents({ fingerprint: '0'.repeat(64) }) },
  { name: 'a 5xx is stored', breaks: 'failuresAreNotKept', sabotage: storeFailures },
  { name: 'the response is kept as jsonb', breaks: 'sameBytes', sabotage: keepAsJson },
  { name: 'the purge takes unfinished rows', breaks: 'unfinishedStays', sabotage: purgeUnfinished },
  { name: 'what is remembered is not verified', breaks: 'presentPrices', sabotage: verifyNothing },
  { name: 'the purge archives nothing', breaks: 'purgedStaysDone', sabotage: archiveNothing },
];

/** A function of the same name that always says yes, found before PostgreSQL's own. */
async function dropLock(database: TestDatabase): Promise<void> {
  await database.query(`
    CREATE FUNCTION public.pg_try_advisory_xact_lock(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true';
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$`);
}

async function dropPrimaryKey(database: TestDatabase): Promise<void> {
  await database.query('ALTER TABLE idempotency_records DROP CONSTRAINT idempotency_records_pkey');
}

const INSTEAD_OF_THE_RECORD: Call = { text: 'SELECT' };

function recordFirst(database: TestDatabase): void {
  const commit = Transaction.prototype.commit;
  jest.spyOn(Transaction.prototype, 'commit').mockImplementation(async function (this: Transaction, record: Call): Promise<Commit> {
    try {
      const rows = await database.query(record.text, record.values);
      return withRows(await commit.call(this, INSTEAD_OF_THE_RECORD), rows);
    } catch (error) {
      return { kind: 'rolled-back', error };
    }
  });
}

function recordLast(database: TestDatabase): void {
  const commit = Transaction.prototype.commit;
  jest.spyOn(Transaction.prototype, 'commit').mockImplementation(async function (this: Transaction, record: Call): Promise<Commit> {
    const done = await commit.call(this, INSTEAD_OF_THE_RECORD);
    return done.kind === 'committed' ? withRows(done, await database.query(record.text, record.values)) : done;
  });
}

function withRows(commit: Commit, rows: Record<string, unknown>[]): Commit {
  return commit.kind === 'committed' ? { ...commit, result: { ...commit.result, rows } } : commit;
}

/** What the interceptor makes of a request, with something else in it. */
function changeIntents(change: object): void {
  const interceptor = IdempotencyInterceptor.prototype as unknown as { intentOf(...request: unknown[]): object };
  const intentOf = interceptor.intentOf;
  jest.spyOn(interceptor, 'intentOf').mockImplementation(function (this: unknown, ...request: unknown[]) {
    return { ...intentOf.apply(this as typeof interceptor, request), ...change };
  });
}

function storeFailures(): void {
  const final = Object.getOwnPropertyDescriptor(Problem.prototype, 'final')?.get;
  jest.spyOn(Problem.prototype, 'final', 'get').mockImplementation(function (this: Problem) {
    return this.status >= 500 || final?.call(this) === true;
  });
}

async function keepAsJson(database: TestDatabase): Promise<void> {
  await database.query(`
    CREATE FUNCTION as_jsonb() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN NEW.response_body := convert_to(convert_from(NEW.response_body, 'UTF8')::jsonb::text, 'UTF8'); RETURN NEW; END $$;
    CREATE TRIGGER as_jsonb BEFORE INSERT ON idempotency_records FOR EACH ROW EXECUTE FUNCTION as_jsonb()`);
}

/** As a purge might that counts from the end of the lease. */
function purgeUnfinished(): void {
  const query = DataSource.prototype.query;
  const spy = jest.spyOn(DataSource.prototype, 'query');
  spy.mockImplementation(function (this: DataSource, text: string, ...rest: unknown[]) {
    const changed = text.includes('INSERT INTO idempotency_archive')
      ? text
          .replaceAll(`status = 'completed' AND expires_at BETWEEN $2 AND now()`, 'coalesce(expires_at, lease_until) BETWEEN $2 AND now()')
          .replace(
            'attempt, created_at, completed_at, expires_at',
            `attempt, created_at, ${['completed_at', 'expires_at'].map(orNow).join(', ')}`,
          )
      : text;
    return query.call(this, changed, ...(rest as []));
  } as typeof query);
}

const orNow = (column: string): string => `coalesce(${column}, now()) AS ${column}`;

/** Handlers rely on their memory, and nobody knows. */
function verifyNothing(): void {
  jest.spyOn(Transaction.prototype, 'relies', 'get').mockReturnValue(false);
}

async function archiveNothing(database: TestDatabase): Promise<void> {
  await database.query(`
    CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER nothing BEFORE INSERT ON idempotency_archive FOR EACH ROW EXECUTE FUNCTION nothing()`);
}
