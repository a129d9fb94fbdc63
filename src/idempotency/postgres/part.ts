import type { PostgresTransaction } from './postgres-transaction.js';

/**
 * Runs work whose statements can be undone alone. They are when it throws, or when `isKept` says no of what it gave. A violation
 * that one of them may meet is met before the end of the part. @throws what the work or the database threw
 */
export async function inPart<T>(tx: PostgresTransaction, work: () => Promise<T>, isKept: (given: T) => boolean): Promise<T> {
  const { queue } = tx;
  queue.begin();
  let given: T;
  try {
    given = await work();
    if (queue.isDoubtful) await tx.runAll([]);
  } catch (error) {
    queue.undo();
    throw error;
  }
  if (isKept(given)) queue.keep();
  else queue.undo();
  return given;
}
