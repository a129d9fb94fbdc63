import { AsyncLocalStorage } from 'node:async_hooks';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import pg, { type PoolClient, type QueryResult, type QueryResultRow } from 'pg';
import { publicOperationId } from './operation-id.js';
import { databaseError, isConnectionLost } from './postgres-errors.js';
import { stepName, type StepClass } from './step.js';

/** SQL with a name, so that node-postgres prepares it once per connection. A name belongs to one text for good. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** A statement with its values. */
export interface Call extends Partial<Statement> {
  readonly text: string;
  readonly values?: unknown[];
}

/** What a violated constraint means to the client: constraint name → the refusal to answer. */
export type Violations = Record<string, () => Error>;

/** The first statements of a transaction and the judge of their results; nothing is written before it says yes. */
export interface Gate<Verdict> {
  readonly calls: Call[];
  /** Not won: the transaction will never commit. */
  judge(results: QueryResult[]): { won: boolean; now: Date; verdict: Verdict };
}

/** How a COMMIT ended. `unknown`: the connection broke before the answer came, so it may have happened or not. */
export type Commit =
  { kind: 'committed'; result: QueryResult } | { kind: 'rolled-back'; error: unknown } | { kind: 'unknown'; error: unknown };

/** Which operation a transaction belongs to. */
export interface OperationIdentity {
  /** uuid */
  readonly operationId: string;
  nextProviderKey(step: string): string;
}

/** The gate said no. Whatever the handler does with this error, the transaction can't commit. */
export class GateLost extends Error {}

/** The transaction that the present asynchronous flow is in, for the guards against a second connection and against calls outside. */
const present = new AsyncLocalStorage<Transaction>();

/** @throws Error when the caller is inside an open transaction: what can hang must not hold locks and a connection. */
export function assertNoTransaction(doing: string): void {
  if (present.getStore()?.isOpen) throw new Error(`${doing} inside an open transaction`);
}

/**
 * Makes the data source refuse a connection to code that already holds one in a transaction: with every handler
 * waiting for a second connection, a full pool would never move again.
 */
export function guardConnections(dataSource: DataSource): void {
  const driver = dataSource.driver as unknown as { obtainMasterConnection(): Promise<unknown> };
  const obtain = driver.obtainMasterConnection.bind(driver);
  driver.obtainMasterConnection = () => {
    if (present.getStore()?.isOpen) {
      return Promise.reject(
        new Error('A second connection was asked for inside a transaction: use the Transaction (or its manager()) instead'),
      );
    }
    return obtain();
  };
}

/** node-postgres keeps the socket to itself; holding it back makes one packet of a flight. Absent, flights still work, in more packets. */
function socketOf(client: PoolClient): { cork(): void; uncork(): void; destroy(): void } | undefined {
  const { connection } = client as unknown as { connection?: { stream?: { cork(): void; uncork(): void; destroy(): void } } };
  return typeof connection?.stream?.cork === 'function' ? connection.stream : undefined;
}

/**
 * One database transaction, handed to the handler. It is lazy: BEGIN and the gate leave with the first `read`, so a
 * request that is refused before opens none; and what `write` queues leaves together with COMMIT. The engine alone commits.
 */
export class Transaction<Verdict = unknown> {
  private runner: QueryRunner | undefined;
  private client: PoolClient | undefined;
  private opening: Promise<void> | undefined;
  private queue: Call[] = [];
  private state: 'new' | 'open' | 'lost' | 'ending' | 'ended' = 'new';
  private opened: { now: Date; verdict: Verdict } | undefined;
  private readonly violations: Violations = {};

  constructor(
    private readonly dataSource: DataSource,
    private readonly gate: Gate<Verdict>,
    private readonly identity: OperationIdentity,
  ) {}

  /** Public id (`op_…`) of the operation that this transaction belongs to. */
  get operationId(): string {
    return publicOperationId(this.identity.operationId);
  }

  /** The uuid behind `operationId`. */
  get operationUuid(): string {
    return this.identity.operationId;
  }

  /** The provider key that the given step will have if this transaction ends with it, for what must be written down before. */
  nextProviderKey(step: StepClass): string {
    return this.identity.nextProviderKey(stepName(step));
  }

  /** True from the moment the gate let it in until it committed or rolled back. */
  get isOpen(): boolean {
    return this.state === 'open';
  }

  /** Runs `work` with this transaction as the present one of its asynchronous flow. */
  enter<T>(work: () => Promise<T>): Promise<T> {
    return present.run(this, work);
  }

  /**
   * Reads without locking. The first read travels with BEGIN and the gate, so it must not wait and must not write: a
   * transaction that is about to lose its claim would do so too.
   */
  read<R extends QueryResultRow>(statement: Statement, values: unknown[] = []): Promise<R[]> {
    if (this.opening || this.queue.length > 0) return this.run<R>(statement, values);
    return kept(this.firstRead<R>(statement, values));
  }

  /** Runs a statement of any kind, locking ones too, after everything asked for so far, and waits for its rows. */
  run<R extends QueryResultRow>(statement: Statement, values: unknown[] = []): Promise<R[]> {
    return kept(this.runNow<R>(statement, values));
  }

  /** Queues a statement for the last flight, together with COMMIT. A violated constraint becomes the refusal named for it, thrown. */
  write(statement: Statement, values: unknown[], violations: Violations = {}): void {
    this.refuseIfOver();
    this.queue.push(ready(statement, values));
    this.declare(violations);
  }

  /** Says what a violated constraint means when other statements than `write`'s meet it. */
  declare(violations: Violations): void {
    Object.assign(this.violations, violations);
  }

  /** The database's time at the start of this transaction, to the millisecond. */
  now(): Promise<Date> {
    return kept(this.begin().then(({ now }) => now));
  }

  /**
   * TypeORM's EntityManager on this connection. TypeORM takes the transaction as begun, so `save()` opens none of its own
   * and a nested `transaction()` is a savepoint.
   */
  manager(): Promise<EntityManager> {
    return kept(this.managerNow());
  }

  private async managerNow(): Promise<EntityManager> {
    await this.begin();
    const client = this.connected();
    if (this.queue.length > 0) firstFailureOrLast(await this.flight(client, this.queue.splice(0)));
    if (!this.runner) throw new Error('not connected');
    return this.runner.manager;
  }

  /** Opens the transaction if it isn't, and says what the gate found. @throws GateLost @throws the database's error */
  async begin(): Promise<{ now: Date; verdict: Verdict }> {
    this.refuseIfOver();
    // Whoever asks first waits no longer than the others, so that statements leave in the order in which they were asked for.
    if (!this.opening) void kept(this.open());
    await this.opening;
    this.refuseIfOver();
    if (!this.opened) throw new Error('the transaction did not open');
    return this.opened;
  }

  /** What the gate found, also when it was lost; undefined before the transaction was opened. */
  get found(): Verdict | undefined {
    return this.opened?.verdict;
  }

  /** The refusal that `error`, a violated constraint, was declared to mean; or the error itself. */
  meaningOf(error: unknown): unknown {
    return this.violations[databaseError(error)?.constraint ?? '']?.() ?? error;
  }

  /**
   * Sends what is queued, `last` and COMMIT in one flight. A COMMIT in an aborted transaction "succeeds" with the tag
   * ROLLBACK, and in a pipeline it is sent before the failure is known: the tag is the judge.
   */
  async commit(last: Call): Promise<Commit> {
    await this.begin();
    const client = this.connected();
    if (statusOf(client) === 'I') throw new Error('the transaction was ended behind the engine');
    const calls = [...this.queue.splice(0), ready(last, last.values ?? []), { text: 'COMMIT' }];
    this.close();
    const results = await this.flight(client, calls);
    const commit = results.at(-1);
    const failure = results.find((result) => result.status === 'rejected')?.reason as unknown;
    if (commit?.status === 'fulfilled' && commit.value.command === 'COMMIT') {
      this.state = 'ended';
      const result = results.at(-2);
      if (failure !== undefined || result?.status !== 'fulfilled')
        throw new Error('committed without one of its statements', { cause: failure });
      return { kind: 'committed', result: result.value };
    }
    if (commit?.status === 'fulfilled') {
      this.state = 'ended';
      return { kind: 'rolled-back', error: failure ?? new Error('a statement before COMMIT had failed') };
    }
    const error = commit?.reason as unknown;
    if (isDefinite(error)) {
      this.state = 'ended';
      return { kind: 'rolled-back', error: failure ?? error };
    }
    this.state = 'ended';
    discard(client);
    return { kind: 'unknown', error };
  }

  /** Rolls back what is open and gives the connection back. Never throws; safe to call twice. */
  async release(): Promise<void> {
    // The opening may still be under way when a handler threw beside its own read.
    await this.opening?.catch(() => undefined);
    const { client, runner } = this;
    const begun = this.state === 'open' || this.state === 'lost' || this.state === 'ending';
    this.close();
    this.client = undefined;
    this.runner = undefined;
    if (client && begun) await client.query('ROLLBACK').catch(() => discard(client));
    if (this.state !== 'lost') this.state = 'ended';
    await runner?.release();
  }

  /** From here on nobody but this class reaches the connection: what a handler left running must not follow COMMIT or ROLLBACK and commit by itself. */
  private close(): void {
    if (this.state === 'open') this.state = 'ending';
    if (this.runner) this.runner.query = () => Promise.reject(new Error('the transaction is over'));
  }

  private async firstRead<R extends QueryResultRow>(statement: Statement, values: unknown[]): Promise<R[]> {
    const result = await this.open(ready(statement, values));
    return (result as QueryResult<R>).rows;
  }

  private async runNow<R extends QueryResultRow>(statement: Statement, values: unknown[]): Promise<R[]> {
    const call = ready(statement, values);
    await this.begin();
    const client = this.connected();
    const results = await this.flight(client, [...this.queue.splice(0), call]);
    return (firstFailureOrLast(results) as QueryResult<R>).rows;
  }

  private open(first?: Call): Promise<QueryResult | undefined> {
    this.refuseIfOver();
    const opened = this.sendGate(first);
    this.opening = kept(opened.then(() => undefined));
    return opened.then((result) => {
      if (result?.status === 'rejected') throw result.reason;
      return result?.value;
    });
  }

  private async sendGate(first?: Call): Promise<PromiseSettledResult<QueryResult> | undefined> {
    this.runner = this.dataSource.createQueryRunner();
    this.client = (await this.runner.connect()) as PoolClient;
    // TypeORM has no verb for "a transaction is open already"; without it save() would send START TRANSACTION and COMMIT.
    Object.assign(this.runner, { isTransactionActive: true, transactionDepth: 1 });
    this.state = 'lost';
    const results = await this.flight(this.client, [{ text: 'BEGIN' }, ...this.gate.calls, ...(first ? [first] : [])]);
    const gate = results.slice(0, this.gate.calls.length + 1);
    firstFailureOrLast(gate);
    const found = this.gate.judge(gate.slice(1).flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])));
    this.opened = found;
    if (!found.won) throw new GateLost('the claim was lost');
    this.state = 'open';
    return first ? results.at(-1) : undefined;
  }

  private flight(client: PoolClient, calls: Call[]): Promise<PromiseSettledResult<QueryResult>[]> {
    const socket = socketOf(client);
    socket?.cork();
    try {
      return Promise.allSettled(calls.map((call) => client.query(call as { text: string; values: unknown[] })));
    } finally {
      socket?.uncork();
    }
  }

  private connected(): PoolClient {
    if (!this.client || this.state !== 'open') throw new Error('the transaction is over');
    return this.client;
  }

  private refuseIfOver(): void {
    if (this.state === 'lost' && this.opened) throw new GateLost('the claim was lost');
    if (this.state === 'ending' || this.state === 'ended') throw new Error('the transaction is over');
  }
}

/** Text of each statement name, process-wide: node-postgres refuses a second text, but only after COMMIT has left beside it. */
const texts = new Map<string, string>();

const { utils } = pg as unknown as { utils: { prepareValue(value: unknown): unknown } };

/**
 * A call that can fail at the server alone. What node-postgres itself would refuse (a value that it can't write, a name with
 * another text) is refused here: in a flight it would be left out, and everything around it committed.
 */
function ready({ name, text }: Partial<Statement> & { text: string }, values: unknown[]): Call {
  if (name !== undefined && (texts.get(name) ?? text) !== text) throw new Error(`the statement name ${name} belongs to another text`);
  if (name !== undefined) texts.set(name, text);
  return { ...(name !== undefined && { name }), text, values: values.map((value) => utils.prepareValue(value)) };
}

/** A promise that may be left alone: a handler may never look at what it started, and the failure is judged at COMMIT. */
function kept<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** A connection whose state nobody knows is closed, not given back: the pool lets go of clients that are ending. */
function discard(client: PoolClient): void {
  (client as unknown as { end(): Promise<void> }).end().catch(() => undefined);
  socketOf(client)?.destroy();
}

/** `I` idle, `T` in a transaction, `E` in a failed one. */
function statusOf(client: PoolClient): string | null {
  return (client as unknown as { getTransactionStatus(): string | null }).getTransactionStatus();
}

function firstFailureOrLast(results: PromiseSettledResult<QueryResult>[]): QueryResult {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
  const last = results.at(-1);
  if (last?.status !== 'fulfilled') throw new Error('an empty flight');
  return last.value;
}

/** The server refused to commit (a deferred constraint, a serialization failure) and lives on: it has rolled back. 40003: it doesn't know itself. */
function isDefinite(error: unknown): boolean {
  const refusal = databaseError(error);
  return refusal !== null && !isConnectionLost(refusal) && refusal.code !== '40003';
}
