import { AsyncLocalStorage } from 'node:async_hooks';
import type { DataSource } from 'typeorm';
import type { PostgresTransaction } from './postgres-transaction.js';

/** The transaction that the present asynchronous flow is in; undefined while flows are not followed. */
let present: AsyncLocalStorage<PostgresTransaction | undefined> | undefined;

/** From here on this process knows which flow is inside which transaction. */
export function followFlows(): void {
  present ??= new AsyncLocalStorage();
}

/** The transaction that the caller's flow is in, also when it is over; undefined outside of any. */
export function presentTransaction(): PostgresTransaction | undefined {
  return present?.getStore();
}

/**
 * Runs `work` as code that belongs to no handler's transaction: for what shall be written whatever becomes of it, and for what
 * goes on after it. Its writes are not undone with the handler's, and a second run of the handler does them again.
 */
export function outsideTransaction<T>(work: () => T): T {
  return present?.getStore() ? present.run(undefined, work) : work();
}

/**
 * From here on this process knows which flow is inside an open transaction, and the data source refuses a connection to code
 * that already holds one: with every handler waiting for a second connection, a full pool would not move until they give up.
 */
export function guardConnections(dataSource: DataSource): void {
  followFlows();
  const driver = dataSource.driver as unknown as { obtainMasterConnection(): Promise<unknown> };
  const obtain = driver.obtainMasterConnection.bind(driver);
  driver.obtainMasterConnection = () => {
    if (present?.getStore()?.isOpen) {
      return Promise.reject(
        new Error('A second connection was asked for inside a transaction: use the Transaction (or its manager()) instead'),
      );
    }
    return obtain();
  };
}

/** Runs `work` as a flow that the transaction belongs to. */
export function inTransaction<T>(transaction: PostgresTransaction, work: () => Promise<T>): Promise<T> {
  return present ? present.run(transaction, work) : work();
}

/** @throws Error when the caller is known to be inside an open transaction: what can hang must not hold locks and a connection. */
export function assertNoTransaction(doing: string): void {
  if (present?.getStore()?.isOpen) throw new Error(`${doing} inside an open transaction`);
}
