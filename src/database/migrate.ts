import type { ClientBase } from 'pg';
import { DataSource } from 'typeorm';
import { CommandFailure, inDatabase } from '../kernel/cli.js';
import type { Config } from '../kernel/config.js';
import { databaseOptions } from './data-source.js';
import { clearSession, isPooled, pooled, type NamedUrl } from './own-session.js';
import { PLANS, setUpOneself, UNLIMITED } from './role-settings.js';
import { setUpRoles } from './roles.js';
import { assertVersion } from './server-version.js';
import { renumberForeign } from './transaction-ids.js';

/** "holdfast" in ASCII, as a number: the advisory lock under which one process at a time migrates. */
const MIGRATION_LOCK = 0x686f6c64;

/** The database as each of its roles; the same address where one role does it all. */
export type DatabaseUrls = Pick<Config, 'databaseOwnerUrl' | 'databaseUrl' | 'backgroundUrl'>;

/** Who hears of a migration under way. */
export interface MigrationListener {
  /** A sentence, while another process migrates and this one waits. */
  waits(sentence: string): void;
  /** Before each migration that is applied: its name, how many are applied by then, and how many there are in all. */
  applies(name: string, before: number, all: number): void;
}

/** What was found and done. */
export interface Migrated {
  /** Names, in the order in which they were applied. */
  applied: string[];
  inAll: number;
}

/**
 * Applies pending migrations under a lock, so that replicas that start together don't collide, and sets up the roles that the
 * API uses: their limits, the settings that statements rely on, and what they may do with the tables. The tables are made in the
 * first schema of the owner's search_path. PgBouncer refuses such settings at connection start, so they belong to the role.
 * Returns the migrations that it applied, and how many there are in all.
 * @throws CommandFailure where the API would not find the tables, and where the owner's address leads through a pooler
 */
export async function migrate(urls: DatabaseUrls, listener?: MigrationListener): Promise<Migrated> {
  const { databaseOwnerUrl: ownerUrl, databaseUrl: apiUrl, backgroundUrl } = urls;
  // One connection, so that the session's lock and limits hold for the migrations too: the role's own limits, set below the
  // last time, would cut a long migration off, or the wait for another replica's.
  const owner = await new DataSource(databaseOptions(ownerUrl, 1)).initialize();
  let session: ClientBase | undefined;
  try {
    session = await ownSession(owner, ownerUrl === apiUrl ? 'DATABASE_URL' : 'DATABASE_OWNER_URL');
    await assertVersion(owner);
    await owner.query(`SELECT set_config(name, '0', false) FROM pg_settings WHERE name = ANY ($1)`, [UNLIMITED]);
    await takeLock(owner, listener);
    if (listener) announce(owner, listener);
    const applied = await owner.runMigrations({ transaction: 'each' });
    await renumberForeign(owner);
    if (apiUrl === ownerUrl) await setUpOneself(owner);
    else await setUpOthers(owner, { variable: 'DATABASE_URL', url: apiUrl }, { variable: 'DATABASE_BACKGROUND_URL', url: backgroundUrl });
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
async function takeLock(owner: DataSource, listener?: MigrationListener): Promise<void> {
  const [tried] = await owner.query<{ locked: boolean }[]>('SELECT pg_try_advisory_lock($1) AS locked', [MIGRATION_LOCK]);
  if (tried?.locked) return;
  const holders = await owner.query<{ pid: number }[]>(
    `SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
      WHERE datname = current_database() AND locktype = 'advisory' AND granted AND (classid, objid, objsubid) = (0, $1, 1)`,
    [MIGRATION_LOCK],
  );
  const sessions = holders.map(({ pid }) => pid).join(', ');
  listener?.waits(
    `Another process migrates this database: waiting for its lock${sessions && `, which the server's process ${sessions} holds`}.`,
  );
  await owner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
}

/** TypeORM says which migrations it has applied when all are: each tells of itself before it begins. */
function announce({ migrations }: DataSource, listener: MigrationListener): void {
  for (const [before, migration] of migrations.entries()) {
    const up = migration.up.bind(migration);
    migration.up = (runner) => {
      listener.applies(migration.constructor.name, before, migrations.length);
      return up(runner);
    };
  }
}

/** The roles that serve requests and work in the background, where they are not the owner's. */
async function setUpOthers(owner: DataSource, api: NamedUrl, background: NamedUrl): Promise<void> {
  const apiRole = await setUpRole(api, background.url === api.url ? [] : PLANS);
  const backgroundRole = background.url === api.url ? apiRole : await setUpRole(background);
  await setUpRoles(owner, { api: apiRole, background: backgroundRole });
  for (const each of background.url === api.url ? [api] : [api, background]) await assertFinds(each, owner);
}

/** Over a connection of the role's own; returns its name. */
async function setUpRole({ variable, url }: NamedUrl, more: typeof PLANS = []): Promise<string> {
  const own = await inDatabase({ variable }, () => new DataSource(databaseOptions(url, 1)).initialize());
  try {
    await inDatabase({ variable }, () => setUpOneself(own, more));
    const [role] = await own.query<{ name: string }[]>('SELECT session_user AS name');
    return role?.name ?? '';
  } finally {
    await own.destroy();
  }
}

/** @throws CommandFailure when the role's search_path doesn't lead to the tables that the owner has made */
async function assertFinds({ variable, url }: NamedUrl, owner: DataSource): Promise<void> {
  const where = `SELECT current_schema() AS first, (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = to_regclass('migrations')) AS found`;
  const [mine] = await owner.query<{ first: string; found: string | null }[]>(where);
  const own = await new DataSource(databaseOptions(url, 1)).initialize();
  const [its] = await own.query<{ first: string | null; found: string | null }[]>(where);
  await own.destroy();
  if (its?.found === mine?.found) return;
  throw new CommandFailure(
    `${variable}: the tables are in the schema ${mine?.found}, and the search_path of this role leads to ${its?.found ?? its?.first ?? 'no schema'}. ` +
      `Set it for the role, or say it in the URL: ?options=-csearch_path%3D${mine?.first}`,
  );
}
