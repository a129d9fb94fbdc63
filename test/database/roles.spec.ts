import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import { assertLeastPrivilege } from '../../src/database/least-privilege.js';
import { PRIVILEGES } from '../../src/database/roles.js';
import { migrate } from '../../src/database/migrate.js';
import { Order } from '../../src/orders/order.entity.js';
import { readAs } from '../../src/http/reads.js';
import { uuidOf } from '../../src/kernel/ids.js';
import { KEY_B, ORDER, startWorld, type World } from '../support/app.js';
import { on, urlsOf } from '../support/database.js';

const A = '018bcfe5-6800-7000-8000-00000000000a';
const B = '018bcfe5-6800-7000-8000-00000000000b';

let world: World;
let api: string;
beforeAll(async () => {
  world = await startWorld();
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

/** The rows of a statement that is rolled back. */
async function undone<R = Record<string, unknown>>(sql: string, account?: string): Promise<R[]> {
  const client = new Client(api);
  await client.connect();
  try {
    await client.query(`BEGIN; SELECT set_config('holdfast.account', '${account ?? ''}', true)`);
    return (await client.query(sql)).rows as R[];
  } finally {
    await client.end();
  }
}

const refusal = (sql: string, account = A): Promise<string> =>
  asApi(sql, account).then(
    () => 'allowed',
    (error: { code?: string }) => String(error.code),
  );

/** insufficient_privilege; also what a violated policy is, and what a trigger of the owner's says. */
const REFUSED = '42501';

/** What the role that serves requests may not do, by the first letters of SELECT, INSERT, UPDATE and DELETE: said here once more. */
const FORBIDDEN: Record<string, string> = {
  migrations: 'IUD',
  accounts: 'SIUD',
  api_keys: 'SIUD',
  rate_limits: 'SIUD',
  provider_events: 'SIUD',
  payments_gate: 'IUD',
  products: 'D',
  stock_changes: 'UD',
  orders: 'D',
  order_items: 'UD',
  tickets: 'D',
  payments: 'D',
  refunds: 'D',
  payment_decisions: '',
  restored_charges: 'IUD',
  events: 'UD',
  webhook_endpoints: '',
  webhook_deliveries: '',
  idempotency_records: 'D',
  idempotency_replays: 'IUD',
  idempotency_timeline: 'UD',
  idempotency_archive: 'IUD',
};

const NO_ACCOUNT = new Set(['migrations', 'accounts', 'rate_limits', 'provider_events', 'payments_gate']);
const OWNED = Object.keys(FORBIDDEN).filter((table) => !NO_ACCOUNT.has(table));
const may = (table: string, verb: string): boolean => !FORBIDDEN[table]?.includes(verb);

it('each table is in the list, and each with an account has policies', async () => {
  const tables = await world.database.query<{ name: string; owned: boolean; secured: boolean; policies: string[] }>(
    `SELECT relname AS name, relrowsecurity AS secured,
            EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'account_id') AS owned,
            ARRAY(SELECT polname::text FROM pg_policy WHERE polrelid = c.oid ORDER BY 1) AS policies
       FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')`,
  );
  expect(tables.map(({ name }) => name).sort()).toEqual(Object.keys(FORBIDDEN).sort());
  expect(Object.keys(PRIVILEGES).sort()).toEqual(Object.keys(FORBIDDEN).sort());
  // API keys are looked up before it is known whose they are: by the background's role, so they have an account and policies too.
  for (const { name, owned, secured, policies } of tables)
    expect([name, owned, secured, policies]).toEqual([
      name,
      !NO_ACCOUNT.has(name),
      owned,
      owned ? ['holdfast_api', 'holdfast_background'] : [],
    ]);
});

describe.each(Object.entries(FORBIDDEN))('%s', (table, forbidden) => {
  const statements = async (): Promise<Record<string, string>> => {
    const [first] = await world.database.query<{ name: string }>(
      `SELECT quote_ident(attname) AS name FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND attidentity = '' AND NOT attisdropped ORDER BY attnum LIMIT 1`,
      [table],
    );
    return {
      S: `SELECT FROM ${table}`,
      I: `INSERT INTO ${table} DEFAULT VALUES`,
      U: `UPDATE ${table} SET ${first?.name} = ${first?.name}`,
      D: `DELETE FROM ${table}`,
      truncate: `TRUNCATE ${table} CASCADE`,
      trigger: `CREATE TRIGGER mine AFTER INSERT ON ${table} EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
      policies: `ALTER TABLE ${table} DISABLE ROW LEVEL SECURITY`,
      owner: `ALTER TABLE ${table} OWNER TO CURRENT_USER`,
    };
  };

  it(`is refused: ${[...forbidden].join(', ') || 'no verb'}, and whatever is the owner's`, async () => {
    for (const [verb, sql] of Object.entries(await statements())) {
      const told = await refusal(`BEGIN; ${sql}; ROLLBACK`);
      // An insert of nothing violates the policy where it may; below are those of rows.
      if (verb === 'I' && may(table, verb)) continue;
      expect([verb, told]).toEqual([verb, 'SUD'.includes(verb) && may(table, verb) ? 'allowed' : REFUSED]);
    }
  });
});

describe.each(OWNED.filter((table) => may(table, 'S')))('%s', (table) => {
  it('shows one account, and none where none is named', async () => {
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

  it('UPDATE and DELETE reach the rows of one account, and of none where none is named', async () => {
    const owned = `SELECT count(*)::int FROM ${table} WHERE account_id = '${A}'`;
    const [rows] = await world.database.query<{ count: number }>(owned);
    expect(rows?.count).toBeGreaterThan(0);
    for (const [verb, sql] of [
      ['U', `UPDATE ${table} SET account_id = account_id RETURNING account_id`],
      ['D', `DELETE FROM ${table} RETURNING account_id`],
    ] as const) {
      if (!may(table, verb)) continue;
      expect(await undone(sql, A)).toEqual(Array.from({ length: rows?.count ?? 0 }, () => ({ account_id: A })));
      expect(await undone(sql)).toEqual([]);
    }
  });

  it('takes no row of another account', async () => {
    if (may(table, 'U')) expect(await refusal(`UPDATE ${table} SET account_id = '${B}'`)).toBe(REFUSED);
    if (!may(table, 'I')) return;
    const [columns] = await world.database.query<{ names: string }>(
      `SELECT string_agg(quote_ident(attname), ', ') AS names FROM pg_attribute
        WHERE attrelid = $1::regclass AND attnum > 0 AND attidentity = '' AND attgenerated = '' AND NOT attisdropped`,
      [table],
    );
    const [row] = await world.database.query<{ json: object }>(
      `SELECT to_jsonb(t) AS json FROM ${table} t WHERE account_id = '${A}' LIMIT 1`,
    );
    const insert = (account: string): Promise<Error | undefined> =>
      undone(
        `INSERT INTO ${table} (${columns?.names})
         SELECT ${columns?.names} FROM jsonb_populate_record(NULL::${table}, '${JSON.stringify({ ...row?.json, account_id: account }).replaceAll("'", "''")}')`,
        A,
      ).then(
        () => undefined,
        (error: Error) => error,
      );
    expect((await insert(B))?.message).toMatch(/violates row-level security policy/);
    // Its own is at most there already.
    expect((await insert(A))?.message ?? '').toMatch(/^$|duplicate key/);
  });
});

it.each([
  ['a table', 'CREATE TABLE mine (id int)'],
  ['a schema', 'CREATE SCHEMA mine'],
  ['a function', 'CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$'],
  ['a key’s scopes', `UPDATE api_keys SET scopes = '{admin}'`],
  ['whose the requests are', 'SET ROLE holdfast_background'],
  ['another’s settings', 'ALTER ROLE holdfast_background SET lock_timeout = 0'],
  ['the triggers', 'SET session_replication_role = replica'],
])('has nothing to say about %s', async (_what, sql) => {
  expect(await refusal(sql)).toBe(REFUSED);
});

it('a forgotten filter shows one account', async () => {
  const repository = world.app.get(DataSource).getRepository(Order);
  const found = await readAs(repository, A, (own) => own.find());
  expect([...new Set(found.map(({ accountId }) => accountId))]).toEqual([A]);
  expect(await repository.find()).toEqual([]);
});

describe('with the role’s password', () => {
  const key = 'attacked';
  let operation: string;
  let order: string;
  beforeEach(async () => {
    operation = randomUUID();
    const placed = await world.send('POST', '/v1/orders', { body: ORDER });
    order = String(uuidOf('ord', String(placed.body['id'])));
  });
  afterEach(async () => {
    for (const table of ['refunds', 'payments', 'idempotency_timeline', 'idempotency_records', 'idempotency_archive'])
      await world.database.query(`DELETE FROM ${table} WHERE operation_id = '${operation}'`);
    await world.database.query(`DELETE FROM idempotency_records WHERE key LIKE '${key}%'`);
  });

  /** The record of an operation at the first attempt of its first step; `changed`: columns that are otherwise. */
  const record = async (changed: Record<string, string> = {}): Promise<void> => {
    const columns = {
      account_id: `'${A}'`,
      key: `'${key}'`,
      operation_id: `'${operation}'`,
      operation: `'POST /v1/payments'`,
      request_hash: `sha256('')`,
      status: `'running'`,
      recovery_point: `'step'`,
      step_no: '1',
      attempt: '1',
      next_run_at: 'now()',
      window_ms: '60000',
      created_at: 'now()',
      ...changed,
    };
    const sql = `INSERT INTO idempotency_records (${Object.keys(columns).join()}) VALUES (${Object.values(columns).join()})`;
    await world.database.query(sql);
  };
  const COMPLETED = {
    status: `'completed'`,
    response_status: '201',
    response_body: `'{}'`,
    completed_at: 'now()',
    expires_at: `now() + interval '1 minute'`,
  };
  const payment = (status: string): Promise<unknown> =>
    world.database.query(
      `INSERT INTO payments (account_id, id, order_id, operation_id, status, amount, currency, source, reference, created_at, updated_at)
       VALUES ('${A}', '${operation}', '${order}', '${operation}', '${status}', 5, 'EUR', 'tok', '${operation}', now(), now())`,
    );
  const refund = async (status: string): Promise<void> => {
    await payment('succeeded');
    await world.database.query(
      `INSERT INTO refunds (account_id, id, payment_id, operation_id, status, amount, currency, created_at, updated_at)
       VALUES ('${A}', '${operation}', '${operation}', '${operation}', '${status}', 1, 'EUR', now(), now())`,
    );
  };
  const lines = (count: number): Promise<unknown> =>
    world.database.query(
      `INSERT INTO idempotency_timeline (account_id, operation_id, at, event, detail)
       SELECT '${A}', '${operation}', now(), 'resumed', n FROM generate_series(1, ${count}) n`,
    );
  const left = async (table: string): Promise<number> =>
    (await world.database.query(`SELECT FROM ${table} WHERE operation_id = '${operation}'`)).length;

  const recordTakenBack = (attempt = 1, step = 1, account = A): string =>
    `SELECT idempotency_take_back('${account}', '${key}', '${operation}', ${attempt}, ${step})`;
  const paymentTakenBack = (attempt = 1, step = 1, account = A): string =>
    `SELECT payments_take_back('${account}', '${operation}', ${attempt}, ${step})`;
  const update = (set: string): string => `UPDATE idempotency_records SET ${set} WHERE operation_id = '${operation}'`;

  describe('taking back', () => {
    it.each([
      ['under an older attempt', { attempt: '2' }, 1, 1],
      ['under another step', {}, 1, 2],
      ['at a later attempt, which may have reached somebody', { attempt: '2' }, 2, 1],
      ['at a later step', { step_no: '2' }, 1, 2],
      ['after nobody knew what came of it', { parked_reason: `'no answer'` }, 1, 1],
      ['of an operation that has ended', COMPLETED, 1, 1],
    ])('%s takes nothing', async (_which, changed, attempt, step) => {
      await record(changed);
      await payment('processing');
      await lines(1);
      await asApi(paymentTakenBack(attempt, step), A);
      await asApi(recordTakenBack(attempt, step), A);
      expect([await left('payments'), await left('idempotency_records'), await left('idempotency_timeline')]).toEqual([1, 1, 1]);
    });

    it('is for the account of the transaction, and takes record, timeline and what was under way', async () => {
      await record();
      await payment('processing');
      await lines(1);
      for (const account of [B, undefined]) {
        await asApi(paymentTakenBack(), account);
        await asApi(recordTakenBack(), account);
      }
      expect([await left('payments'), await left('idempotency_records'), await left('idempotency_timeline')]).toEqual([1, 1, 1]);
      await asApi(paymentTakenBack(), A);
      await asApi(recordTakenBack(), A);
      expect([await left('payments'), await left('idempotency_records'), await left('idempotency_timeline')]).toEqual([0, 0, 0]);
    });

    it('works on the owner’s tables, whatever the session lends it', async () => {
      await record();
      await asApi(`CREATE TEMP TABLE idempotency_records (LIKE public.idempotency_records); ${recordTakenBack()}`, A);
      expect(await left('idempotency_records')).toBe(0);
    });

    it.each(['succeeded', 'failed'])('spares a payment that has %s, also of an operation under way', async (status) => {
      await record();
      await payment(status);
      await asApi(paymentTakenBack(), A);
      expect(await left('payments')).toBe(1);
    });

    it('spares a refund that has succeeded, and takes one under way', async () => {
      await record();
      await refund('succeeded');
      await asApi(paymentTakenBack(), A);
      expect(await left('refunds')).toBe(1);
      await world.database.query(`UPDATE refunds SET status = 'processing' WHERE operation_id = '${operation}'`);
      await asApi(paymentTakenBack(), A);
      expect([await left('refunds'), await left('payments')]).toEqual([0, 1]);
    });

    it('believes no new record of an operation that the archive knows', async () => {
      await payment('processing');
      await world.database.query(
        `INSERT INTO idempotency_archive (account_id, key, operation_id, operation, response_status, attempts, replays, created_at, completed_at, expires_at, archived_at)
         VALUES ('${A}', '${key}', '${operation}', 'POST /v1/payments', 201, 1, 0, now(), now(), now(), now())`,
      );
      await record({ key: `'${key} again'` });
      await asApi(paymentTakenBack(), A);
      expect(await left('payments')).toBe(1);
    });
  });

  describe('a record is not made', () => {
    it.each([
      ['unfinished once it has ended', COMPLETED, `status = 'running'`],
      ['to answer something else', COMPLETED, `response_body = '[]'`],
      ['to expire at once', COMPLETED, `expires_at = now()`],
      [
        'to have ended and expired at once',
        {},
        `status = 'completed', response_status = 201, response_body = '', completed_at = now(), expires_at = now()`,
      ],
      ['a seal, which the purge forgets', {}, `status = 'sealed', request_hash = NULL, expires_at = now()`],
      ['the one of an earlier attempt', { attempt: '2' }, 'attempt = 1'],
      ['the one of an earlier step', { step_no: '2' }, 'step_no = 1'],
      ['one whose outcome was always known', { parked_reason: `'no answer'` }, 'parked_reason = NULL'],
      ['another operation’s', {}, 'operation_id = gen_random_uuid()'],
      ['another key’s', {}, `key = '${key} else'`],
      ['another request’s', {}, `request_hash = sha256('x')`],
      ['to be kept for less', {}, 'window_ms = 1'],
    ])('%s', async (_what, changed, set) => {
      await record(changed);
      expect(await refusal(`BEGIN; ${update(set)}; ROLLBACK`)).toBe(REFUSED);
    });

    it.each([
      ['to go on with its next step', { parked_reason: `'no answer'` }, 'step_no = 2, parked_reason = NULL'],
      ['to be taken over', {}, 'attempt = 2, lease_until = now()'],
      [
        'to end',
        {},
        `status = 'completed', response_status = 201, response_body = '', completed_at = now(), expires_at = now() + interval '1 minute'`,
      ],
      ['to be no duplicate any more', COMPLETED, 'duplicate_until = NULL'],
    ])('and it is allowed %s', async (_what, changed, set) => {
      await record(changed);
      expect(await refusal(`BEGIN; ${update(set)}; ROLLBACK`)).toBe('allowed');
    });
  });

  it.each([
    ['a payment that has ended to go on', () => payment('succeeded'), `UPDATE payments SET status = 'processing'`],
    ['a payment that was declined to have succeeded', () => payment('failed'), `UPDATE payments SET status = 'succeeded'`],
    ['a payment under way to be another operation’s', () => payment('processing'), 'UPDATE payments SET operation_id = gen_random_uuid()'],
    ['a payment to be of another amount', () => payment('succeeded'), 'UPDATE payments SET amount = 4'],
    ['a refund that has ended to go on', () => refund('succeeded'), `UPDATE refunds SET status = 'processing'`],
    ['a refund that was declined to have succeeded', () => refund('failed'), `UPDATE refunds SET status = 'succeeded'`],
    ['a refund to be another operation’s', () => refund('processing'), 'UPDATE refunds SET operation_id = gen_random_uuid()'],
  ])('nobody makes %s', async (_what, prepare, sql) => {
    await prepare();
    expect(await refusal(`BEGIN; ${sql} WHERE id = '${operation}'; ROLLBACK`)).toBe(REFUSED);
  });

  it('a refund may fail after it has succeeded, as the provider’s books say', async () => {
    await refund('succeeded');
    expect(await refusal(`BEGIN; UPDATE refunds SET status = 'failed' WHERE id = '${operation}'; ROLLBACK`)).toBe('allowed');
  });

  it('the owner may change what is final: who repairs a database does', async () => {
    await record(COMPLETED);
    await world.database.query(update(`response_body = 'repaired'`));
    await payment('failed');
    await world.database.query(`UPDATE payments SET status = 'succeeded' WHERE id = '${operation}'`);
    expect(await left('payments')).toBe(1);
  });

  describe('a timeline loses its middle', () => {
    const trim = (attempt: number): string => `SELECT idempotency_trim_timeline('${A}', '${operation}', ${attempt})`;
    it.each([
      ['not for an attempt that never was', {}, 41],
      ['not for an attempt that is over', { attempt: '42' }, 41],
      ['not once the operation has ended', { ...COMPLETED, attempt: '41' }, 41],
    ])('%s', async (_which, changed, attempt) => {
      await record(changed);
      await lines(100);
      await asApi(trim(attempt), A);
      expect(await left('idempotency_timeline')).toBe(100);
    });

    it('not where there is no operation, or of another account', async () => {
      await lines(100);
      await asApi(trim(41), A);
      await record({ attempt: '41' });
      await asApi(trim(41), B);
      expect(await left('idempotency_timeline')).toBe(100);
    });

    it('for whoever has it under way, after more attempts than anybody reads', async () => {
      await record({ attempt: '41' });
      await lines(100);
      await asApi(trim(41), A);
      expect(await left('idempotency_timeline')).toBe(80);
    });
  });

  it('an expired record makes room, as the purge would have it; none before its time', async () => {
    const makeRoom = `SELECT idempotency_make_room('${A}', '${key}', '${operation}')`;
    await record(COMPLETED);
    await asApi(makeRoom, A);
    expect([await left('idempotency_records'), await left('idempotency_archive')]).toEqual([1, 0]);
    await world.database.query(update('expires_at = now()'));
    await asApi(makeRoom, A);
    expect([await left('idempotency_records'), await left('idempotency_archive')]).toEqual([0, 1]);
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

  it.each(['PUBLIC', 'holdfast_api'])('leaves no DDL to %s, as PostgreSQL 14 has it of its own accord', async (whoever) => {
    const [name, ddl] = [new URL(world.database.url).pathname.slice(1), ['CREATE TABLE mine (id int)', 'CREATE SCHEMA mine']];
    await world.database.query(`GRANT CREATE ON SCHEMA public TO ${whoever}; GRANT CREATE ON DATABASE ${name} TO ${whoever}`);
    for (const sql of ddl) expect(await refusal(`BEGIN; ${sql}; ROLLBACK`)).toBe('allowed');
    await migrate(urls());
    for (const sql of ddl) expect(await refusal(`BEGIN; ${sql}; ROLLBACK`)).toBe(REFUSED);
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

describe('production refuses a role that', () => {
  const suffix = randomBytes(4).toString('hex');
  const [owner, role, other] = [`owner_${suffix}`, `role_${suffix}`, `other_${suffix}`];
  const asserted = async (as = role): Promise<void> => {
    const url = Object.assign(new URL(world.database.url), { username: as }).toString();
    const dataSource = await new DataSource({ type: 'postgres', url }).initialize();
    await assertLeastPrivilege(dataSource, { production: true }).finally(() => dataSource.destroy());
  };
  beforeEach(async () => {
    for (const each of [owner, role, other]) await world.database.query(`CREATE ROLE ${each} LOGIN`);
    await world.database.query(`GRANT SELECT ON orders TO ${role}`);
  });
  afterEach(async () => {
    await world.database.query(`ALTER TABLE orders OWNER TO holdfast; ALTER POLICY holdfast_background ON orders TO holdfast_background`);
    await world.database.query(`DROP OWNED BY ${owner}, ${role}, ${other}; DROP ROLE ${owner}, ${role}, ${other}`);
  });

  it.each([
    ['is a superuser', `ALTER ROLE {role} SUPERUSER`, /row-level security does not act for the role/],
    ['bypasses policies', `ALTER ROLE {role} BYPASSRLS`, /row-level security does not act for the role/],
    ['owns the tables', `ALTER TABLE orders OWNER TO {role}`, /row-level security does not act for the role/],
    [
      'inherits from their owner',
      `ALTER TABLE orders OWNER TO {owner}; GRANT {owner} TO {role}`,
      /row-level security does not act for the role/,
    ],
    [
      'may become their owner',
      `ALTER TABLE orders OWNER TO {owner}; ALTER ROLE {role} NOINHERIT; GRANT {owner} TO {role}`,
      /may become owner_\w+, which owns the tables/,
    ],
    [
      'may become one that may become their owner',
      `ALTER TABLE orders OWNER TO {owner}; ALTER ROLE {role} NOINHERIT; GRANT {owner} TO {other}; GRANT {other} TO {role}`,
      /may become owner_\w+, which owns the tables/,
    ],
    [
      'may become one that bypasses policies',
      `ALTER ROLE {other} BYPASSRLS; GRANT {other} TO {role}`,
      /may become other_\w+, which bypasses/,
    ],
    ['makes roles, and so members of others', `ALTER ROLE {role} CREATEROLE`, /the role role_\w+ makes roles;/],
    [
      'is the background’s, however its address is written',
      `ALTER POLICY holdfast_background ON orders TO {role}`,
      /role_\w+ sees all accounts;/,
    ],
    ['may become the background’s', `GRANT holdfast_background TO {role}`, /may become holdfast_background, which sees all accounts/],
    ['makes tables', `GRANT CREATE ON SCHEMA public TO {role}`, /may make objects; .*REVOKE CREATE ON SCHEMA public FROM PUBLIC, role_/],
    ['makes schemas', `GRANT CREATE ON DATABASE {database} TO {role}`, /REVOKE CREATE ON DATABASE holdfast_test_\w+ FROM/],
  ])('%s', async (_what, sql, message) => {
    await expect(asserted()).resolves.toBeUndefined();
    const names: Record<string, string> = { owner, role, other, database: new URL(world.database.url).pathname.slice(1) };
    await world.database.query(sql.replace(/\{(\w+)\}/g, (_match, name: string) => names[name] ?? ''));
    await expect(asserted()).rejects.toThrow(message);
  });

  it('was set to become another one at login', async () => {
    await world.database.query(`GRANT ${other} TO ${role}; ALTER ROLE ${other} SUPERUSER; GRANT SELECT ON orders TO holdfast_api`);
    await world.database.query(`GRANT holdfast_api TO ${role}; ALTER ROLE ${role} SET role = holdfast_api`);
    await expect(asserted()).rejects.toThrow(/may become other_\w+, which bypasses/);
  });

  it('and none that is as it should be', async () => {
    await expect(asserted('holdfast_api')).resolves.toBeUndefined();
  });
});
