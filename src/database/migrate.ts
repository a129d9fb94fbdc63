import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { SESSION_SETTINGS } from '../idempotency/index.js';
import { CommandFailure, inDatabase } from '../kernel/cli.js';
import { isStated } from './client.js';
import { databaseOptions } from './data-source.js';
import { clearSession, isPooled, pooled } from './own-session.js';

/** "holdfast" in ASCII, as a number: the advisory lock under which one process at a time migrates. */
const MIGRATION_LOCK = 0x686f6c64;

/** Limits of every session of the API's role in this database (PostgreSQL manual, sections 19.11 and 19.3.2). */
const LIMITS = {
  lock_timeout: '5s',
  statement_timeout: '15s',
  idle_in_transaction_session_timeout: '10s',
  // A client that was killed leaves its backend waiting for a lock; this ends it.
  client_connection_check_interval: '1s',
};

/** Limits that migrations don't have; the last one is new in PostgreSQL 17, and where others set it, it is theirs. */
const UNLIMITED = [...Object.keys(LIMITS), 'transaction_timeout'];

/** Settings of the role in the database: PostgreSQL lets them win over those of the role, of the database and of the server. */
const ROLE_SETTINGS: [name: string, value: string][] = [
  ...Object.entries(LIMITS),
  ...SESSION_SETTINGS.filter(({ name, operators }) => !operators && !isStated(name)).map(({ name, wanted }): [string, string] => [
    name,
    wanted,
  ]),
];

/** What was found and done. */
export interface Migrated {
  /** Names, in the order in which they were applied. */
  applied: string[];
  inAll: number;
}

/**
 * Applies pending migrations under a lock, so that replicas that start together don't collide, and sets up the role that the
 * API uses: its limits, the settings that statements rely on, and what it may do with the tables. The tables are made in the
 * first schema of the owner's search_path. PgBouncer refuses such settings at connection start, so they belong to the role.
 * `tell` hears a sentence while another process holds that lock. Returns the migrations that it applied, and how many there are in all.
 * @throws CommandFailure where the API would not find the tables, and where the owner's address leads through a pooler
 */
export async function migrate(ownerUrl: string, apiUrl: string, tell?: (sentence: string) => void): Promise<Migrated> {
  // One connection, so that the session's lock and limits hold for the migrations too: the role's own limits, set below the
  // last time, would cut a long migration off, or the wait for another replica's.
  const owner = await new DataSource(databaseOptions(ownerUrl, 1)).initialize();
  let session: ClientBase | undefined;
  try {
    session = await ownSession(owner, ownerUrl === apiUrl ? 'DATABASE_URL' : 'DATABASE_OWNER_URL');
    await owner.query(`SELECT set_config(name, '0', false) FROM pg_settings WHERE name = ANY ($1)`, [UNLIMITED]);
    await takeLock(owner, tell);
    const applied = await owner.runMigrations({ transaction: 'each' });
    if (apiUrl === ownerUrl) await setUpOneself(owner);
    else await setUpApi(owner, apiUrl);
    const [all] = await owner.query<{ count: number }[]>('SELECT count(*)::int AS count FROM migrations');
    return { applied: applied.map(({ name }) => name), inAll: all?.count ?? 0 };
  } finally {
    // Ending the session gives the lock back. Not by the pool, which a migration that failed may have left without a connection.
    if (session) await clearSession(session);
    await owner.destroy();
  }
}

/** The only connection of the data source. @throws CommandFailure for a pooled one, with nothing set in it yet */
async function ownSession(owner: DataSource, variable: string): Promise<ClientBase> {
  const runner = owner.createQueryRunner();
  try {
    const client = (await runner.connect()) as ClientBase;
    if (!(await isPooled(client))) return client;
    throw pooled('Migrating needs', [{ variable }], ', or MIGRATE=false where another process migrates');
  } finally {
    await runner.release();
  }
}

/** Waits as long as it takes, but not in silence: who holds the lock may be a process that hangs. */
async function takeLock(owner: DataSource, tell?: (sentence: string) => void): Promise<void> {
  const [tried] = await owner.query<{ locked: boolean }[]>('SELECT pg_try_advisory_lock($1) AS locked', [MIGRATION_LOCK]);
  if (tried?.locked) return;
  const holders = await owner.query<{ pid: number }[]>(
    `SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
      WHERE datname = current_database() AND locktype = 'advisory' AND granted AND (classid, objid, objsubid) = (0, $1, 1)`,
    [MIGRATION_LOCK],
  );
  const sessions = holders.map(({ pid }) => pid).join(', ');
  tell?.(`Another process migrates this database: waiting for its lock${sessions && `, which the server's process ${sessions} holds`}.`);
  await owner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
}

/** The role sets its settings itself: everybody may do that for himself, and an owner who is no superuser for nobody else. */
async function setUpOneself(dataSource: DataSource): Promise<void> {
  const [names] = await dataSource.query<{ database: string }[]>('SELECT quote_ident(current_database()) AS database');
  const changes = ROLE_SETTINGS.map(([name, value]) => `ALTER ROLE SESSION_USER IN DATABASE ${names?.database} SET ${name} = '${value}'`);
  // In one packet: a pooler may give each packet to another session. The role may be set to become another one at login.
  await dataSource.query(['BEGIN', 'SET LOCAL ROLE NONE', ...changes, 'COMMIT'].join('; '));
}

async function setUpApi(owner: DataSource, apiUrl: string): Promise<void> {
  const place = { variable: 'DATABASE_URL' };
  const api = await inDatabase(place, () => new DataSource(databaseOptions(apiUrl, 1)).initialize());
  try {
    await inDatabase(place, () => setUpOneself(api));
    const [role] = await api.query<{ name: string }[]>('SELECT session_user AS name');
    await grant(owner, role?.name ?? '');
    await assertFinds(api, owner);
  } finally {
    await api.destroy();
  }
}

/** Lets the role use what the owner has made, and nothing else of a schema that it may share with others. */
async function grant(owner: DataSource, role: string): Promise<void> {
  const grants = await owner.query<{ sql: string }[]>(
    `WITH place AS (SELECT current_schema() AS name, quote_ident($1) AS role)
     SELECT format('GRANT USAGE ON SCHEMA %I TO %s', name, role) AS sql FROM place
      WHERE NOT has_schema_privilege($1, name, 'USAGE')
     UNION ALL
     SELECT format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s', oid::regclass, role) FROM place, pg_class
      WHERE relnamespace = to_regnamespace(quote_ident(name)) AND relkind IN ('r', 'p') AND pg_has_role(relowner, 'USAGE')
        AND NOT pg_has_role($1, relowner, 'USAGE')
     UNION ALL
     SELECT format('GRANT EXECUTE ON FUNCTION %s TO %s', oid::regprocedure, role) FROM place, pg_proc
      WHERE pronamespace = to_regnamespace(quote_ident(name)) AND proname = 'speculation_failed' AND NOT has_function_privilege($1, oid, 'EXECUTE')`,
    [role],
  );
  for (const { sql } of grants) await owner.query(sql);
}

/** @throws CommandFailure when the API's search_path doesn't lead to the tables that the owner has made */
async function assertFinds(api: DataSource, owner: DataSource): Promise<void> {
  const where = `SELECT current_schema() AS first, (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = to_regclass('migrations')) AS found`;
  const [mine] = await owner.query<{ first: string; found: string | null }[]>(where);
  const [its] = await api.query<{ first: string | null; found: string | null }[]>(where);
  if (its?.found === mine?.found) return;
  throw new CommandFailure(
    `DATABASE_URL: the tables are in the schema ${mine?.found}, and the search_path of this role leads to ${its?.found ?? its?.first ?? 'no schema'}. ` +
      `Set it for the role, or say it in the URL: ?options=-csearch_path%3D${mine?.first}`,
  );
}
