import type { DataSource } from 'typeorm';

/** Where transaction ids are kept, by which events are read in order. */
const PLACES = [{ table: 'events', column: 'transaction_id' }];

/** The newest one of all accounts, each by its index, where this server has not given it out yet. */
const FIND_FOREIGN = `
  SELECT max(m.id)::text AS newest
    FROM accounts a, LATERAL (SELECT max(transaction_id) AS id FROM events WHERE account_id = a.id) AS m
  HAVING max(m.id) >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint`;

/**
 * Transaction ids are those of one server. After a restore from a dump into another one, old events may have ids that only come there:
 * reading forward would wait for them and put what is new before them. All of them then go below zero, in the order that they have.
 * @throws the database's error
 */
export async function renumberForeign(owner: DataSource): Promise<void> {
  await owner.transaction(async (manager) => {
    const [foreign] = await manager.query<{ newest: string }[]>(FIND_FOREIGN);
    if (!foreign) return;
    for (const { table, column } of PLACES) await manager.query(`UPDATE ${table} SET ${column} = ${column} - $1`, [foreign.newest]);
  });
}
