import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { assertLeastPrivilege } from '../../src/database/least-privilege.js';
import { KEY_A, KEY_B, ORDER, startApp } from '../support/app.js';
import { run, type Ended } from '../support/built-process.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

/** Roles of one test, none of which is more than a login. */
interface Roles {
  owner: string;
  api: string;
  background: string;
}

let database: TestDatabase;
let name: string;
let roles: Roles;
beforeEach(async () => {
  database = await createDatabase();
  name = new URL(database.url).pathname.slice(1);
  const suffix = randomBytes(4).toString('hex');
  roles = { owner: `owner_${suffix}`, api: `api_${suffix}`, background: `background_${suffix}` };
  const { owner, api, background } = roles;
  for (const role of Object.values(roles)) await database.query(`CREATE ROLE ${role} LOGIN`);
  // As `ops/postgres-roles.sh` has it: nothing for everybody.
  await database.query(`REVOKE ALL ON DATABASE ${name} FROM PUBLIC; GRANT CONNECT ON DATABASE ${name} TO ${owner}, ${api}, ${background}`);
});
afterEach(async () => {
  const all = Object.values(roles).join(', ');
  await database.query(`ALTER DATABASE ${name} OWNER TO CURRENT_USER; ALTER SCHEMA public OWNER TO CURRENT_USER`);
  await database.query(`DROP OWNED BY ${all} CASCADE`);
  await database.query(`DROP ROLE ${all}`);
  await database.drop();
});

const as = (role: string): string => Object.assign(new URL(database.url), { username: role }).toString();
const env = (): Record<string, string> => ({
  DATABASE_OWNER_URL: as(roles.owner),
  DATABASE_URL: as(roles.api),
  DATABASE_BACKGROUND_URL: as(roles.background),
});
const migrate = (): Promise<Ended> =>
  run('src/database/migrate.cli.js', [], { ...env(), CI: 'true', DEMO_API_KEY: KEY_A, DEMO_API_KEY_B: KEY_B });

it('three plain roles do all: the owner of the database migrates, one serves, one audits, and production takes them', async () => {
  await database.query(`ALTER DATABASE ${name} OWNER TO ${roles.owner}; ALTER SCHEMA public OWNER TO ${roles.owner}`);
  expect(await migrate()).toMatchObject({ code: 0, stderr: '' });
  expect((await migrate()).stdout).toContain('nothing to do');
  const app = await startApp(database, env());
  try {
    expect((await app.send('POST', '/v1/orders', { body: ORDER })).status).toBe(201);
    await expect(assertLeastPrivilege(app.app.get(DataSource), { production: true })).resolves.toBeUndefined();
  } finally {
    await app.close();
  }
  // It reads no ledger where the provider has none.
  const audit = await run('src/audit/audit.cli.js', [], { ...env(), CI: 'true', PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk_test_x' });
  expect([audit.code, audit.stderr, audit.stdout.trimEnd().split('\n').at(-1)]).toEqual([0, '', 'differences: 0']);
  await database.query(`UPDATE orders SET total = total + 1`);
  const again = await run('src/audit/audit.cli.js', [], { ...env(), CI: 'true', PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk_test_x' });
  expect([again.code, again.stdout.trimEnd().split('\n').at(-1)]).toEqual([1, 'differences: 1']);
});

it('what the owner may not run is named, also where PostgreSQL only warns; somebody who may runs it, and the migration goes on', async () => {
  await database.query(`REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE, CREATE ON SCHEMA public TO ${roles.owner}`);
  const needed: string[] = [];
  for (;;) {
    const { code, stderr } = await migrate();
    if (code === 0) break;
    const [, sql] = /^The owner of the tables may not run "((?:[^"\\]|\\.)*)": /.exec(stderr) ?? [];
    expect([code, stderr, needed.includes(String(sql))]).toEqual([1, expect.stringMatching(/may not run "GRANT /), false]);
    needed.push(String(sql));
    await database.query(String(sql));
  }
  expect(needed.sort()).toEqual([
    `GRANT TEMPORARY ON DATABASE ${name} TO ${roles.background}`,
    `GRANT USAGE ON SCHEMA public TO ${roles.api}`,
    `GRANT USAGE ON SCHEMA public TO ${roles.background}`,
  ]);
});

it('a server that is too old is refused before anything is made', async () => {
  await database.query(`ALTER DATABASE ${name} OWNER TO ${roles.owner}; ALTER SCHEMA public OWNER TO ${roles.owner}`);
  await database.query(`
    ALTER FUNCTION pg_catalog.current_setting(text) RENAME TO current_setting_of_old;
    CREATE FUNCTION pg_catalog.current_setting(text) RETURNS text LANGUAGE sql STABLE AS $$
      SELECT CASE $1 WHEN 'server_version_num' THEN '130022' WHEN 'server_version' THEN '13.22' ELSE current_setting_of_old($1) END
    $$`);
  const { code, stderr } = await migrate();
  expect([code, stderr]).toEqual([1, 'The server is PostgreSQL 13.22: Holdfast needs 14 or newer.\n']);
  expect(await database.query(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).toEqual([]);
  const [settings] = await database.query<{ count: number }>(
    `SELECT count(*)::int FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = '${name}'`,
  );
  expect(settings?.count).toBe(0);
});
