import type { QueryResultRow } from 'pg';
import type { EntityManager } from 'typeorm';
import type { Statement } from './postgres/statement.js';

/** What a violated constraint means to the client: constraint name → the refusal to answer. */
export type Violations = Record<string, () => Error>;

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

  /** The provider key that the given step (a class with `@RecoverableStep()`) will have if this transaction ends with it, for what must be written down before. */
  nextProviderKey(step: object): string;

  /**
   * Reads without locking. In an optimistic handler the first read travels with BEGIN and the claim, so it must not wait and
   * must not write: a transaction that is about to lose its claim would do so too.
   * @throws the database's error
   */
  read<R extends QueryResultRow>(statement: Statement, values?: unknown[]): Promise<R[]>;

  /** Runs a statement of any kind, locking ones too, after everything asked for so far, and waits for its rows. @throws the database's error */
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
   * Leave to use what was read some time ago instead of reading it: then the writes must fail (`speculation_failed()` in
   * their SQL) where that is no longer so. Whatever the handler throws or its writes meet then is no decision: it runs
   * once more, in a new transaction, and is told to read. Always false unless the handler is optimistic.
   */
  mayUseCached(): boolean;

  /** True from a `mayUseCached()` on that said yes: the writes must make sure. */
  readonly usedCached: boolean;
}
