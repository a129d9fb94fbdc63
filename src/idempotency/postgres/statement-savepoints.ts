import type { QueryResult } from 'pg';
import type { DataSource } from 'typeorm';
import { ignoreRejection } from './ignore-rejection.js';
import type { PostgresTransaction } from './postgres-transaction.js';

const sources = new WeakSet<DataSource>();
/** The end of what was asked for last in a transaction. */
const turns = new WeakMap<PostgresTransaction, Promise<unknown>>();

const NAME = 'holdfast_statement';
/** What a savepoint of its own would undo, or would be undone by. */
const MOVES_SAVEPOINTS = /^\s*(?:savepoint|release|rollback)\b/i;

/** What is sent of a statement. */
type Send = (sent: string | undefined) => Promise<QueryResult>;

/** From here on a statement that fails in a transaction of this data source, by code that joins it, undoes itself alone. */
export function saveStatements(dataSource: DataSource): void {
  sources.add(dataSource);
}

/**
 * Sends a statement behind a savepoint of its own, where that was asked for, so that its failure leaves the transaction as it was. One after
 * the other, since savepoints nest by time. `send` sends the statement itself, or the text that it is given.
 */
export function sendSaved(tx: PostgresTransaction, text: string, send: Send): Promise<QueryResult> {
  if (!sources.has(tx.dataSource)) return send(undefined);
  const turn = (turns.get(tx) ?? Promise.resolve()).then(() => (MOVES_SAVEPOINTS.test(text) ? send(undefined) : saved(send)));
  turns.set(
    tx,
    turn.catch(() => undefined),
  );
  return turn;
}

async function saved(send: Send): Promise<QueryResult> {
  // It leaves with the statement; so does the release with the next one.
  void ignoreRejection(send(`SAVEPOINT ${NAME}`));
  try {
    const result = await send(undefined);
    void ignoreRejection(send(`RELEASE SAVEPOINT ${NAME}`));
    return result;
  } catch (error) {
    await send(`ROLLBACK TO SAVEPOINT ${NAME}; RELEASE SAVEPOINT ${NAME}`).catch(() => undefined);
    throw error;
  }
}
