import type { QueryResultRow } from 'pg';
import type { EntityManager } from 'typeorm';
import { publicOperationId } from '../operation-id.js';
import { stepName } from '../step.js';
import type { Item, ItemOutcome, ItemsOptions, Transaction, Violations } from '../transaction.js';
import { ignoreRejection } from './ignore-rejection.js';
import type { PostgresTransaction } from './postgres-transaction.js';
import { SqlClient } from './sql-client.js';
import { toHandlerCall, type Statement } from './statement.js';

/** Which operation a transaction belongs to. */
export interface OperationIdentity {
  /** uuid */
  readonly operationId: string;
  /** The client's key; null where no client asked. */
  readonly idempotencyKey: string | null;
  /** What the application's trace was when the operation began. */
  readonly traceparent: string | null;
  /** Whose code runs in it, for errors: the route, or the step. */
  readonly owner: string;
  nextProviderKey(step: string): string;
  /** Executes items under keys of their own; where the transaction is a request's. */
  readonly items?: ItemsRunner;
}

/** `as`: the transaction in the name of an item's operation. */
export type ItemsRunner = (
  engine: PostgresTransaction,
  as: (identity: OperationIdentity) => Transaction,
  items: readonly Item[],
  options: ItemsOptions,
) => Promise<ItemOutcome[]>;

/** The handler's verbs on a transaction, and nothing else of it: the engine's own can't be reached from here. */
export class HandlerTransaction implements Transaction {
  readonly #engine: PostgresTransaction;
  readonly #identity: OperationIdentity;

  constructor(engine: PostgresTransaction, identity: OperationIdentity) {
    this.#engine = engine;
    this.#identity = identity;
  }

  /** The same transaction in the name of another operation. */
  as(identity: OperationIdentity): HandlerTransaction {
    return new HandlerTransaction(this.#engine, identity);
  }

  get operationId(): string {
    return publicOperationId(this.#identity.operationId);
  }

  get operationUuid(): string {
    return this.#identity.operationId;
  }

  get idempotencyKey(): string | null {
    return this.#identity.idempotencyKey;
  }

  get traceparent(): string | null {
    return this.#identity.traceparent;
  }

  nextProviderKey(step: object): string {
    return this.#identity.nextProviderKey(stepName(step));
  }

  read<R extends QueryResultRow>(statement: Statement, values?: unknown[]): Promise<R[]> {
    return kept(() => this.#engine.read<R>(toHandlerCall(statement, values)));
  }

  run<R extends QueryResultRow>(statement: Statement, values?: unknown[]): Promise<R[]> {
    return kept(() => this.#engine.run<R>(toHandlerCall(statement, values)));
  }

  write(statement: Statement, values: unknown[], violations: Violations = {}): void {
    this.#engine.enqueue(toHandlerCall(statement, values), Object.keys(violations).length > 0);
    this.#engine.violations.declare(violations);
  }

  declare(violations: Violations): void {
    this.#engine.violations.declare(violations);
  }

  now(): Promise<Date> {
    return kept(async () => (await this.#engine.begin()).now);
  }

  manager(): Promise<EntityManager> {
    return kept(() => this.#engine.manager());
  }

  items(items: readonly Item[], options: ItemsOptions): Promise<ItemOutcome[]> {
    return kept(async () => {
      const { items: runner, owner } = this.#identity;
      if (!runner) throw new Error(`${owner} is no request, so it has no items`);
      return runner(this.#engine, (identity) => this.as(identity), items, options);
    });
  }

  async sqlClient(): Promise<SqlClient> {
    await kept(() => this.#engine.begin());
    return new SqlClient(this.#engine);
  }

  mayUseCached(): boolean {
    return this.#engine.useCached();
  }

  get usedCached(): boolean {
    return this.#engine.usedCached;
  }
}

/** What the work gives, or a rejection that may be left alone. */
async function started<T>(work: () => Promise<T>): Promise<T> {
  return work();
}

function kept<T>(work: () => Promise<T>): Promise<T> {
  return ignoreRejection(started(work));
}
