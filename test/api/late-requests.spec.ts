import { setTimeout as sleep } from 'node:timers/promises';
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid';
import { publicOperationId } from '../../src/idempotency/index.js';
import { ORDER, startApp, startWorld, type TestApp, type TestResponse, type World } from '../support/app.js';
import { addProduct, countOf, insertArchived, insertRecord, recordsOf, stockOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';

const DAY = 86_400_000;
/** Long enough for a replay within it on a busy machine. */
const WINDOW_MS = 4_000;
const WINDOW = `${WINDOW_MS}ms`;

let world: World;
let forgetful: TestApp;
let forgetfulToo: TestApp;
beforeAll(async () => {
  world = await startWorld({ IDEMPOTENCY_WINDOW: WINDOW });
  forgetful = await world.secondApp({ IDEMPOTENCY_LATE_REQUESTS: 'execute' });
  forgetfulToo = await world.secondApp({ IDEMPOTENCY_LATE_REQUESTS: 'execute' });
});
afterAll(() => world.close());

const place = (key: string, body: unknown = ORDER, on: TestApp = world): Promise<TestResponse> =>
  on.send('POST', '/v1/orders', { key, body });
const orders = () => countOf(world.database, 'orders');
const keyOf = (msecs: number): string => uuidv7({ msecs });

/** Expects 410 with the way to what the first request made. */
function expectExpired(answer: TestResponse, operationId: string | null | undefined, resource: string | null): void {
  expectProblem(answer, 'idempotency-key-expired');
  expect(answer.body['operationId'] ?? null).toBe(operationId ?? null);
  expect(answer.headers.get('link')).toBe(resource && `<${resource}>; rel="related"`);
  expect(answer.headers.has('idempotent-replayed')).toBe(false);
  expect(answer.headers.has('idempotency-expires')).toBe(false);
}

describe('by default a late request is refused', () => {
  it('within the window the answer is replayed, after it the key is expired: never a second execution', async () => {
    const key = uuidv7();
    const first = await place(key);
    expect((await place(key)).text).toBe(first.text);
    const before = await orders();
    await sleep(WINDOW_MS + 50);
    for (const on of [world, await startApp(world.database)]) {
      expectExpired(await place(key, ORDER, on), first.headers.get('operation-id'), first.headers.get('location'));
      expectExpired(await place(key, { items: [] }, on), first.headers.get('operation-id'), first.headers.get('location'));
      if (on !== world) await on.close();
    }
    expect(await orders()).toBe(before);
  });

  it('an expired record that made nothing has no Link', async () => {
    const key = uuidv7();
    const operation = await insertRecord(world.database, { key, request: ORDER, status: 409, body: '{}', expiresIn: '-1 second' });
    expectExpired(await place(key), publicOperationId(operation), null);
  });

  it('a purged key is refused with its operation and a Link to the resource', async () => {
    const key = uuidv7();
    const operation = await insertArchived(world.database, key, '/v1/orders/ord_x');
    expectExpired(await place(key), publicOperationId(operation), '/v1/orders/ord_x');
  });

  it('a UUIDv7 key from before the horizon of the archive is refused, one within it executes', async () => {
    const before = await orders();
    const old = keyOf(Date.now() - 401 * DAY);
    expectExpired(await place(old), undefined, null);
    expectExpired(await place(keyOf(0)), undefined, null);
    expect(await recordsOf(world.database, old)).toEqual([]);
    expect(await orders()).toBe(before);
    for (const key of [keyOf(Date.now() - 399 * DAY), keyOf(Date.now() + 400 * DAY)]) expect((await place(key)).status).toBe(201);
  });

  it('a key that is no canonical UUIDv7 has no age', async () => {
    const old = keyOf(Date.now() - 401 * DAY);
    for (const key of [old.toUpperCase(), `{${old}}`, old.replaceAll('-', ''), uuidv4()]) expect((await place(key)).status).toBe(201);
  });

  it('an expired key is told what its own time says, since the clock that made it may be wrong', async () => {
    const told = async (key: string): Promise<string> => {
      const answer = await place(key);
      expectProblem(answer, 'idempotency-key-expired');
      return String(answer.body['detail']);
    };
    const purged = async (key: string): Promise<string> => {
      await insertArchived(world.database, key, null);
      return told(key);
    };
    const [longAgo, ahead, now] = [Date.UTC(2019, 4, 6), Date.now() + 3 * 60_000, Date.now()];
    expect(await told(keyOf(longAgo))).toMatch(/2019-05-06T00:00:00\.000Z, longer ago .* that clock is wrong: set it, and .* a new key/);
    expect(await purged(keyOf(ahead))).toContain(
      `${new Date(ahead).toISOString()}, which is still to come: the clock that made it is ahead`,
    );
    expect(await purged(keyOf(now).toUpperCase())).toContain(`made at ${new Date(now).toISOString()}.`);
    expect(await purged(keyOf(ahead).toUpperCase())).toContain('is ahead');
    expect(await purged(uuidv4())).not.toContain('own time');
    expect(await purged(`${keyOf(longAgo)}-1`)).not.toContain('own time');
  });

  it('validation goes before nothing here: an invalid late request is told that its key is expired', async () => {
    const key = uuidv7();
    const operation = await insertArchived(world.database, key, null);
    expectExpired(await place(key, { items: [] }), publicOperationId(operation), null);
  });
});

describe('IDEMPOTENCY_LATE_REQUESTS=execute forgets after the window', () => {
  it('executes an expired request again, as another operation, also with another payload', async () => {
    const key = uuidv7();
    const first = await place(key, ORDER, forgetful);
    expect((await place(key, ORDER, forgetful)).text).toBe(first.text);
    await sleep(WINDOW_MS + 50);
    const second = await place(key, { items: [{ productId: '123', quantity: 2 }] }, forgetful);
    expect(second.status).toBe(201);
    expect(second.headers.has('idempotent-replayed')).toBe(false);
    expect(second.headers.get('operation-id')).not.toBe(first.headers.get('operation-id'));
    const records = await recordsOf(world.database, key);
    expect(records.map((record) => publicOperationId(record.operation_id))).toEqual([second.headers.get('operation-id')]);
    expect((await place(key, { items: [{ productId: '123', quantity: 2 }] }, forgetfulToo)).text).toBe(second.text);
  });

  it('keeps the story of the first operation in the archive, and nothing else of it', async () => {
    const key = uuidv7();
    const old = await insertRecord(world.database, { key, request: ORDER, body: '{}', expiresIn: '-1 second' });
    for (const [table, columns, values] of [
      ['idempotency_timeline', 'at, event, detail', `now(), 'claimed', ''`],
      ['idempotency_replays', 'last_at, reason, count', `now(), 'timeout', 3`],
    ]) {
      const insert = `INSERT INTO ${table} (account_id, operation_id, ${columns})`;
      await world.database.query(`${insert} SELECT account_id, operation_id, ${values} FROM idempotency_records WHERE key = $1`, [key]);
    }
    expect((await place(key, ORDER, forgetful)).status).toBe(201);
    for (const table of ['idempotency_timeline', 'idempotency_replays']) {
      expect(await countOf(world.database, table, 'operation_id = $1', [old])).toBe(0);
    }
    expect(await countOf(world.database, 'idempotency_archive', 'operation_id = $1 AND key = $2 AND replays = 3', [old, key])).toBe(1);
    expect((await forgetful.send('GET', `/v1/operations/${publicOperationId(old)}`)).status).toBe(200);
  });

  it('executes a purged key and an old UUIDv7', async () => {
    const archived = uuidv7();
    await insertArchived(world.database, archived, null);
    for (const key of [archived, keyOf(Date.now() - 401 * DAY)]) expect((await place(key, ORDER, forgetful)).status).toBe(201);
  });

  it('executes an expired request once, however many come at once', async () => {
    const product = await addProduct(world.database);
    const body = { items: [{ productId: product, quantity: 1 }] };
    const key = uuidv7();
    await insertRecord(world.database, { key, request: body, body: '{}', expiresIn: '-1 second' });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => place(key, body, n % 2 ? forgetful : forgetfulToo)));
    expect(answers.filter((answer) => answer.status === 201 && !answer.headers.has('idempotent-replayed'))).toHaveLength(1);
    expect(answers.every((answer) => answer.status === 201 || answer.status === 409)).toBe(true);
    expect(await stockOf(world.database, product)).toBe(999);
    expect(await recordsOf(world.database, key)).toHaveLength(1);
  });

  it('keeps the expired record when the new execution fails, and stores a new refusal over it', async () => {
    const [failing, refused] = [uuidv7(), uuidv7()];
    const unknown = { items: [{ productId: 'no-such', quantity: 1 }] };
    const old = await insertRecord(world.database, { key: failing, request: {}, body: '{}', expiresIn: '-1 second' });
    await insertRecord(world.database, { key: refused, request: unknown, body: '{}', expiresIn: '-1 second' });
    expectProblem(await place(failing, {}, forgetful), 'invalid-request');
    expect(await recordsOf(world.database, failing)).toMatchObject([{ operation_id: old }]);
    expectProblem(await place(refused, unknown, forgetful), 'unknown-product');
    expect(await recordsOf(world.database, refused)).toMatchObject([{ response_status: 422 }]);
  });
});
