import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { KEY_A, KEY_B, send, startApp } from '../support/app.js';
import { run, type Ended } from '../support/built-process.js';
import { createDatabase, createMigratedDatabase, type TestDatabase } from '../support/database.js';

/** Starts the API as its users do; it ends by itself, or the test fails. */
const main = (env: Record<string, string>): Promise<Ended> => run('src/main.js', [], { NODE_ENV: 'test', PORT: '0', ...env });
const migrateCommand = (env: Record<string, string>): Promise<Ended> => run('src/database/migrate.cli.js', [], env);

function with_(url: string, change: (url: URL) => void): string {
  const changed = new URL(url);
  change(changed);
  return changed.href;
}

describe('a start that fails names the variable or the object, and shows neither a stack nor a secret', () => {
  let migrated: TestDatabase;
  let empty: TestDatabase;
  let foreign: TestDatabase;
  let taken: Server;
  let port: string;
  beforeAll(async () => {
    [migrated, empty, foreign] = await Promise.all([createMigratedDatabase(), createDatabase(), createDatabase()]);
    await foreign.query('CREATE TABLE orders (id int)');
    await foreign.query('CREATE SCHEMA other');
    taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    port = String((taken.address() as AddressInfo).port);
  });
  afterAll(async () => {
    taken.close();
    await Promise.all([migrated, empty, foreign].map((database) => database.drop()));
  });

  const secret = (url: string): string => with_(url, (changed) => (changed.password = 'hunter2'));
  const options = (url: string, text: string): string => with_(url, (changed) => changed.searchParams.set('options', text));
  type Case = [what: string, env: () => Record<string, string>, sentence: RegExp];
  const database: Case[] = [
    [
      'nothing listens',
      () => ({ DATABASE_URL: 'postgres://x:hunter2@127.0.0.1:9/x' }),
      /^.*DATABASE_URL .*nothing listens.*127\.0\.0\.1:9/,
    ],
    ['unknown host', () => ({ DATABASE_URL: 'postgres://x:hunter2@host.invalid/x' }), /DATABASE_URL .*host name.*host\.invalid/],
    ['no socket', () => ({ DATABASE_URL: 'postgres://x:hunter2@/x?host=/nowhere' }), /DATABASE_URL .*no socket.*\/nowhere/],
    [
      'no database',
      () => ({ DATABASE_URL: secret(with_(empty.url, (url) => (url.pathname = '/nothere'))) }),
      /no database of that name.*"nothere"/,
    ],
    ['no user', () => ({ DATABASE_URL: secret(with_(empty.url, (url) => (url.username = 'nobody1'))) }), /may not log in.*"nobody1"/],
    [
      'no TLS',
      () => ({ DATABASE_URL: with_(secret(empty.url), (url) => url.searchParams.set('sslmode', 'verify-full')) }),
      /has no TLS: say sslmode/,
    ],
    ['an option', () => ({ DATABASE_URL: options(secret(empty.url), '-c lock_timeout=soon') }), /setting in its options.*"lock_timeout"/],
    ['a setting', () => ({ DATABASE_URL: options(secret(migrated.url), '-c exit_on_error=on') }), /exit_on_error is on and must be off/],
    [
      'read-only',
      () => ({ DATABASE_URL: options(secret(empty.url), '-c default_transaction_read_only=on') }),
      /it is read-only|default_transaction_read_only is on/,
    ],
  ];
  it.each(database)('%s, before migrations and without them', async (_what, env, sentence) => {
    for (const MIGRATE of ['true', 'false']) {
      expectSentence(await main({ MIGRATE, ...env() }), sentence);
    }
  });

  const others: Case[] = [
    [
      'the owner’s address',
      () => ({ DATABASE_URL: migrated.url, DATABASE_OWNER_URL: 'postgres://x:hunter2@127.0.0.1:9/x' }),
      /of DATABASE_OWNER_URL .*nothing listens/,
    ],
    ['no tables', () => ({ DATABASE_URL: secret(empty.url), MIGRATE: 'false' }), /DATABASE_URL .*`npm run migrate` makes them/],
    ['the tables of others', () => ({ DATABASE_URL: secret(foreign.url) }), /DATABASE_URL .*tables of something else.*"orders"/],
    ['no schema', () => ({ DATABASE_URL: options(secret(empty.url), '-csearch_path=nowhere') }), /search_path names no schema/],
    [
      'not the owner’s schema',
      () => ({ DATABASE_OWNER_URL: secret(migrated.url), DATABASE_URL: options(secret(migrated.url), '-csearch_path=pg_temp') }),
      /^.*DATABASE_URL: the tables are in the schema public.*\?options=-csearch_path%3Dpublic/,
    ],
    ['a port that is taken', () => ({ DATABASE_URL: secret(migrated.url), PORT: port }), /Port \d+ .*is taken: .*set PORT /],
    [
      'another port that is taken',
      () => ({ DATABASE_URL: secret(migrated.url), INTERNAL_PORT: port }),
      /Port \d+ .*is taken: .*set INTERNAL_PORT /,
    ],
    ['an address of others', () => ({ DATABASE_URL: secret(migrated.url), HOST: '203.0.113.1' }), /HOST: .*no such address/],
    ['a host of nobody', () => ({ DATABASE_URL: secret(migrated.url), HOST: 'host.invalid' }), /HOST: .*no such address/],
  ];
  it.each(others)('%s', async (_what, env, sentence) => expectSentence(await main(env()), sentence));

  it('npm run migrate says it in the same words', async () => {
    const env = { DATABASE_URL: migrated.url, DATABASE_OWNER_URL: 'postgres://x:hunter2@127.0.0.1:9/x' };
    expectSentence(await migrateCommand(env), /^The database of DATABASE_OWNER_URL .*nothing listens/);
  });
});

function expectSentence({ code, stdout, stderr }: Ended, sentence: RegExp): void {
  expect([code, stderr]).toEqual([1, expect.stringMatching(sentence)]);
  expect(stdout + stderr).not.toMatch(/hunter2|\n\s+at |"stack"/);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
}

describe('an owner who is no superuser, an API with a role of its own, and a schema of their own', () => {
  const suffix = randomBytes(4).toString('hex');
  const [owner, api] = [`owner_${suffix}`, `api_${suffix}`];
  let database: TestDatabase;
  let name: string;
  const as = (role: string, schema?: string): string =>
    with_(database.url, (url) => {
      url.username = role;
      if (schema) url.searchParams.set('options', `-csearch_path="${schema}"`);
    });

  beforeAll(async () => {
    database = await createDatabase();
    name = new URL(database.url).pathname.slice(1);
    for (const role of [owner, api]) await database.query(`CREATE ROLE ${role} LOGIN`);
    // As hardened databases have it: nothing for everybody.
    await database.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
    await database.query(`ALTER DEFAULT PRIVILEGES FOR ROLE ${owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC`);
  });
  afterAll(async () => {
    await database.query(`DROP OWNED BY ${owner}, ${api} CASCADE`);
    await database.query(`DROP ROLE ${owner}, ${api}`);
    await database.drop();
  });

  it.each(['options of the URL', 'settings of the roles'])('named by %s', async (by) => {
    const schema = by.startsWith('options') ? 'Shop' : 'shop 2';
    await database.query(`CREATE SCHEMA "${schema}" AUTHORIZATION ${owner}`);
    await database.query(`CREATE TABLE "${schema}".others (id int)`);
    const inUrl = by.startsWith('options') ? schema : undefined;
    if (!inUrl)
      for (const role of [owner, api]) await database.query(`ALTER ROLE ${role} IN DATABASE ${name} SET search_path = "${schema}"`);
    const env = { DATABASE_OWNER_URL: as(owner, inUrl), DATABASE_URL: as(api, inUrl) };

    const demo = { DEMO_API_KEY: KEY_A, DEMO_API_KEY_B: KEY_B };
    expect(await migrateCommand({ ...env, ...demo })).toMatchObject({ code: 0, stderr: '' });
    expect(await migrateCommand(env)).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing to do') });
    expect(await database.query(`SELECT FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
    const app = await startApp(database, env);
    try {
      const made = [];
      for (let each = 0; each < 3; each += 1)
        made.push(await app.send('POST', '/v1/orders', { body: { items: [{ productId: '123', quantity: 1 }] } }));
      expect(made.map(({ status }) => status)).toEqual([201, 201, 201]);
      expect((await send(app.url, 'GET', '/health/ready', { as: null })).status).toBe(200);
      expect(await database.query(`SELECT count(*)::int AS orders FROM "${schema}".orders`)).toEqual([{ orders: 3 }]);
      await database.query(`REVOKE INSERT ON "${schema}".idempotency_records FROM ${api}`);
      const { status, text } = await send(app.url, 'GET', '/health/ready', { as: null });
      expect([status, text]).toEqual([503, expect.stringContaining('the database does not let this role write')]);
    } finally {
      await app.close();
    }
    const may = `SELECT has_schema_privilege($1, $2, 'CREATE') AS make, has_table_privilege($1, format('%I.others', $2::text), 'SELECT') AS read`;
    expect(await database.query(may, [api, schema])).toEqual([{ make: false, read: false }]);
  });

  it('the API’s role has the settings, whoever migrates', async () => {
    const [settings] = await database.query<{ setconfig: string[] }>(
      'SELECT setconfig FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole WHERE rolname = $1',
      [api],
    );
    expect(settings?.setconfig).toEqual(
      expect.arrayContaining(['lock_timeout=5s', 'statement_timeout=15s', 'default_transaction_isolation=read committed']),
    );
  });
});
