import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import type { PoolClient, QueryResultRow } from 'pg';
import { fly, ready, type Call, type FlightEnd, type Result, type Statement } from './postgres/pipeline.js';
import { publicOperationId } from './operation-id.js';
import { databaseError, isConnectionLost } from './postgres/errors.js';
import { stepName, type StepClass } from './step.js';

/** What a violated constraint means to the client: constraint name → the refusal to answer. */
export type Violations = Record<string, () => Error>;

/** The first statements of a transaction and the judge of their results; nothing is written before it says yes. */
export interface Gate<Verdict> {
  calls(): Call[];
  /** Not won: the transaction will never commit. */
  judge(results: Result[]): { won: boolean; now: Date; verdict: Verdict };
}

/** How a COMMIT ended. `unknown`: the connection broke before the answer came, so it may have happened or not. */
export type Commit = { kind: 'committed'; result: Result } | { kind: 'rolled-back'; error: unknown } | { kind: 'unknown'; error: unknown };

/** Which operation a transaction belongs to. */
export interface OperationIdentity {
  /** uuid */
  readonly operationId: string;
  nextProviderKey(step: string): string;
}

/** The gate said no. Whatever the handler does with this error, the transaction can't commit. */
export class GateLost extends Error {}

const BEGIN: Call = { name: 'BEGIN', text: 'BEGIN' };
const COMMIT: Call = { name: 'COMMIT', text: 'COMMIT' };

/**
 * One database transaction, handed to the handler. It is lazy: BEGIN and the gate leave with the first `read`, so a
 * request that is refused before opens none; and what `write` queues leaves together with COMMIT. A handler that only
 * writes costs one flight in all. The engine alone commits.
 */
export class Transaction<Verdict = unknown> {
  private runner: QueryRunner | undefined;
  private client: PoolClient | undefined;
  private opening: Promise<void> | undefined;
  private queue: Call[] = [];
  private state: 'new' | 'open' | 'lost' | 'ending' | 'ended' = 'new';
  private opened: { now: Date; verdict: Verdict } | undefined;
  private relied = false;
  private readonly violations: Violations = {};

  /** `mayRely`: the answer to `relyOnMemory`. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly gate: Gate<Verdict>,
    private readonly identity: OperationIdentity,
    private readonly mayRely = false,
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

  /**
   * Leave to use what was read some time ago instead of reading it: then the writes must fail (`speculation_failed()` in
   * their SQL) where that is no longer so. Whatever the handler throws or its writes meet then is no decision: it runs
   * once more, in a new transaction, and is told to read.
   */
  relyOnMemory(): boolean {
    this.relied ||= this.mayRely;
    return this.mayRely;
  }

  /** True when the handler works with what was read some time ago. */
  get relies(): boolean {
    return this.relied;
  }

  /** True as long as nothing was asked of the database. */
  get isUntouched(): boolean {
    return this.state === 'new' && !this.opening;
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
    if (this.queue.length > 0) lastOf(await fly(client, this.queue.splice(0)));
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

  /** Sends what is queued, `last` and COMMIT in one flight; its result is that of `last`. */
  async commit(last: Call): Promise<Commit> {
    await this.begin();
    const client = this.connected();
    if (statusOf(client) === 'I') throw new Error('the transaction was ended behind the engine');
    const calls = [...this.queue.splice(0), ready(last), COMMIT];
    this.close();
    return this.judge(client, await fly(client, calls), calls.length - 2);
  }

  /**
   * The whole transaction in one flight: `claim`, then what is queued; its result is that of `claim`'s first statement. The
   * statements of the claim fail when it isn't won, and with them everything behind. Without BEGIN and COMMIT a flight is
   * one transaction, which its Sync commits or, after an error, has rolled back (PostgreSQL manual, section 54.2.4, Pipelining).
   */
  async commitAtOnce(claim: Call[]): Promise<Commit> {
    if (!this.isUntouched) throw new Error('the transaction has begun');
    this.state = 'ended';
    const client = await this.connect();
    const { results, error } = await fly(client, [...claim.map((call) => ready(call)), ...this.queue.splice(0)]);
    const [result] = results;
    // Inside a transaction that somebody left open on this connection, the Sync would have committed nothing.
    if (result && !error && statusOf(client) === 'I') return { kind: 'committed', result };
    return this.failed(client, error);
  }

  /** A COMMIT in an aborted transaction "succeeds" with the tag ROLLBACK: the tag is the judge. */
  private judge(client: PoolClient, { results, error }: FlightEnd, at: number): Commit {
    const result = results[at];
    if (error || !result) return this.failed(client, error);
    this.state = 'ended';
    if (results.at(-1)?.command === 'COMMIT') return { kind: 'committed', result };
    return { kind: 'rolled-back', error: new Error('a statement before COMMIT had failed') };
  }

  private failed(client: PoolClient, error: unknown): Commit {
    // The transaction is open and aborted, and `release` rolls it back; or it is over.
    if (isDefinite(error)) return { kind: 'rolled-back', error };
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
    return result?.rows as R[];
  }

  private async runNow<R extends QueryResultRow>(statement: Statement, values: unknown[]): Promise<R[]> {
    const call = ready(statement, values);
    await this.begin();
    const client = this.connected();
    return lastOf(await fly(client, [...this.queue.splice(0), call])).rows as R[];
  }

  private open(first?: Call): Promise<Result | undefined> {
    this.refuseIfOver();
    const opened = this.sendGate(first);
    this.opening = kept(opened.then(() => undefined));
    return opened.then(({ results, error }) => {
      if (error) throw error;
      return results.at(-1);
    });
  }

  /** Opens, or throws; what remains of the flight behind the gate is the first read's. */
  private async sendGate(first?: Call): Promise<FlightEnd> {
    const client = await this.connect();
    this.state = 'lost';
    const gate = [BEGIN, ...this.gate.calls().map((call) => ready(call))];
    const { results, error } = await fly(client, first ? [...gate, first] : gate);
    if (results.length < gate.length) throw error;
    const found = this.gate.judge(results.slice(1, gate.length));
    this.opened = found;
    if (!found.won) throw new GateLost('the claim was lost');
    this.state = 'open';
    return { results: results.slice(gate.length), error };
  }

  private async connect(): Promise<PoolClient> {
    this.runner = this.dataSource.createQueryRunner();
    this.client = (await this.runner.connect()) as PoolClient;
    // TypeORM has no verb for "a transaction is open already"; without it save() would send START TRANSACTION and COMMIT.
    Object.assign(this.runner, { isTransactionActive: true, transactionDepth: 1 });
    return this.client;
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

/** A promise that may be left alone: a handler may never look at what it started, and the failure is judged at COMMIT. */
function kept<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** A connection whose state nobody knows is closed, not given back: the pool lets go of clients that are ending. */
function discard(client: PoolClient): void {
  (client as unknown as { end(): Promise<void> }).end().catch(() => undefined);
  (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
}

/** `I` idle, `T` in a transaction, `E` in a failed one. */
function statusOf(client: PoolClient): string | null {
  return (client as unknown as { getTransactionStatus(): string | null }).getTransactionStatus();
}

/** @throws the error of the flight */
function lastOf({ results, error }: FlightEnd): Result {
  const last = results.at(-1);
  if (error || !last) throw error ?? new Error('an empty flight');
  return last;
}

/** The server refused to commit (a deferred constraint, a serialization failure) and lives on: it has rolled back. 40003: it doesn't know itself. */
function isDefinite(error: unknown): boolean {
  const refusal = databaseError(error);
  return refusal !== null && !isConnectionLost(refusal) && refusal.code !== '40003';
}
