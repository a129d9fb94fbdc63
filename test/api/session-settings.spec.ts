import { v7 as uuidv7 } from 'uuid';
import { atOnce, startApp, tally, type TestApp } from '../support/app.js';
import { run } from '../support/built-process.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startLiftedApp } from '../support/lifted-app.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';

/** Rejects as the start does; an app that starts all the same is ended, or it would outlive the tests. */
async function refusal(start: Promise<TestApp>): Promise<void> {
  await (await start).close();
}

/** Alters the database's settings for sessions that begin from now on, runs `work`, and takes them back. */
async function under<T>(database: TestDatabase, setting: string, value: string, work: () => Promise<T>): Promise<T> {
  const name = new URL(database.url).pathname.slice(1);
  const alter = (change: string) => database.query(`BEGIN READ WRITE; ALTER DATABASE ${name} ${change}; COMMIT`);
  await alter(`SET ${setting} = ${value}`);
  try {
    return await work();
  } finally {
    await alter(`RESET ${setting}`);
  }
}

/** What a database may set for its sessions, from the manual's chapter 19, without it mattering to anybody. */
const HARMLESS: [setting: string, value: string][] = [
  ['DateStyle', `'German'`],
  ['DateStyle', `'SQL, DMY'`],
  ['DateStyle', `'Postgres, MDY'`],
  ['TimeZone', `'Asia/Kathmandu'`],
  ['IntervalStyle', `'sql_standard'`],
  ['client_encoding', `'LATIN1'`],
  ['standard_conforming_strings', 'off'],
  ['backslash_quote', 'off'],
  ['bytea_output', `'escape'`],
  ['extra_float_digits', '-15'],
  ['default_transaction_isolation', `'serializable'`],
  ['default_transaction_isolation', `'repeatable read'`],
  ['default_transaction_deferrable', 'on'],
  ['exit_on_error', 'on'],
  ['array_nulls', 'off'],
  ['transform_null_equals', 'on'],
  ['row_security', 'off'],
  ['quote_all_identifiers', 'on'],
  ['client_min_messages', `'debug5'`],
  ['statement_timeout', '1'],
  ['lock_timeout', '1'],
  ['idle_in_transaction_session_timeout', '1'],
  ['plan_cache_mode', `'force_generic_plan'`],
];

/** What nobody overwrites, because an operator may have meant it, and what stops the start. */
const REFUSED: [setting: string, value: string][] = [
  ['synchronous_commit', 'off'],
  ['default_transaction_read_only', 'on'],
  ['session_replication_role', `'replica'`],
  ['search_path', 'public, pg_catalog'],
];

describe('a setting of the database', () => {
  let world: PaymentWorld;
  beforeAll(async () => {
    world = await startPaymentWorld();
  });
  afterAll(() => world.close());

  it.each(HARMLESS)('changes no answer and no row: %s = %s', async (setting, value) => {
    await under(world.database, setting, value, async () => {
      const app = await startApp(world.database, world.env);
      try {
        await expectUsual(world, app);
      } finally {
        await app.close();
      }
    });
  });

  it.each(REFUSED)('stops the start by name: %s = %s', async (setting, value) => {
    await under(world.database, setting, value, async () => {
      await expect(refusal(startApp(world.database, world.env))).rejects.toThrow(
        new RegExp(`sessions are not as they have to be: ${setting} is .* must be`),
      );
    });
  });

  it.each([
    ['default_transaction_isolation', `'serializable'`],
    ['exit_on_error', 'on'],
    ['array_nulls', 'off'],
    ['extra_float_digits', '-1'],
  ])('that is set where the migrations set it stops the start by name, and they set it right: %s', async (setting, value) => {
    const name = new URL(world.database.url).pathname.slice(1);
    await world.database.query(`ALTER ROLE holdfast_api IN DATABASE ${name} SET ${setting} = ${value}`);
    await expect(refusal(startApp(world.database, world.env))).rejects.toThrow(new RegExp(`: ${setting} is `));
    expect(await run('src/database/migrate.cli.js', [], { NODE_ENV: 'test', ...world.database.env })).toMatchObject({
      code: 0,
      stderr: '',
    });
    await (await startApp(world.database, world.env)).close();
  });

  it('the audit reads under it what it reads without', async () => {
    await under(world.database, 'DateStyle', `'German'`, () =>
      under(world.database, 'default_transaction_isolation', `'serializable'`, async () => {
        const { code, stdout } = await run('src/audit/audit.cli.js', [], {
          ...world.database.env,
          PROVIDER_URL: world.sandbox.url,
        });
        expect([code, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, 'differences: 0']);
      }),
    );
  });
});

/** One of each way in which this service writes and reads. */
async function expectUsual(world: PaymentWorld, on: TestApp): Promise<void> {
  const began = Date.now();
  const key = uuidv7();
  const request = { key, body: { items: [{ productId: '123', quantity: 1 }], customerReference: 'Zoë, 3 € \\ 💶' } };
  const orders = await atOnce(4, () => on.send('POST', '/v1/orders', { ...request, headers: { prefer: 'wait=10' } }));
  expect(tally(orders)).toEqual({ 201: 4 });
  const [first] = orders;
  if (!first) throw new Error('there is no answer');
  expect(new Set(orders.map(({ text }) => text)).size).toBe(1);
  expect(first.body['customerReference']).toBe('Zoë, 3 € \\ 💶');
  isNow(first.body['createdAt'], began);
  isNow(new Date(Date.parse(first.headers.get('idempotency-expires') ?? '') - 86_400_000), began);
  const path = `/v1/orders/${String(first.body['id'])}`;
  expect((await on.send('GET', path)).body).toEqual(first.body);
  const patched = await on.send('PATCH', path, { headers: { 'if-match': '"1"' }, body: { metadata: { note: '💶' } } });
  expect([patched.status, patched.body['metadata']]).toEqual([200, { note: '💶' }]);
  expect((await on.send('GET', '/v1/orders?limit=1')).body['data']).toEqual([patched.body]);

  // A constraint is the judge.
  const tooMany = await on.send('POST', '/v1/orders', {
    body: { items: [{ productId: '123', quantity: 1000 }, ...(await scarce(world))] },
  });
  expect([tooMany.status, tooMany.body['code']]).toEqual([409, 'insufficient-stock']);

  const order = await world.placeOrder();
  const paid = await world.pay(order, 'tok_visa', { on });
  expect([paid.status, paid.body['status']]).toEqual([201, 'succeeded']);
  isNow(paid.body['createdAt'], began);
  expect((await world.refund(String(paid.body['id']), { amount: 1 }, { on })).status).toBe(201);
  expect((await world.refund(String(paid.body['id']), { amount: order.total }, { on })).body['code']).toBe('refund-exceeds-payment');
  expect((await world.cancel(order, { on })).status).toBe(200);
  expect(await world.stateOf(order)).toMatchObject({ order: 'cancelled', charges: 1, refunded: order.total });

  const story = (await on.send('GET', `/v1/operations/${paid.headers.get('operation-id') ?? ''}`)).body;
  expect(story['status']).toBe('completed');
  isNow(story['completedAt'], began);
  expect(Date.parse(String(story['expiresAt'])) - Date.parse(String(story['completedAt']))).toBe(86_400_000);
}

async function scarce(world: PaymentWorld): Promise<{ productId: string; quantity: number }[]> {
  const id = `scarce-${uuidv7()}`;
  await world.database.query(
    `INSERT INTO products (account_id, id, name, unit_price, currency, stock)
     SELECT account_id, $1, 'Scarce', 100, 'EUR', 0 FROM products WHERE account_id = (SELECT account_id FROM api_keys WHERE id = $2) LIMIT 1`,
    [id, 'a'.repeat(26)],
  );
  return [{ productId: id, quantity: 1 }];
}

function isNow(time: unknown, since: number): void {
  const at = new Date(time as string).getTime();
  expect(at).toBeGreaterThan(since - 2_000);
  expect(at).toBeLessThan(Date.now() + 2_000);
}

describe('the core in another application, which states nothing itself', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
    await (await startLiftedApp(database)).close();
  });
  afterAll(() => database.drop());

  it.each([
    ['IntervalStyle', `'sql_standard'`],
    ['TimeZone', `'Asia/Kathmandu'`],
    ['bytea_output', `'escape'`],
    // node-postgres itself states this one.
    ['client_encoding', `'LATIN1'`],
    ['standard_conforming_strings', 'off'],
    ['transform_null_equals', 'on'],
  ])('depends on no %s', async (setting, value) => {
    await under(database, setting, value, async () => {
      const app = await startLiftedApp(database);
      const [key, began] = [uuidv7(), Date.now()];
      const first = await app.send('POST', '/notes', { key, body: { text: 'Zoë \\ 💶' } });
      const again = await app.send('POST', '/notes', { key, body: { text: 'Zoë \\ 💶' } });
      await app.close();
      expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 201, 'true']);
      expect([again.text, first.body['text']]).toEqual([first.text, 'Zoë \\ 💶']);
      isNow(new Date(Date.parse(first.headers.get('idempotency-expires') ?? '') - 86_400_000), began);
    });
  });

  it.each([
    ['DateStyle', `'German'`],
    ['default_transaction_isolation', `'repeatable read'`],
    ['extra_float_digits', '-15'],
    ['exit_on_error', 'on'],
    ['array_nulls', 'off'],
    ...REFUSED,
  ])('does not start under another %s, and names it', async (setting, value) => {
    await under(database, setting, value, async () => {
      await expect(refusal(startLiftedApp(database))).rejects.toThrow(new RegExp(`: ${setting} is .* and must be `));
    });
  });

  it('names all of them at once', async () => {
    await under(database, 'DateStyle', `'German'`, () =>
      under(database, 'exit_on_error', 'on', async () => {
        await expect(refusal(startLiftedApp(database))).rejects.toThrow(
          'DateStyle is German, DMY and must be ISO; exit_on_error is on and must be off',
        );
      }),
    );
  });
});
