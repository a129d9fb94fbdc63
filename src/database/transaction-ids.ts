import type { DataSource } from 'typeorm';
import { spansServers } from '../idempotency/index.js';

/** The newest one that is kept, where this server has not given it out yet; that of each account's events by its index. */
const FIND_FOREIGN = `
  SELECT max(k.id)::text AS newest
    FROM (SELECT (SELECT max(transaction_id) FROM events WHERE account_id = a.id) AS id FROM accounts a
          UNION ALL
          SELECT max(position_transaction) FROM webhook_endpoints) AS k
  HAVING max(k.id) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint`;

/** Where transaction ids are kept, by which events are read in order. */
const MOVE = [
  `UPDATE events SET transaction_id = transaction_id - $1::bigint`,
  `UPDATE webhook_endpoints SET position_transaction = position_transaction - $1::bigint`,
];

/**
 * Transaction ids are those of one server. After a restore from a dump into another one, old events may have ids that only come there:
 * reading forward would wait for them and put what is new before them. All of them then become zero at most, in the order that they have.
 * @throws the database's error
 */
export async function renumberForeign(owner: DataSource): Promise<void> {
  // Each server of a cluster gives ids of its own, and none can be compared from here.
  if (await spansServers(owner)) return;
  await owner.transaction(async (manager) => {
    const [foreign] = await manager.query<{ newest: string }[]>(FIND_FOREIGN);
    if (!foreign) return;
    for (const statement of MOVE) await manager.query(statement, [foreign.newest]);
  });
}
