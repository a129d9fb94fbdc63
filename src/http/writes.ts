import type { DataSource, EntityManager } from 'typeorm';
import { enterBy } from '../idempotency/index.js';

/**
 * Writes without a key, in a transaction of its own that says whose it is. Only for what may be done again without harm: whoever
 * hears nothing of its COMMIT sends the request again. @throws the database's error, and what `work` throws, after a rollback
 */
export function writeAs<T>(dataSource: DataSource, accountId: string, work: (own: EntityManager) => Promise<T>): Promise<T> {
  return dataSource.transaction(async (manager) => {
    // What is written leaves behind it and waits for no answer: had it failed, the transaction would have.
    const entering = manager.query(`SELECT ${enterBy('$1')}`, [accountId]);
    const [done] = await Promise.all([work(manager), entering]);
    return done;
  });
}
