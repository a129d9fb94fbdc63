import type { PoolClient, QueryResultRow } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { CallQueue } from './call-queue.js';
import type { CommitResult } from './commit-result.js';
import { isDefinite } from './errors.js';
import { ignoreRejection } from './ignore-rejection.js';
import { DeclaredViolations } from './declared-violations.js';
import { ClaimLost, type OpeningCheck, type Opened } from './opening-check.js';
import { OVER } from './over.js';
import { Packet } from './packet.js';
import { toCall, type Call, type Result } from './statement.js';
import { TransactionConnection } from './transaction-connection.js';

const BEGIN: Call = { name: 'BEGIN', text: 'BEGIN' };
const COMMIT: Call = { name: 'COMMIT', text: 'COMMIT' };

/**
 * A transaction as the engine has it; a handler has a HandlerTransaction on it. It is lazy: BEGIN and the check leave with the first
 * statements, so a request that is refused before opens none; and what is queued leaves together with COMMIT.
 */
export class PostgresTransaction<Found = unknown> {
  readonly violations = new DeclaredViolations();
  readonly queue = new CallQueue();
  /** What leaves with the check. */
  private readonly first = new Packet();
  private connection: TransactionConnection | undefined;
  private opening: Promise<void> | undefined;
  /** What the check found; undefined before the transaction was opened. */
  found: Opened<Found> | undefined;
  /** No verb is taken any more. */
  isOver = false;
  /** Each throws where what was done must not be committed. */
  readonly vetoes: (() => void)[] = [];
  /** BEGIN was sent, and neither COMMIT nor the end of the connection answered it yet. */
  private mustRollBack = false;
  private cacheWasUsed = false;

  /** `owner`: whose code runs in it, for errors. `optimistic`: whether that may use what was read some time ago. */
  constructor(
    readonly dataSource: DataSource,
    private readonly check: OpeningCheck<Found>,
    readonly owner: string,
    private readonly optimistic: boolean,
  ) {}

  /** True from the moment the check let it in until it committed or rolled back. */
  get isOpen(): boolean {
    return this.found?.won === true && !this.isOver;
  }

  /** Nothing was asked of the database yet. */
  get isUntouched(): boolean {
    return !this.opening;
  }

  /** True when the handler works with what was read some time ago. */
  get usedCached(): boolean {
    return this.cacheWasUsed;
  }

  useCached(): boolean {
    this.cacheWasUsed ||= this.optimistic;
    return this.optimistic;
  }

  /** Opens the transaction if it isn't. @throws ClaimLost @throws the check's refusal @throws the database's error */
  async begin(): Promise<Opened<Found>> {
    this.refuseIfOver();
    this.opening ??= ignoreRejection(this.open());
    await this.opening;
    this.refuseIfOver();
    return this.found ?? Promise.reject(new Error('the transaction did not open'));
  }

  /** Sends the call in the first packet, with BEGIN and the check, where that has not left yet; else as `run` does. */
  read<R extends QueryResultRow>(call: Call): Promise<R[]> {
    return this.ask<R>(call, true);
  }

  /** Sends what is queued and the call; where the check holds a lock on what it won, in the first packet, too. */
  run<R extends QueryResultRow>(call: Call): Promise<R[]> {
    return this.ask<R>(call, this.check.locks === true);
  }

  /** Sends what is queued, then the calls, and gives their results. @throws the database's error */
  async runAll(calls: Call[]): Promise<Result[]> {
    await this.begin();
    const waiting = this.queue.take();
    return (await this.present().ask([...waiting, ...calls.map((call) => toCall(call))])).slice(waiting.length);
  }

  /** Queues a call for the next packet; `mayViolate`: a constraint whose violation was declared to mean something. */
  enqueue(call: Call, mayViolate = false): void {
    this.refuseIfOver();
    this.queue.add(call);
    if (mayViolate) this.queue.doubt();
  }

  /** TypeORM's manager on this connection, behind what was queued. */
  async manager(): Promise<EntityManager> {
    await this.runAll([]);
    return this.present().manager();
  }

  /** The connection's client, behind what was queued; whoever sends on it looks at `isOver` first. */
  async client(): Promise<PoolClient> {
    await this.runAll([]);
    return this.present().client;
  }

  /** Sends what is queued, `calls` and COMMIT in one packet; the result is that of the last of `calls`. @throws as `begin` does */
  async commit(calls: Call[]): Promise<CommitResult> {
    await this.begin();
    for (const veto of this.vetoes) veto();
    const connection = this.present();
    if (connection.isIdle) throw new Error(`${this.owner} ended its transaction by SQL; what it wrote before may have no record`);
    const sent = [...this.queue.take(), ...calls.map((call) => toCall(call)), COMMIT];
    this.isOver = true;
    connection.shut();
    const { results, error } = await connection.sendLast(sent);
    const result = results[sent.length - 2];
    if (error || !result) return this.failed(error);
    this.mustRollBack = false;
    // A COMMIT in an aborted transaction "succeeds" with the tag ROLLBACK: the tag is the judge.
    const isCommitted = results.at(-1)?.command === 'COMMIT';
    return isCommitted ? { kind: 'committed', result } : { kind: 'rolled-back', error: new Error('a statement before COMMIT had failed') };
  }

  /**
   * The whole transaction in one packet: `claim`, then what is queued; the result is that of `claim`'s first statement. The
   * statements of the claim fail when it isn't won, and with them everything behind. Without BEGIN and COMMIT a pipeline is
   * one transaction, which its Sync commits or, after an error, has rolled back (PostgreSQL manual, section 54.2.4, Pipelining).
   * @throws what the pool says that has no connection
   */
  async commitAtOnce(claim: Call[]): Promise<CommitResult> {
    if (!this.isUntouched) throw new Error('the transaction has begun');
    const sent = [...claim.map((call) => toCall(call)), ...this.queue.take()];
    this.isOver = true;
    this.connection = await TransactionConnection.take(this.dataSource);
    const { results, error } = await this.connection.sendLast(sent);
    const [result] = results;
    // Inside a transaction that somebody left open on this connection, the Sync would have committed nothing.
    if (result && !error && this.connection.isIdle) return { kind: 'committed', result };
    return this.failed(error);
  }

  /** Rolls back what is open and gives the connection back. Never throws; safe to call twice. */
  async release(): Promise<void> {
    this.isOver = true;
    // The opening may still be under way when a handler threw beside its own read.
    await this.opening?.catch(() => undefined);
    const { connection } = this;
    this.connection = undefined;
    await connection?.giveBack({ rollBack: this.mustRollBack });
  }

  private failed(error: unknown): CommitResult {
    // The transaction is open and aborted, and `release` rolls it back; or it is over.
    if (isDefinite(error)) return { kind: 'rolled-back', error };
    this.mustRollBack = false;
    this.connection?.discard();
    return { kind: 'unknown', error };
  }

  private async ask<R>(call: Call, withCheck: boolean): Promise<R[]> {
    if (!withCheck || this.connection || !this.queue.isEmpty) await this.begin();
    this.refuseIfOver();
    const calls = [...this.queue.take(), call];
    const asked = this.connection?.ask(calls) ?? this.first.add(calls);
    this.opening ??= ignoreRejection(this.open());
    return (await asked).at(-1)?.rows as R[];
  }

  private async open(): Promise<void> {
    try {
      this.connection = await TransactionConnection.take(this.dataSource);
      const calls = [BEGIN, ...this.check.calls().map((call) => toCall(call))];
      this.mustRollBack = true;
      const { results, error } = await this.connection.send([...calls, ...this.first.calls]);
      if (results.length < calls.length) throw error;
      this.found = this.check.evaluate(results.slice(1, calls.length));
      if (!this.found.won || this.found.refusal) throw this.found.refusal ?? new ClaimLost('the claim was lost');
      this.first.settle({ results: results.slice(calls.length), error });
    } catch (error) {
      this.first.fail(error);
      throw error;
    }
  }

  private present(): TransactionConnection {
    if (!this.connection || this.isOver) throw new Error(OVER);
    return this.connection;
  }

  private refuseIfOver(): void {
    if (this.found?.won === false) throw new ClaimLost('the claim was lost');
    if (this.isOver) throw new Error(OVER);
  }
}
