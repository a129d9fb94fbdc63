import { DataSource } from 'typeorm';
import { databaseOptions } from './data-source.js';

/** "holdfast" in ASCII, as a number: the advisory lock under which one process at a time migrates. */
const MIGRATION_LOCK = 0x686f6c64;

/**
 * Applies pending migrations under a lock, so that replicas that start together don't collide, and sets the limits of
 * the role that the API uses. PgBouncer refuses such settings at connection start, so they belong to the role.
 */
export async function migrate(ownerUrl: string, apiUrl: string): Promise<void> {
  // One connection, so that the session's lock and limits hold for the migrations too: the role's own limits, set below the
  // last time, would cut a long migration off, or the wait for another replica's.
  const dataSource = await new DataSource(databaseOptions(ownerUrl, 1)).initialize();
  try {
    for (const limit of Object.keys(LIMITS)) await dataSource.query(`SET ${limit} = 0`);
    await dataSource.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations({ transaction: 'each' });
    await limitRole(dataSource, decodeURIComponent(new URL(apiUrl).username));
  } finally {
    // Ending the session gives the lock back.
    await dataSource.destroy();
  }
}

/** Limits of every session of the API's role in this database (PostgreSQL manual, sections 19.11 and 19.3.2). */
const LIMITS = {
  lock_timeout: '5s',
  statement_timeout: '15s',
  idle_in_transaction_session_timeout: '10s',
  // A client that was killed leaves its backend waiting for a lock; this ends it.
  client_connection_check_interval: '1s',
};

async function limitRole(dataSource: DataSource, apiRole: string): Promise<void> {
  const [names] = await dataSource.query<{ owner: string; database: string }[]>(
    `SELECT quote_ident(current_user) AS owner, quote_ident(current_database()) AS database`,
  );
  if (!names) return;
  const [role] = await dataSource.query<{ name: string }[]>(`SELECT quote_ident(rolname) AS name FROM pg_roles WHERE rolname = $1`, [
    apiRole,
  ]);
  const name = role?.name ?? names.owner;
  for (const [setting, value] of Object.entries(LIMITS)) {
    await dataSource.query(`ALTER ROLE ${name} IN DATABASE ${names.database} SET ${setting} = '${value}'`);
  }
  if (name === names.owner) return;
  await dataSource.query(`GRANT USAGE ON SCHEMA public TO ${name}`);
  await dataSource.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${name}`);
}
