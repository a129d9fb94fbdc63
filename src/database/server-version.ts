import type { DataSource } from 'typeorm';
import { CommandFailure } from '../kernel/cli.js';

/** The oldest major version of PostgreSQL that the tests are run on: client_connection_check_interval is from there. */
const OLDEST = 14;

/** @throws CommandFailure for a server whose settings or grammar the statements here are too new for */
export async function assertVersion(owner: DataSource): Promise<void> {
  const [server] = await owner.query<{ version: string; is_old: boolean }[]>(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int < ${OLDEST}0000 AS is_old`,
  );
  if (server?.is_old) throw new CommandFailure(`The server is PostgreSQL ${server.version}: Holdfast needs ${OLDEST} or newer.`);
}
