import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { assertRowSecurity, PRIVILEGES } from '../../src/database/roles.js';
import { migrate } from '../../src/database/migrate.js';
import { Order } from '../../src/orders/order.entity.js';
import { readAs } from '../../src/http/reads.js';
import { KEY_B, ORDER, startWorld, type World } from '../support/app.js';
import { on, urlsOf } from '../support/database.js';

const A = '018bcfe5-6800-7000-8000-00000000000a';
const B = '018bcfe5-6800-7000-8000-00000000000b';

let world: World;
let api: string;
beforeAll(async () => {
  world = await startWorld();
  // As it is from PostgreSQL 15 on.
  await world.database.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
  api = urlsOf(world.database.url).databaseUrl;
  for (const as of [undefined, KEY_B]) {
    const order = await world.send('POST', '/v1/orders', { ...(as && { as }), body: ORDER });
    await world.send('POST', '/v1/tickets', { ...(as && { as }), body: { subject: 'One', description: 'of each', priority: 'low' } });
    expect(order.status).toBe(201);
  }
  // Of what nobody has made here.
  for (const account of [A, B]) {
    await world.database.query(
      `WITH o AS (SELECT account_id, id FROM orders WHERE account_id = '${account}' LIMIT 1), p AS (
         INSERT INTO payments (account_id, id, order_id, operation_id, status, amount, currency, source, reference, created_at, updated_at)
         SELECT account_id, gen_random_uuid(), id, gen_random_uuid(), 'succeeded', 1, 'EUR', 'tok', gen_random_uuid(), now(), now() FROM o
         RETURNING account_id, id)
       INSERT INTO refunds (account_id, id, payment_id, operation_id, status, amount, currency, created_at, updated_at)
       SELECT account_id, id, id, gen_random_uuid(), 'succeeded', 1, 'EUR', now(), now() FROM p`,
    );
    await world.database.query(
      `INSERT INTO idempotency_timeline (account_id, operation_id, at, event, detail) VALUES ('${account}', gen_random_uuid(), now(), 'claimed', '');
       INSERT INTO idempotency_replays VALUES ('${account}', gen_random_uuid(), '', 1, now());
       INSERT INTO payment_decisions (account_id, id, operation_id, subject_id, outcome, note, actor, created_at)
       VALUES ('${account}', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'happened', '', '', now());
       INSERT INTO restored_charges VALUES ('${account}', gen_random_uuid(), 'ch', 1, 'EUR', gen_random_uuid(), gen_random_uuid(), now(), 'adopted', NULL, NULL, now(), '', '');
       INSERT INTO stock_changes (account_id, id, product_id, change) VALUES ('${account}', gen_random_uuid(), '123', 0);
       INSERT INTO events (account_id, id, transaction_id, type, created_at, resource_type, resource_id, resource_version, data)
       VALUES ('${account}', gen_random_uuid(), 1, 'order.created', now(), 'order', 'ord_', 1, '{}');
       INSERT INTO webhook_endpoints (account_id, id, url, types, secret, position_transaction, position_event, created_at, updated_at)
       VALUES ('${account}', gen_random_uuid(), 'https://shop.example.com/', '{*}', '', 1, gen_random_uuid(), now(), now());
       INSERT INTO webhook_deliveries (account_id, id, endpoint_id, event_id, event_type, resource_type, resource_id, resource_version, status, created_at)
       VALUES ('${account}', gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'order.paid', 'order', 'ord_', 1, 'dead', now());
       INSERT INTO idempotency_archive (account_id, key, operation_id, operation, response_status, attempts, replays, created_at, completed_at, expires_at, archived_at)
       VALUES ('${account}', 'old', gen_random_uuid(), 'POST /v1/orders', 201, 1, 0, now(), now(), now(), now())`,
    );
  }
});
afterAll(() => world.close());

/** As the role that serves requests, in a transaction for the account, or for none. */
const asApi = <R = Record<string, unknown>>(sql: string, account?: string): Promise<R[]> =>
  on<R>(
    account === undefined
      ? api
      : Object.assign(new URL(api), { search: `?options=${encodeURIComponent(`-c holdfast.account=${account}`)}` }).toString(),
    sql,
  );

const refusal = (sql: string, account = A): Promise<string> =>
  asApi(sql, account).then(
    () => 'allowed',
    (error: { code?: string }) => String(error.code),
  );

/** insufficient_privilege; also what a violated policy is. */
const REFUSED = '42501';

const OWNED = Object.entries(PRIVILEGES).filter(
  ([table]) => !['migrations', 'accounts', 'rate_limits', 'provider_events', 'payments_gate'].includes(table),
);

it('each table has its privileges stated, and each with an account has policies', async () => {
  const tables = await world.database.query<{ name: string; owned: boolean; secured: boolean; policies: string[] }>(
    `SELECT relname AS name, relrowsecurity AS secured,
            EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'account_id') AS owned,
            ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid ORDER BY 1) AS policies
       FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`,
  );
  expect(tables.map(({ name }) => name).sort()).toEqual(Object.keys(PRIVILEGES).sort());
  for (const { name, owned, secured, policies } of tables)
    expect([name, secured, policies]).toEqual([name, owned, owned ? ['holdfast_api', 'holdfast_background'] : []]);
});

describe.each(OWNED)('%s', (table, { api: may }) => {
  it('shows one account, and none where none is named', async () => {
    if (!may.includes('S')) return expect(await refusal(`SELECT FROM ${table}`)).toBe(REFUSED);
    const seen = `SELECT DISTINCT account_id FROM ${table}`;
    expect(await asApi(seen)).toEqual([]);
    expect(await asApi(seen, A)).toEqual([{ account_id: A }]);
    expect(await asApi(seen, B)).toEqual([{ account_id: B }]);
    // After a session's first transaction the setting is '' and not null.
    const client = new Client(api);
    await client.connect();
    try {
      await client.query(`BEGIN; SELECT set_config('holdfast.account', '${A}', true); COMMIT`);
      expect((await client.query(seen)).rows).toEqual([]);
    } finally {
      await client.end();
    }
  });

  it.each([
    ['UPDATE', 'U', `UPDATE ${table} SET account_id = account_id`],
    ['DELETE', 'D', `DELETE FROM ${table}`],
  ])('%s reaches no other account', async (_verb, letter, sql) => {
    const others = `SELECT count(*)::int FROM ${table} WHERE account_id = '${B}'`;
    const before = await world.database.query(others);
    const told = await refusal(`BEGIN; ${sql}; ROLLBACK`);
    expect(told).toBe(may.includes(letter) ? 'allowed' : REFUSED);
    if (may.includes('U')) expect(await refusal(`UPDATE ${table} SET account_id = '${B}'`)).toBe(REFUSED);
    expect(await world.database.query(others)).toEqual(before);
  });
});

it('rows of another account are not written', async () => {
  const ticket = (account: string): string =>
    `INSERT INTO tickets (account_id, id, subject, description, status, priority, created_at, updated_at)
     VALUES ('${account}', gen_random_uuid(), '', '', 'open', 'low', now(), now())`;
  expect(await refusal(`BEGIN; ${ticket(A)}; ROLLBACK`)).toBe('allowed');
  expect(await refusal(ticket(B))).toBe(REFUSED);
});

it.each([
  ['a table', 'CREATE TABLE mine (id int)'],
  ['a key’s scopes', `UPDATE api_keys SET scopes = '{admin}'`],
  ['an account', 'SELECT FROM accounts'],
  ['the requests counted', 'DELETE FROM rate_limits'],
  ['the policies', 'ALTER TABLE orders DISABLE ROW LEVEL SECURITY'],
])('has nothing to say about %s', async (_what, sql) => {
  expect(await refusal(sql)).toBe(REFUSED);
});

it('a forgotten filter shows one account', async () => {
  const repository = world.app.get(DataSource).getRepository(Order);
  const found = await readAs(repository, A, (own) => own.find());
  expect([...new Set(found.map(({ accountId }) => accountId))]).toEqual([A]);
  expect(await repository.find()).toEqual([]);
});

describe('taking back', () => {
  const [operation, key] = ['018bcfe5-6800-7000-8000-0000000000aa', 'taken'];
  const insert = (account: string): string =>
    `INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, recovery_point, step_no, attempt, next_run_at, window_ms, created_at)
     VALUES ('${account}', '${key}', '${operation}', 'POST /v1/payments', sha256(''), 'running', 'step', 1, 3, now(), 1, now())`;
  const left = async (): Promise<number> => (await world.database.query(`SELECT FROM idempotency_records WHERE key = '${key}'`)).length;
  const call = (account: string, attempt: number, step: number): string =>
    `SELECT idempotency_take_back('${account}', '${key}', '${operation}', ${attempt}, ${step})`;
  afterEach(() => world.database.query(`DELETE FROM idempotency_records WHERE key = '${key}'`));

  it.each([
    ['an older attempt', call(A, 2, 1)],
    ['another step', call(A, 3, 2)],
  ])('%s takes nothing back', async (_which, sql) => {
    await world.database.query(insert(A));
    await asApi(sql, A);
    expect(await left()).toBe(1);
  });

  it('is for the account of the transaction, under its fence', async () => {
    await world.database.query(insert(B));
    await asApi(call(B, 3, 1), A);
    await asApi(call(B, 3, 1));
    expect(await left()).toBe(1);
    await asApi(call(B, 3, 1), B);
    expect(await left()).toBe(0);
  });

  it('works on the owner’s tables, whatever the session lends it', async () => {
    await world.database.query(insert(A));
    await asApi(`CREATE TEMP TABLE idempotency_records (LIKE public.idempotency_records); ${call(A, 3, 1)}`, A);
    expect(await left()).toBe(0);
  });

  it('spares payments of operations that have ended', async () => {
    const count = `SELECT count(*)::int FROM payments`;
    const before = await world.database.query(count);
    await asApi(`SELECT payments_take_back(account_id, operation_id, 1, 0) FROM payments`, A);
    expect(await world.database.query(count)).toEqual(before);
  });
});

describe('migrating again', () => {
  const urls = () => urlsOf(world.database.url);

  it('takes away what a role has too much, and makes no table twice', async () => {
    await world.database.query('GRANT DELETE ON payments TO holdfast_api; ALTER POLICY holdfast_api ON orders TO holdfast_background');
    await migrate(urls());
    expect(await refusal('DELETE FROM payments')).toBe(REFUSED);
    expect(await asApi('SELECT DISTINCT account_id FROM orders', A)).toEqual([{ account_id: A }]);
  });

  it('asks for no lock on a table where all is as it should be', async () => {
    const holder = new DataSource({ type: 'postgres', url: world.database.url });
    await holder.initialize();
    try {
      await holder.transaction(async (manager) => {
        await manager.query('LOCK TABLE orders IN ROW EXCLUSIVE MODE');
        await expect(migrate(urls())).resolves.toMatchObject({ applied: [] });
      });
    } finally {
      await holder.destroy();
    }
  });
});

it('a role that sees all accounts is refused in production', async () => {
  const role = `mighty_${randomBytes(4).toString('hex')}`;
  await world.database.query(`CREATE ROLE ${role} LOGIN BYPASSRLS`);
  try {
    for (const [url, message] of [
      [world.database.url, /row-level security does not act for the role holdfast;/],
      [Object.assign(new URL(world.database.url), { username: role }).toString(), /for the role mighty_/],
    ] as const) {
      const dataSource = await new DataSource({ type: 'postgres', url }).initialize();
      await expect(assertRowSecurity(dataSource, { production: true }).finally(() => dataSource.destroy())).rejects.toThrow(message);
    }
    await expect(assertRowSecurity(world.app.get(DataSource), { production: true })).resolves.toBeUndefined();
  } finally {
    await world.database.query(`DROP ROLE ${role}`);
  }
});
