import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { followFlows, presentTransaction } from './connection-guard.js';
import { Nesting } from './nesting.js';
import { OVER } from './over.js';
import type { PostgresTransaction } from './postgres-transaction.js';
import { SqlClient } from './sql-client.js';

/** Of each data source in which a core opens transactions: the application's own, whose repositories join these. */
const homes = new WeakMap<DataSource, DataSource>();
let installed = false;

type Create = (this: DataSource, mode?: 'master' | 'slave') => QueryRunner;
type RunIn = (manager: EntityManager) => Promise<unknown>;

/**
 * From here on whatever asks `home` for the database inside a handler or a `settle` gets its transaction: repositories,
 * managers, query builders, query runners. Other data sources are refused there, and so is whoever asks after the end.
 * `sources`: those in which the core opens transactions.
 */
export function joinTransactions(home: DataSource, sources: readonly DataSource[]): void {
  followFlows();
  for (const source of [home, ...sources]) homes.set(source, home);
  nestCallbacks(home.manager);
  if (installed) return;
  installed = true;
  const original: Create = Reflect.get(DataSource.prototype, 'createQueryRunner');
  DataSource.prototype.createQueryRunner = function (this: DataSource, mode) {
    const tx = presentTransaction();
    const joined = tx && homes.get(tx.dataSource);
    if (!joined) return original.call(this, mode);
    if (tx.isOver) throw new Error(OVER);
    if (this !== joined && this !== tx.dataSource) throw new Error(OTHER_SOURCE);
    return joinedRunner(original.call(this, 'master'), tx);
  };
}

/** A query runner without a connection of its own: it sends on the transaction's, and its transactions are savepoints. */
function joinedRunner(runner: QueryRunner, tx: PostgresTransaction): QueryRunner {
  const nesting = Nesting.of(tx);
  const client = new SqlClient(tx, runner);
  const start = runner.startTransaction.bind(runner);
  const commit = runner.commitTransaction.bind(runner);
  const rollBack = runner.rollbackTransaction.bind(runner);
  Object.assign(runner, { isTransactionActive: true, transactionDepth: 1, connect: () => Promise.resolve(client) });
  runner.startTransaction = async (...isolation) => {
    nesting.begin(runner);
    await start(...isolation);
  };
  runner.commitTransaction = async () => {
    await commit();
    nesting.end(runner, false);
  };
  runner.rollbackTransaction = async () => {
    // One that never began: TypeORM rolls back also where BEGIN was refused.
    if (!nesting.has(runner)) return;
    await rollBack();
    nesting.end(runner, true);
  };
  nestCallbacks(runner.manager);
  return runner;
}

/** Has the callback of `transaction()` run as what belongs to it. */
function nestCallbacks(manager: EntityManager): void {
  const transaction = manager.transaction.bind(manager) as (...args: unknown[]) => Promise<never>;
  manager.transaction = (...args: unknown[]): Promise<never> => {
    // DataSource.transaction() hands on an undefined behind the callback.
    const at = args.findIndex((arg) => typeof arg === 'function');
    const work = args[at] as RunIn;
    const run: RunIn = (inner) => {
      const tx = presentTransaction();
      return tx && inner.queryRunner ? Nesting.of(tx).within(inner.queryRunner, () => work(inner)) : work(inner);
    };
    return transaction(...args.slice(0, Math.max(at, 0)), run);
  };
}

const OTHER_SOURCE =
  "Another data source inside an idempotent handler: its writes could not commit together with the handler's. What shall not depend on it belongs into outsideTransaction(…)";
