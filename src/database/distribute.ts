import type { DataSource } from 'typeorm';
import { spansServers } from '../idempotency/index.js';
import { CommandFailure } from '../kernel/cli.js';
import { KNOW_FUNCTION, distributeFunctions } from './distributed-functions.js';
import { PRIVILEGES } from './roles.js';
import { serversOf } from './servers.js';
import { renumberForeign } from './transaction-ids.js';

const GATE = 'payments_gate';

/** Small tables that each server has a copy of, since they are read without an account. */
const ON_EACH_SERVER = ['migrations', 'accounts', 'api_keys', GATE];

/** What the rows of other tables than those of accounts are spread by. */
const SPREAD_BY: Record<string, string> = { rate_limits: 'key', provider_events: 'id' };

/** Of the tables that lie by account the one that says where the others lie: rows of one account are on one server. */
const FIRST = 'idempotency_records';

/** Hash-distributed, or a reference table ('t'): one that only refers to such is known to the cluster too, and on one server still. */
const IS_SPREAD = `SELECT FROM pg_dist_partition WHERE logicalrelid = $1::regclass AND (partmethod <> 'n' OR repmodel = 't')`;

/** What the gate says of the server that payments came by so far it says of each. */
const OPEN_GATE = `
  INSERT INTO ${GATE} (cluster, timeline, is_open, changed_at, changed_by, note)
  SELECT s.cluster, s.timeline, g.is_open, g.changed_at, g.changed_by, g.note
    FROM ${GATE} g, unnest($1::text[], $2::integer[]) AS s (cluster, timeline)
  ON CONFLICT (cluster) DO NOTHING`;

/** One statement that spreads a table. */
interface Step {
  table: string;
  text: string;
  values: string[];
}

/**
 * Spreads the tables of a migrated database over the servers of a Citus cluster, the rows of each account together, and takes
 * row-level security off, whose policies know the account by a setting that other servers are not told. What is spread already stays as
 * it is, so this may be run again after each migration. Returns the names of the tables that it spread. Not for a database in use: each
 * table is locked while its rows move. @throws CommandFailure where the database is no cluster's; the database's error
 */
export async function distribute(owner: DataSource): Promise<string[]> {
  if (!(await spansServers(owner))) {
    throw new CommandFailure(
      'The database has no extension citus: CREATE EXTENSION citus on each server of the cluster, and add the others as its workers.',
    );
  }
  await owner.query(KNOW_FUNCTION, ['current_server()']);
  const servers = await serversOf(owner);
  const spread = await owner.transaction(async (manager) => {
    // The tables' triggers look at the row alone, and so may run on whichever server has it.
    await manager.query('SET LOCAL citus.enable_unsafe_triggers = on');
    for (const table of Object.keys(PRIVILEGES)) await manager.query(`ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`);
    const done: string[] = [];
    for (const { table, text, values } of stepsOf(Object.keys(PRIVILEGES))) {
      if ((await manager.query<unknown[]>(IS_SPREAD, [table])).length > 0) continue;
      if (table === GATE) await manager.query(OPEN_GATE, [servers.map(({ cluster }) => cluster), servers.map(({ timeline }) => timeline)]);
      await manager.query(text, values);
      done.push(table);
    }
    await distributeFunctions(manager, FIRST);
    return done;
  });
  await renumberForeign(owner);
  return spread;
}

/** In an order in which a table comes behind those that it refers to. */
function stepsOf(tables: string[]): Step[] {
  const isAccounts = (table: string): boolean => !ON_EACH_SERVER.includes(table) && !(table in SPREAD_BY);
  return [
    ...ON_EACH_SERVER.map((table) => ({ table, text: 'SELECT create_reference_table($1)', values: [table] })),
    ...Object.entries(SPREAD_BY).map(([table, column]) => ({
      table,
      text: `SELECT create_distributed_table($1, $2, colocate_with => 'none')`,
      values: [table, column],
    })),
    { table: FIRST, text: `SELECT create_distributed_table($1, 'account_id', colocate_with => 'none')`, values: [FIRST] },
    ...tables
      .filter((table) => isAccounts(table) && table !== FIRST)
      .map((table) => ({ table, text: `SELECT create_distributed_table($1, 'account_id', colocate_with => $2)`, values: [table, FIRST] })),
  ];
}
