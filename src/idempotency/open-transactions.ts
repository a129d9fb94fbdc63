import { AsyncLocalStorage } from 'node:async_hooks';
import type { DataSource } from 'typeorm';

/** A transaction, as far as it matters here. */
interface Openable {
  readonly isOpen: boolean;
}

/**
 * The transaction that the present asynchronous flow has opened. Before Node 24 a storage in use slows down every promise of
 * the process (here a first request by a tenth and a replay by a third), so it is in use only while a transaction is open
 * over the answers of the database; those that leave in one flight never are.
 */
const present = new AsyncLocalStorage<Openable>();
let open = 0;

/** From here on the caller's flow, and whatever it starts, is inside the transaction. Each call needs one of `left`. */
export function entered(transaction: Openable): void {
  open += 1;
  present.enterWith(transaction);
}

/** The transaction is over. */
export function left(): void {
  open -= 1;
  if (open === 0) present.disable();
}

/** @throws Error when the caller is inside an open transaction: what can hang must not hold locks and a connection. */
export function assertNoTransaction(doing: string): void {
  if (isInside()) throw new Error(`${doing} inside an open transaction`);
}

/**
 * Makes the data source refuse a connection to code that already holds one in a transaction: with every handler
 * waiting for a second connection, a full pool would never move again.
 */
export function guardConnections(dataSource: DataSource): void {
  const driver = dataSource.driver as unknown as { obtainMasterConnection(): Promise<unknown> };
  const obtain = driver.obtainMasterConnection.bind(driver);
  driver.obtainMasterConnection = () => {
    if (isInside()) {
      return Promise.reject(
        new Error('A second connection was asked for inside a transaction: use the Transaction (or its manager()) instead'),
      );
    }
    return obtain();
  };
}

function isInside(): boolean {
  return open > 0 && present.getStore()?.isOpen === true;
}
