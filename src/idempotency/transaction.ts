import type { QueryResultRow } from 'pg';
import type { EntityManager } from 'typeorm';
import type { SqlClient } from './postgres/sql-client.js';
import type { Statement } from './postgres/statement.js';
import type { IdempotencyRefusal } from './refusal.js';
import type { Reply, StoredResponse } from './reply.js';

/** What a violated constraint means to the client: constraint name → the refusal to answer. */
export type Violations = Record<string, () => Error>;

/** One request inside another one: it counts as if it had been sent alone. */
export interface Item {
  /** Its own key, as `parseKey` gives it. */
  key: string;
  method: string;
  /** Its path as it would be sent: a route without parameters. */
  path: string;
  /** Its JSON body. */
  body: unknown;
  /** How long its response is kept, in milliseconds; the module's `windowMs` where it isn't given. */
  windowMs?: number;
}

/** What an item came to. */
export type ItemOutcome =
  /** Its answer, stored under its key now or before; of the item that failed an atomic batch, stored nowhere. */
  | { kind: 'answered'; response: StoredResponse }
  /** Its key stands for something else, or is expired. Nothing was executed or stored. */
  | { kind: 'refused'; error: IdempotencyRefusal }
  /** Undone, or not begun, because another item of an atomic batch failed. Its key is unused. */
  | { kind: 'rolled-back' };

/** How items are executed. */
export interface ItemsOptions {
  /** One failure undoes all: then no key of an item is used. */
  atomic: boolean;
  /** Hears which items will be executed, by their indexes, before the first one is: the place to lock in one order what all of them need. */
  prepare?(fresh: number[]): Promise<void>;
  /**
   * Executes an item in its own name: what a handler is to a request, with the same ends but a step. What an item writes is undone when
   * it is refused; a savepoint is only made for what has left by then, so `write` without `violations` costs none.
   */
  work(tx: Transaction, index: number): Promise<Reply>;
}

/**
 * The database transaction of a handler, or of a step's `settle`: what is written through it commits together with the
 * record of the key, or not at all. The engine opens and ends it. SQL that would (COMMIT, ROLLBACK and their kin, also
 * through the manager) is refused before it is sent; savepoints are the handler's own.
 */
export interface Transaction {
  /** Public id (`op_…`) of the operation that this transaction belongs to. */
  readonly operationId: string;
  /** The uuid behind `operationId`. */
  readonly operationUuid: string;
  /** The key that the client sent with it; null where the application started the operation by itself. */
  readonly idempotencyKey: string | null;
  /** What the option `traceparent` gave when the operation began, for what is to be tied to its trace; null where nothing is traced. */
  readonly traceparent: string | null;

  /** The provider key that the given step (a class with `@RecoverableStep()`) will have if this transaction ends with it, for what must be written down before. */
  nextProviderKey(step: object): string;

  /**
   * Reads without locking. In an optimistic handler what is read first travels with BEGIN and the claim, so it must not wait and
   * must not write: a transaction that is about to lose its claim would do so too.
   * @throws the database's error
   */
  read<R extends QueryResultRow>(statement: Statement, values?: unknown[]): Promise<R[]>;

  /**
   * Runs a statement of any kind, locking ones too, after everything asked for so far, and waits for its rows. What is asked for at one
   * moment leaves in one packet, in its order.
   * @throws the database's error, also that of one in front of it in its packet
   */
  run<R extends QueryResultRow>(statement: Statement, values?: unknown[]): Promise<R[]>;

  /** Queues a statement; it leaves with the next `run`, or with COMMIT. A violated constraint becomes the refusal named for it, thrown. */
  write(statement: Statement, values: unknown[], violations?: Violations): void;

  /** Says what a violated constraint means when other statements than `write`'s meet it. */
  declare(violations: Violations): void;

  /** The database's time at the start of this transaction, to the millisecond. */
  now(): Promise<Date>;

  /**
   * TypeORM's EntityManager on this connection. TypeORM takes the transaction as begun, so `save()` opens none of its own
   * and a nested `transaction()` is a savepoint.
   */
  manager(): Promise<EntityManager>;

  /**
   * Executes several requests inside this one, each under a key of its own, which commits with this transaction and is an ordinary
   * key from then on: sent alone, the item replays. Outcomes are in the order of the items; a key that stands twice has one effect.
   * @throws IdempotencyRefusal `idempotency-request-in-progress` when an item's key is in other hands: then nothing was done
   * @throws what an item's work threw that is no final refusal
   */
  items(items: readonly Item[], options: ItemsOptions): Promise<ItemOutcome[]>;

  /**
   * A node-postgres client on this transaction, for libraries that take one. BEGIN, COMMIT and ROLLBACK on it are a savepoint
   * and its end; a COMMIT or ROLLBACK without a BEGIN, and everything after the end, is refused.
   */
  sqlClient(): Promise<SqlClient>;

  /**
   * Leave to use what was read some time ago instead of reading it: then the writes must fail (`speculation_failed()` in
   * their SQL) where that is no longer so. Whatever the handler throws or its writes meet then is no decision: it runs
   * once more, in a new transaction, and is told to read. Always false unless the handler is optimistic.
   */
  mayUseCached(): boolean;

  /** True from a `mayUseCached()` on that said yes: the writes must make sure. */
  readonly usedCached: boolean;
}
