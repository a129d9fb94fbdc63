import { AuditCron } from '../../src/audit/audit.cron.js';
import { migrate } from '../../src/database/migrate.js';
import { ORDER, startApp, type TestApp } from '../support/app.js';
import { run, type Ended } from '../support/built-process.js';
import { createDatabase, type TestDatabase, urlsOf, prepare } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { hold } from '../support/locks.js';
import { startPooler, type Pooler } from '../support/pooler.js';

let database: TestDatabase;
let pooler: Pooler;
beforeEach(async () => {
  database = await createDatabase();
  pooler = await startPooler(database.url);
});
afterEach(async () => {
  await pooler.close();
  await database.drop();
});

const pooled = (): Record<string, string> => ({ DATABASE_URL: pooler.url });
const withOwner = (): Record<string, string> => ({ ...pooled(), DATABASE_OWNER_URL: database.url });
const bothPooled = (): Record<string, string> => ({ ...pooled(), DATABASE_OWNER_URL: `${pooler.url}?application_name=owner` });
/** Stripe's ledger is not read, so that no provider needs to run. */
const audit = (env: Record<string, string>): Promise<Ended> =>
  run('src/audit/audit.cli.js', [], { ...env, PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk_test_x' });
const migrateCommand = (env: Record<string, string>): Promise<Ended> => run('src/database/migrate.cli.js', [], env);

const expectRefusal = ({ code, stdout, stderr }: Ended, status: number, sentence: RegExp): void => {
  expect([code, stdout, stderr]).toEqual([status, '', expect.stringMatching(sentence)]);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
};

describe('migrating', () => {
  it('is refused behind a pooler with a sentence that says what to do, before anything is touched', async () => {
    const rest = 'leads through a pooler, .*: set DATABASE_OWNER_URL to the address of the server itself, or MIGRATE=false';
    expectRefusal(await migrateCommand(pooled()), 1, new RegExp(`^Migrating needs .* DATABASE_URL ${rest}`));
    expectRefusal(await migrateCommand(bothPooled()), 1, new RegExp(`^Migrating needs .* DATABASE_OWNER_URL ${rest}`));
    expectRefusal(
      await run('src/main.js', [], { ...pooled(), PORT: '0' }),
      1,
      new RegExp(`^Holdfast cannot start. .* DATABASE_URL ${rest}`),
    );
    expect(await database.query(`SELECT FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
    expect(
      await database.query('SELECT FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase WHERE datname = current_database()'),
    ).toEqual([]);
  });

  it('goes past it by the owner’s address, and the service runs behind it', async () => {
    expect(await migrateCommand(withOwner())).toMatchObject({ code: 0, stderr: '' });
    await prepare(database.url);
    const app = await startApp(database, { DATABASE_URL: pooler.url });
    try {
      expect((await app.send('POST', '/v1/orders', { body: ORDER })).status).toBe(201);
    } finally {
      await app.close();
    }
  });

  it('tells whose lock it waits for, and how far it is', async () => {
    const other = await hold(database, 'SELECT pg_advisory_lock($1)', [0x686f6c64]);
    const [holder] = await database.query<{ pid: number }>(
      `SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database WHERE datname = current_database() AND locktype = 'advisory'`,
    );
    const told: string[] = [];
    const counted: [before: number, all: number][] = [];
    const listener = {
      waits: (sentence: string) => told.push(sentence),
      applies: (_: string, before: number, all: number) => counted.push([before, all]),
    };
    const migrated = migrate(urlsOf(database.url), listener);
    await eventually('a sentence', () => told.length > 0);
    await other.release();
    const { inAll } = await migrated;
    expect(counted).toEqual(Array.from({ length: inAll }, (_, before) => [before, inAll]));
    expect(told).toEqual([
      `Another process migrates this database: waiting for its lock, which the server's process ${holder?.pid} holds.`,
    ]);
    await migrate(urlsOf(database.url), listener);
    expect(told).toHaveLength(1);
  });
});

describe('an audit', () => {
  let app: TestApp;
  beforeEach(() => migrate(urlsOf(database.url)));

  it('is refused behind a pooler with a sentence that says what to do', async () => {
    const rest = 'through a pooler, .*: set DATABASE_OWNER_URL to the address of the server itself\\.';
    expectRefusal(await audit(pooled()), 2, new RegExp(`^An audit needs .* DATABASE_URL leads ${rest}`));
    expectRefusal(await audit(bothPooled()), 2, new RegExp(`^An audit needs .* DATABASE_URL and DATABASE_OWNER_URL lead ${rest}`));
  });

  it('goes past it by the owner’s address', async () => {
    const { code, stdout } = await audit(withOwner());
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^differences: 0$/m)]);
  });

  it.each([
    ['is refused', pooled, expect.stringContaining('leads through a pooler')],
    ['goes past it', withOwner, []],
  ])('of the running service likewise: %s', async (_does, env, outcome) => {
    app = await startApp(database, { ...env(), PROVIDER: 'stripe', STRIPE_SECRET_KEY: 'sk_test_x' });
    try {
      const audited = app.app.get(AuditCron).audit();
      expect(await audited.then((report) => report?.differences, String)).toEqual(outcome);
    } finally {
      await app.close();
    }
  });
});
