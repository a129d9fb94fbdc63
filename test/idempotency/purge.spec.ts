import { v7 as uuidv7 } from 'uuid';
import { publicOperationId } from '../../src/idempotency/index.js';
import { Purger } from '../../src/idempotency/records/purger.js';
import { atOnce, ORDER, startApp, startWorld, type TestApp, type TestResponse, type World } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A, countOf, insertRecord, recordsOf } from '../support/ledger.js';
import { hold } from '../support/locks.js';
import { expectProblem } from '../support/problems.js';

let world: World;
let replica: TestApp;
beforeAll(async () => {
  // They purge when they are told to: what their own interval took would be missing in a test's count.
  world = await startWorld({ IDEMPOTENCY_WINDOW: '30m', IDEMPOTENCY_ARCHIVE_RETENTION: '1h', IDEMPOTENCY_PURGE_INTERVAL: '20d' });
  replica = await world.secondApp();
});
afterAll(() => world.close());

interface ArchiveRow {
  account_id: string;
  key: string;
  operation_id: string;
  operation: string;
  resource: string | null;
  response_status: number;
  replays: number;
}

const purge = (on: TestApp = world) => on.app.get(Purger, { strict: false }).purge();
const place = (key: string, on: TestApp = world, headers: Record<string, string> = {}): Promise<TestResponse> =>
  on.send('POST', '/v1/orders', { key, body: ORDER, headers });
const expire = (key: string) =>
  world.database.query(`UPDATE idempotency_records SET expires_at = now() - interval '1 ms' WHERE key = $1`, [key]);
const insertExpired = (prefix: string, count: number) =>
  world.database.query(
    `INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, response_status, response_headers,
                                      response_body, window_ms, created_at, completed_at, expires_at)
     SELECT $1, $2::text || '-' || n, gen_random_uuid(), 'POST /v1/orders', sha256('x'), 'completed', 201, '{}', 'x', 1, now(), now(), now() - interval '1 ms'
       FROM generate_series(1, $3::int) AS n`,
    [ACCOUNT_A, prefix, count],
  );
const archived = (key: string) => world.database.query<ArchiveRow>('SELECT * FROM idempotency_archive WHERE key = $1', [key]);

it('moves an expired record into the archive, without its body, and the key stays refused with the way to the order', async () => {
  const key = uuidv7();
  const first = await place(key);
  await expire(key);
  expect(await purge()).toEqual({ archived: 1, forgotten: 0 });
  expect(await recordsOf(world.database, key)).toEqual([]);
  const [row, ...others] = await archived(key);
  expect(others).toEqual([]);
  expect(row).toMatchObject({
    account_id: ACCOUNT_A,
    operation: 'POST /v1/orders',
    resource: first.headers.get('location'),
    response_status: 201,
  });
  expect(Object.keys(row ?? {})).not.toContain('response_body');
  const late = await place(key, replica);
  expectProblem(late, 'idempotency-key-expired');
  expect(late.body['operationId']).toBe(publicOperationId(row?.operation_id ?? ''));
  expect(late.headers.get('link')).toBe(`<${String(first.headers.get('location'))}>; rel="related"`);
});

it('leaves what has not expired, and what is unfinished however old it is', async () => {
  const [fresh, unfinished] = [uuidv7(), uuidv7()];
  await place(fresh);
  await world.database.query(
    `INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, recovery_point, subject_id, window_ms,
                                      response_status, response_headers, response_body, lease_until, next_run_at, created_at)
     VALUES ($1, $2, $3, 'POST /v1/payments', $4, 'running', 'payments.charge', $3, 1, 202, '{}', '{}', now() - interval '1 year',
             now() + interval '1 day', now() - interval '2 years')`,
    [ACCOUNT_A, unfinished, uuidv7(), Buffer.alloc(32)],
  );
  expect(await purge()).toEqual({ archived: 0, forgotten: 0 });
  expect(await countOf(world.database, 'idempotency_records', 'key IN ($1, $2)', [fresh, unfinished])).toBe(2);
});

it('keeps the number of replays in the archive, and counts none without its record', async () => {
  const key = uuidv7();
  await place(key);
  for (const reason of ['timeout', 'timeout', 'manual', 'no-such-reason']) await place(key, world, { 'retry-reason': reason });
  const counted = await eventually('the replays to be counted', async () => {
    const rows = await world.database.query<{ reason: string; count: number }>(
      'SELECT reason, p.count FROM idempotency_replays p JOIN idempotency_records r USING (account_id, operation_id) WHERE r.key = $1 ORDER BY reason',
      [key],
    );
    return rows.reduce((sum, row) => sum + row.count, 0) === 4 && rows;
  });
  expect(counted).toEqual([
    { reason: '', count: 1 },
    { reason: 'manual', count: 1 },
    { reason: 'timeout', count: 2 },
  ]);
  await expire(key);
  await purge();
  const [row] = await archived(key);
  expect(row?.replays).toBe(4);
  expect(await countOf(world.database, 'idempotency_replays', 'operation_id = $1', [row?.operation_id])).toBe(0);
});

it('takes each record once when every replica purges at once, and all of them in many batches', async () => {
  await insertExpired('bulk', 12_000);
  const done = await atOnce(6, (n) => purge(n % 2 ? world : replica));
  expect(done.reduce((sum, { archived }) => sum + archived, 0)).toBe(12_000);
  expect(await countOf(world.database, 'idempotency_archive', `key LIKE 'bulk-%'`)).toBe(12_000);
  expect(await countOf(world.database, 'idempotency_records', `key LIKE 'bulk-%'`)).toBe(0);
});

it('passes by a record that somebody holds, and takes it the next time', async () => {
  const [held, free] = [uuidv7(), uuidv7()];
  for (const key of [held, free]) await insertRecord(world.database, { key, request: {}, body: '{}', expiresIn: '-1 second' });
  const lock = await hold(world.database, 'SELECT FROM idempotency_records WHERE key = $1 FOR UPDATE', [held]);
  expect((await purge()).archived).toBe(1);
  await lock.release();
  expect((await purge()).archived).toBe(1);
  expect(await archived(held)).toHaveLength(1);
});

it('never lets a late request through between record and archive', async () => {
  const keys = Array.from({ length: 40 }, () => uuidv7());
  for (const key of keys) await insertRecord(world.database, { key, request: ORDER, body: '{}', expiresIn: '-1 second' });
  const before = await countOf(world.database, 'orders');
  const [answers] = await Promise.all([
    // Whoever finds a twin under way waits for what becomes of it, on a slow machine as well.
    atOnce(120, (n) => place(keys[n % 40] ?? '', n % 2 ? world : replica, { prefer: 'wait=30' })),
    atOnce(10, (n) => purge(n % 2 ? world : replica)),
  ]);
  for (const answer of answers) expectProblem(answer, 'idempotency-key-expired');
  expect(await countOf(world.database, 'orders')).toBe(before);
});

it('takes the archived row of an earlier window over, where late requests are executed', async () => {
  const key = uuidv7();
  const operations: (string | null)[] = [];
  for (let window = 0; window < 2; window += 1) {
    // A fresh replica each time: it remembers no answer of the window before.
    const forgetful = await startApp(world.database, { IDEMPOTENCY_LATE_REQUESTS: 'execute' });
    operations.push((await place(key, forgetful)).headers.get('operation-id'));
    await forgetful.close();
    await expire(key);
    expect(await purge()).toEqual({ archived: 1, forgotten: 0 });
  }
  expect(operations[0]).not.toBe(operations[1]);
  expect((await archived(key)).map((row) => publicOperationId(row.operation_id))).toEqual([operations[1]]);
});

it('forgets the archive after its own retention', async () => {
  const [old, young] = [uuidv7(), uuidv7()];
  for (const key of [old, young]) {
    await insertRecord(world.database, { key, request: {}, body: '{}', expiresIn: '-1 second' });
  }
  await purge();
  await world.database.query(`UPDATE idempotency_archive SET archived_at = now() - interval '61 minutes' WHERE key = $1`, [old]);
  await world.database.query(`UPDATE idempotency_archive SET archived_at = now() - interval '59 minutes' WHERE key = $1`, [young]);
  expect(await purge()).toEqual({ archived: 0, forgotten: 1 });
  expect([await archived(old), await archived(young)]).toMatchObject([[], [{ key: young }]]);
});

it('forgets a sealed key after the archive’s retention, with its story, and not before', async () => {
  const key = uuidv7();
  expect((await world.send('POST', '/v1/operations/seal', { key: null, body: { idempotencyKey: key } })).status).toBe(200);
  const [row] = await world.database.query<{ operation_id: string; kept: number }>(
    `SELECT operation_id, extract(epoch FROM expires_at - created_at)::float8 AS kept FROM idempotency_records WHERE key = $1`,
    [key],
  );
  // The archive's retention, not the window of an answer.
  expect(row?.kept).toBeCloseTo(3_600, 0);
  const expiresIn = (interval: string) =>
    world.database.query('UPDATE idempotency_records SET expires_at = now() + $2::interval WHERE key = $1', [key, interval]);
  const left = async () => [
    await countOf(world.database, 'idempotency_records', 'key = $1', [key]),
    await countOf(world.database, 'idempotency_timeline', 'operation_id = $1', [row?.operation_id]),
  ];
  await expiresIn('1 minute');
  expect(await purge()).toEqual({ archived: 0, forgotten: 0 });
  expect(await left()).toEqual([1, 1]);
  expectProblem(await place(key, replica), 'idempotency-key-sealed');
  await expiresIn('-1 ms');
  expect(await purge(replica)).toEqual({ archived: 0, forgotten: 1 });
  expect(await left()).toEqual([0, 0]);
  expect(await archived(key)).toEqual([]);
});

it('runs by itself at its interval', async () => {
  const key = uuidv7();
  const eager = await startApp(world.database, { IDEMPOTENCY_PURGE_INTERVAL: '50ms' });
  await insertRecord(world.database, { key, request: {}, body: '{}', expiresIn: '-1 second' });
  await eventually('the record to be archived', async () => (await archived(key)).length === 1);
  await eager.close();
  expect(await recordsOf(world.database, key)).toEqual([]);
});

it('ends between two batches when its process stops, and the next purge takes the rest', async () => {
  await insertExpired('stopped', 4_000);
  // It rests after its first batch for as long as that took, many times over: the stop doesn't wait for the end of it.
  const eager = await startApp(world.database, { IDEMPOTENCY_PURGE_INTERVAL: '1s' });
  const moved = () => countOf(world.database, 'idempotency_archive', `key LIKE 'stopped-%'`);
  await eventually('the first batch to be archived', async () => (await moved()) > 0);
  await eager.close();
  const left = 4_000 - (await moved());
  expect(left).toBeGreaterThan(0);
  expect(await purge()).toEqual({ archived: left, forgotten: 0 });
  expect(await moved()).toBe(4_000);
});
