import { Pool, type PoolConfig } from 'pg';
import { followFlows, presentTransaction } from './connection-guard.js';
import { OVER } from './over.js';
import { SqlClient } from './sql-client.js';

type Connected = (error: Error | undefined, client?: unknown, release?: () => void) => void;

/**
 * A node-postgres pool for libraries that take one: inside an idempotent handler, what is asked of it goes to the handler's transaction,
 * on which BEGIN, COMMIT and ROLLBACK are savepoints; anywhere else it is the pool that it was made as. It must lead to the database
 * of the handlers' transactions.
 */
export class JoiningPool extends Pool {
  constructor(config?: PoolConfig) {
    super(config);
    followFlows();
    this.connect = joining(this.connect.bind(this), connectIn) as typeof this.connect;
    this.query = joining(this.query.bind(this), queryIn) as typeof this.query;
  }
}

type Anything = (...args: never[]) => unknown;

/** @throws Error, as a rejection, to code that outlives its handler */
function joining(otherwise: Anything, inside: (client: SqlClient, args: unknown[]) => unknown): Anything {
  return (...args: unknown[]) => {
    const tx = presentTransaction();
    if (!tx) return otherwise(...(args as never[]));
    if (tx.isOver) return Promise.reject(new Error(OVER));
    return inside(new SqlClient(tx), args);
  };
}

function connectIn(client: SqlClient, [callback]: unknown[]): unknown {
  if (typeof callback !== 'function') return Promise.resolve(client);
  (callback as Connected)(undefined, client, () => client.release());
  return undefined;
}

function queryIn(client: SqlClient, args: unknown[]): unknown {
  return client.query(...(args as Parameters<SqlClient['query']>));
}
