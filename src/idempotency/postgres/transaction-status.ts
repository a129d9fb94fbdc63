import type { PoolClient } from 'pg';

/** What ReadyForQuery says of the session (PostgreSQL manual, section 54.7): idle, in a transaction, in a failed one. */
type Status = 'I' | 'T' | 'E';

/** What is reached into of node-postgres' client. `getTransactionStatus` came with 8.21. */
interface Inside {
  getTransactionStatus?(): Status | null;
  connection: { prependListener(event: 'readyForQuery', hear: (message: { status: Status }) => void): unknown };
}

/** Of clients that don't tell it themselves. */
const heard = new WeakMap<object, Status>();

/**
 * Sees to it that `isIdle` knows of this client. One of node-postgres before 8.21 is listened to from here on; the first time
 * there is something to await: the answer to an empty query, with which the server says how the session is now.
 */
export function followTransactions(client: PoolClient): Promise<unknown> | undefined {
  const inside = client as unknown as Inside;
  if (inside.getTransactionStatus || heard.has(client)) return undefined;
  // In front of the client's own listener, which lets the next query go.
  inside.connection.prependListener('readyForQuery', ({ status }) => heard.set(client, status));
  // A client that can't ask is not idle.
  return client.query('').catch(() => undefined);
}

/** Whether the server has no transaction open on this connection. */
export function isIdle(client: PoolClient): boolean {
  const inside = client as unknown as Inside;
  return (inside.getTransactionStatus ? inside.getTransactionStatus() : heard.get(client)) === 'I';
}
