import type { DataSource } from 'typeorm';
import { spansServers } from '../idempotency/index.js';

/** A server that keeps rows: its cluster of PostgreSQL's own, '' where it doesn't tell, and the timeline that it writes on. */
export interface ServerIdentity {
  cluster: string;
  timeline: number | null;
}

const IDENTITY = `SELECT coalesce(cluster, '') AS cluster, timeline FROM current_server()`;

const IDENTITIES = `
  SELECT result::json ->> 'cluster' AS cluster, (result::json ->> 'timeline')::integer AS timeline
    FROM run_command_on_all_nodes($1, true) ORDER BY nodeid`;

/** The servers that keep the tables: one, or all of a Citus cluster. @throws the database's error, also where one of them doesn't answer */
export async function serversOf(dataSource: Pick<DataSource, 'query'>): Promise<ServerIdentity[]> {
  if (!(await spansServers(dataSource))) return dataSource.query<ServerIdentity[]>(IDENTITY);
  return dataSource.query<ServerIdentity[]>(IDENTITIES, [`SELECT row_to_json(s) FROM (${IDENTITY}) s`]);
}
