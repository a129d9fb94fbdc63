// The originals are called with the `this` that belongs to them.
/* oxlint-disable typescript/unbound-method */
import { SelectQueryBuilder, type ObjectLiteral } from 'typeorm';
import type { CommitResult } from '../../src/idempotency/postgres/commit-result.js';
import { HandlerTransaction } from '../../src/idempotency/postgres/handler-transaction.js';
import { PostgresTransaction } from '../../src/idempotency/postgres/postgres-transaction.js';
import { ServerTimeline } from '../../src/idempotency/postgres/server-timeline.js';
import type { Call } from '../../src/idempotency/postgres/statement.js';
import { AccountTurns } from '../../src/idempotency/requests/account-turns.js';
import { INSERT_COMPLETED } from '../../src/idempotency/records/record.store.js';
import { Purger } from '../../src/idempotency/records/purger.js';
import { OutsideSettlements } from '../../src/idempotency/steps/outside-settlement.js';
import { Operations } from '../../src/idempotency/operations.js';
import { Executor } from '../../src/idempotency/requests/executor.js';
import { BodyGuard } from '../../src/http/body.js';
import { Problem } from '../../src/http/problem.js';
import { GuardedProvider } from '../../src/payments/provider/guarded-provider.js';
import { ARCHIVE_UNFINISHED } from '../storm/sabotage/unfinished.js';
import type { TestDatabase } from '../support/database.js';
import { ACCOUNT_A } from '../support/ledger.js';
import type { RuleName } from './rules.js';

/** One way to break the service from outside, and the rule that must notice; all others must still hold. */
export interface Saboteur {
  name: string;
  breaks?: RuleName;
  /** Rules that can't be told from that one under this saboteur: they are not looked at. */
  besides?: RuleName[];
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
    // A seal and a request can both win then.
    besides: ['sealedStaysSealed'],
    sabotage: async (database) => {
      await dropLock(database);
      await dropPrimaryKey(database);
    },
  },
  {
    name: 'the record is written in another transaction',
    breaks: 'noRecordWithoutWork',
    // A step can't settle, since the other transaction waits for the lock of its own record.
    besides: ['answersCompared', 'decidedOnce', 'oneOfTwoKeys'],
    sabotage: recordFirst,
  },
  {
    name: 'the record is committed after the work',
    breaks: 'noWorkWithoutRecord',
    // What is looked for under other keys is the record.
    besides: ['oneOfTwoKeys'],
    sabotage: recordLast,
  },
  { name: 'the records of items are written in another transaction', breaks: 'itemsWithTheirWork', sabotage: itemsFirst },
  {
    name: 'the event is written in another transaction',
    breaks: 'eventsWithWork',
    // It may come late, too.
    besides: ['nothingPassedOver'],
    sabotage: tellFirst,
  },
  { name: 'reading forward shows what is there', breaks: 'nothingPassedOver', sabotage: readAhead },
  {
    name: 'the key is not scoped to the account',
    breaks: 'ownKeys',
    // All accounts are one then, also where they take turns; and the policies refuse what the other one writes.
    besides: ['fairTurns', 'oneAccountShown'],
    sabotage: () => changeIntents({ accountId: ACCOUNT_A }),
  },
  {
    name: 'the fingerprint is not compared',
    breaks: 'sameRequest',
    // All payments of an account are the same then.
    besides: ['answersCompared', 'decidedOnce'],
    sabotage: () => changeIntents({ fingerprint: '0'.repeat(64) }),
  },
  { name: 'a 5xx is stored', breaks: 'failuresAreNotKept', sabotage: storeFailures },
  { name: 'the response is kept as jsonb', breaks: 'sameBytes', sabotage: keepAsJson },
  { name: 'the purge takes unfinished rows', breaks: 'unfinishedStays', sabotage: purgeUnfinished },
  { name: 'whoever comes first takes every connection', breaks: 'fairTurns', sabotage: takeNoTurns },
  { name: 'what is remembered is not verified', breaks: 'presentPrices', sabotage: verifyNothing },
  { name: 'the clock that deadlines go by stands still', breaks: 'lateIsNotExecuted', sabotage: stopTheClock },
  {
    name: 'the policies are there and do not act',
    breaks: 'oneAccountShown',
    besides: ['everyTableSecured'],
    sabotage: (database) => database.query('ALTER TABLE orders DISABLE ROW LEVEL SECURITY').then(() => undefined),
  },
  {
    name: 'somebody adds a table and no policy',
    breaks: 'everyTableSecured',
    sabotage: (database) => database.query('CREATE TABLE wishes (account_id uuid, wish text)').then(() => undefined),
  },
  { name: 'of a member that is named twice the last one counts', breaks: 'oneMeaning', sabotage: forgetRefusals },
  { name: 'the memory outlives the server that gave it', breaks: 'lostAnswers', sabotage: rememberForEver },
  { name: 'what the provider answers is believed, whatever it is about', breaks: 'answersCompared', sabotage: believeAnswers },
  { name: 'a decision settles the payment, and leaves its operation as it is', breaks: 'decidedOnce', sabotage: settleNoOperation },
  { name: 'the same request is not looked for under other keys', breaks: 'oneOfTwoKeys', sabotage: findNoDuplicates },
  { name: 'a seal is told and not written', breaks: 'sealedStaysSealed', sabotage: sealNothing },
  { name: 'the purge archives nothing', breaks: 'purgedStaysDone', sabotage: archiveNothing },
];

function sealNothing(): void {
  jest.spyOn(Operations.prototype, 'seal').mockResolvedValue({ state: 'sealed' });
}

/** A function of the same name that always says yes, in the place of PostgreSQL's own. */
async function dropLock(database: TestDatabase): Promise<void> {
  await database.query(`
    ALTER FUNCTION pg_catalog.pg_try_advisory_xact_lock(bigint) RENAME TO pg_try_advisory_xact_lock_of_old;
    CREATE FUNCTION public.pg_try_advisory_xact_lock(bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true'`);
}

async function dropPrimaryKey(database: TestDatabase): Promise<void> {
  await database.query('ALTER TABLE idempotency_records DROP CONSTRAINT idempotency_records_pkey');
}

const INSTEAD_OF_THE_RECORD: Call = { text: 'SELECT' };

function recordFirst(database: TestDatabase): void {
  changeCommit(async (commit, work, record) => {
    try {
      const rows = await database.query(record.text, record.values);
      return withRows(await commit([...work, INSTEAD_OF_THE_RECORD]), rows);
    } catch (error) {
      return { kind: 'rolled-back', error };
    }
  });
}

/** A handler's own record is no call that is queued. */
function itemsFirst(database: TestDatabase): void {
  const { enqueue, commit } = PostgresTransaction.prototype;
  const written: Promise<unknown>[] = [];
  jest.spyOn(PostgresTransaction.prototype, 'enqueue').mockImplementation(function (this: PostgresTransaction, call, mayViolate) {
    if (call.name !== INSERT_COMPLETED.name) return enqueue.call(this, call, mayViolate);
    written.push(database.query(call.text, call.values).catch(() => undefined));
  });
  jest.spyOn(PostgresTransaction.prototype, 'commit').mockImplementation(async function (this: PostgresTransaction, calls: Call[]) {
    await Promise.all(written.splice(0));
    return commit.call(this, calls);
  });
}

function recordLast(database: TestDatabase): void {
  changeCommit(async (commit, work, record) => {
    const done = await commit([...work, INSTEAD_OF_THE_RECORD]);
    return done.kind === 'committed' ? withRows(done, await database.query(record.text, record.values)) : done;
  });
}

function tellFirst(database: TestDatabase): void {
  const write = HandlerTransaction.prototype.write;
  jest.spyOn(HandlerTransaction.prototype, 'write').mockImplementation(function (this: HandlerTransaction, statement, values, violations) {
    if (statement.name === 'events-append') void database.query(statement.text, values);
    else write.call(this, statement, values, violations);
  });
}

function readAhead(): void {
  const andWhere = SelectQueryBuilder.prototype.andWhere;
  jest.spyOn(SelectQueryBuilder.prototype, 'andWhere').mockImplementation(function (
    this: SelectQueryBuilder<ObjectLiteral>,
    where,
    parameters,
  ) {
    return typeof where === 'string' && where.includes('pg_snapshot_xmin') ? this : andWhere.call(this, where, parameters);
  });
}

/** The last of the calls that the engine commits is the record. */
function changeCommit(
  instead: (commit: (calls: Call[]) => Promise<CommitResult>, work: Call[], record: Call) => Promise<CommitResult>,
): void {
  const commit = PostgresTransaction.prototype.commit;
  jest.spyOn(PostgresTransaction.prototype, 'commit').mockImplementation(function (this: PostgresTransaction, calls: Call[]) {
    const record = calls.at(-1);
    if (!record) throw new Error('the engine commits a record');
    return instead((changed) => commit.call(this, changed), calls.slice(0, -1), record);
  });
}

function withRows(commit: CommitResult, rows: Record<string, unknown>[]): CommitResult {
  return commit.kind === 'committed' ? { ...commit, result: { ...commit.result, rows } } : commit;
}

/** What the interceptor made of a request, with something else in it. */
function changeIntents(change: object): void {
  const execute = Executor.prototype.execute;
  jest.spyOn(Executor.prototype, 'execute').mockImplementation(function (this: Executor, request) {
    return execute.call(this, { ...request, intent: { ...request.intent, ...change } });
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

function purgeUnfinished(database: TestDatabase): void {
  const purge = Purger.prototype.purge;
  jest.spyOn(Purger.prototype, 'purge').mockImplementation(async function (this: Purger) {
    await database.query(ARCHIVE_UNFINISHED);
    return purge.call(this);
  });
}

function takeNoTurns(): void {
  jest.spyOn(AccountTurns.prototype, 'inTurn').mockImplementation((_account, work) => work());
}

/** A copy of a body is another one than that which is to be refused. */
function forgetRefusals(): void {
  const canActivate = BodyGuard.prototype.canActivate;
  jest.spyOn(BodyGuard.prototype, 'canActivate').mockImplementation(async function (this: BodyGuard, context) {
    const passes = await canActivate.call(this, context);
    const request = context.switchToHttp().getRequest<{ body?: object }>();
    if (request.body) request.body = { ...request.body };
    return passes;
  });
}

/** Handlers rely on their memory, and nobody knows. */
async function verifyNothing(database: TestDatabase): Promise<void> {
  jest.spyOn(PostgresTransaction.prototype, 'usedCached', 'get').mockReturnValue(false);
  await database.query("CREATE OR REPLACE FUNCTION product_changed() RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT true'");
}

/** Whoever asks for the time still waits for the claim. */
function stopTheClock(): void {
  const now = HandlerTransaction.prototype.now;
  jest.spyOn(HandlerTransaction.prototype, 'now').mockImplementation(async function (this: HandlerTransaction) {
    await now.call(this);
    return new Date(0);
  });
}

function rememberForEver(): void {
  jest.spyOn(ServerTimeline.prototype, 'vouchesFor').mockReturnValue(true);
}

function believeAnswers(): void {
  jest.spyOn(GuardedProvider.prototype, 'judged').mockImplementation((_asked, reading) => reading);
}

function settleNoOperation(): void {
  jest.spyOn(OutsideSettlements.prototype, 'settle').mockImplementation(async (tx, _taken, _told, work) => {
    await work(tx);
    return true;
  });
}

async function archiveNothing(database: TestDatabase): Promise<void> {
  await database.query(`
    CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
    CREATE TRIGGER nothing BEFORE INSERT ON idempotency_archive FOR EACH ROW EXECUTE FUNCTION nothing()`);
}

/** No record says until when it is looked at. */
async function findNoDuplicates(database: TestDatabase): Promise<void> {
  await database.query(`
    CREATE FUNCTION forget_window() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.duplicate_until := NULL; RETURN NEW; END $$;
    CREATE TRIGGER forget_window BEFORE INSERT OR UPDATE ON idempotency_records FOR EACH ROW EXECUTE FUNCTION forget_window()`);
}
