import type { DataSource, EntityManager } from 'typeorm';
import { spansServers } from '../idempotency/index.js';

/** Of an account, or of all where they are on one server, the newest one that is kept and that the server has not given out yet. */
interface Foreign {
  /** uuid; null: of all. */
  account: string | null;
  newest: string;
}

/** That of each account's events by its index. */
const FIND_FOREIGN = `
  SELECT NULL AS account, max(k.id)::text AS newest
    FROM (SELECT (SELECT max(transaction_id) FROM events WHERE account_id = a.id) AS id FROM accounts a
          UNION ALL
          SELECT max(position_transaction) FROM webhook_endpoints) AS k
  HAVING max(k.id) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint`;

/** The same of tables on several servers, each of which compares its own. */
const foreignOn = (table: string, column: string): string => `
  SELECT account_id AS account, max(${column})::text AS newest FROM ${table} GROUP BY account_id
  HAVING max(${column}) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint`;
const FIND_FOREIGN_ON_EACH = [foreignOn('events', 'transaction_id'), foreignOn('webhook_endpoints', 'position_transaction')];

/** Where transaction ids are kept, by which events are read in order. */
const MOVE = [
  `UPDATE events SET transaction_id = transaction_id - $1::bigint`,
  `UPDATE webhook_endpoints SET position_transaction = position_transaction - $1::bigint`,
];

/**
 * Transaction ids are those of one server. After a restore from a dump into another one, or where an account's rows were moved to another
 * server, old events may have ids that only come there: reading forward would wait for them and put what is new before them. All of them then
 * become zero at most, in the order that they have. @throws the database's error
 */
export async function renumberForeign(owner: DataSource): Promise<void> {
  const finds = (await spansServers(owner)) ? FIND_FOREIGN_ON_EACH : [FIND_FOREIGN];
  await owner.transaction(async (manager) => {
    for (const find of finds) {
      for (const { account, newest } of await manager.query<Foreign[]>(find)) await lower(manager, newest, account);
    }
  });
}

/** Makes the ids that are kept smaller by so much, in the order that they have; of one account, or of all. */
async function lower(manager: EntityManager, by: string, account: string | null): Promise<void> {
  for (const statement of MOVE) {
    await (account === null ? manager.query(statement, [by]) : manager.query(`${statement} WHERE account_id = $2`, [by, account]));
  }
}
