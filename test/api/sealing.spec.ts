import { v7 as uuidv7 } from 'uuid';
import { ORDER, KEY_B, atOnce, startWorld, tally, type TestApp, type TestResponse, type World } from '../support/app.js';
import { addApiKey } from '../support/api-keys.js';
import { item, sendAlone, sendBatch, statusesOf, type BatchItem } from '../support/batches.js';
import { eventually } from '../support/eventually.js';
import { addProduct, countOf, insertArchived, insertRecord, recordsOf, stockOf } from '../support/ledger.js';
import { holdProduct, untilBlocked } from '../support/locks.js';
import { expectProblem } from '../support/problems.js';
import { startProcess } from '../support/process.js';
import { CommitProxy } from '../support/proxy.js';

let world: World;
let other: TestApp;
beforeAll(async () => {
  world = await startWorld();
  other = await world.secondApp();
});
afterAll(() => world.close());

const seal = (idempotencyKey: unknown, on: TestApp = world): Promise<TestResponse> =>
  on.send('POST', '/v1/operations/seal', { key: null, body: { idempotencyKey } });
const place = (key: string, body: unknown = ORDER, on: TestApp = world): Promise<TestResponse> =>
  on.send('POST', '/v1/orders', { key, body });

it('a sealed key answers 409 to every request, on every replica and in either spelling, and none executes', async () => {
  const key = uuidv7();
  const before = await countOf(world.database, 'orders');
  const sealed = await seal(`"${key}"`);
  expect([sealed.status, sealed.body]).toEqual([200, { idempotencyKey: key, state: 'sealed' }]);
  for (const [on, body] of [
    [world, ORDER],
    [other, ORDER],
    [other, { items: [] }],
  ] as const) {
    const answer = await place(key, body, on);
    expectProblem(answer, 'idempotency-key-sealed');
    expect(answer.headers.has('retry-after')).toBe(false);
  }
  const ticket = await world.send('POST', '/v1/tickets', { key, body: { subject: 's', description: 'd', priority: 'low' } });
  expectProblem(ticket, 'idempotency-key-sealed');
  expect(await countOf(world.database, 'orders')).toBe(before);
  const [kept] = await world.database.query(
    `SELECT extract(epoch FROM expires_at - created_at)::int / 86400 AS days FROM idempotency_records WHERE key = $1`,
    [key],
  );
  expect(kept).toEqual({ days: 400 });
});

it('sealing twice is the same as once', async () => {
  const key = uuidv7();
  const answers = [await seal(key), await seal(key, other), ...(await atOnce(8, () => seal(uuidv7())))];
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(answers[1]?.text).toBe(answers[0]?.text);
  expect(await recordsOf(world.database, key)).toHaveLength(1);
});

it('a key that was used stays as it is: its operation is told, and its answer replayed', async () => {
  const key = uuidv7();
  const first = await place(key);
  const answer = await seal(key, other);
  expect(answer.body).toMatchObject({
    idempotencyKey: key,
    state: 'completed',
    operation: { id: first.headers.get('operation-id'), status: 'completed', response: { status: 201 } },
  });
  expect((await place(key, ORDER, other)).text).toBe(first.text);
});

it('an expired key, and one that was purged, was used', async () => {
  const [expired, purged] = [uuidv7(), uuidv7()];
  await insertRecord(world.database, { key: expired, request: ORDER, status: 201, body: '{}', expiresIn: '-1 second' });
  await insertArchived(world.database, purged, null);
  for (const key of [expired, purged]) {
    expect((await seal(key)).body).toMatchObject({ state: 'completed', operation: { status: 'completed' } });
    expectProblem(await place(key), 'idempotency-key-expired');
  }
});

it('a UUIDv7 from before the horizon is sealed by its own time, and nothing is stored', async () => {
  const key = uuidv7({ msecs: Date.now() - 401 * 86_400_000 });
  expect((await seal(key)).body).toEqual({ idempotencyKey: key, state: 'sealed' });
  expect(await recordsOf(world.database, key)).toEqual([]);
  expectProblem(await place(key), 'idempotency-key-expired');
});

it('where late requests are executed, a sealed key never is', async () => {
  const forgetful = await world.secondApp({ IDEMPOTENCY_LATE_REQUESTS: 'execute', IDEMPOTENCY_WINDOW: '1s' });
  for (const key of [uuidv7(), uuidv7({ msecs: Date.now() - 401 * 86_400_000 })]) {
    expect((await seal(key, forgetful)).body).toEqual({ idempotencyKey: key, state: 'sealed' });
    expectProblem(await place(key, ORDER, forgetful), 'idempotency-key-sealed');
  }
});

it('a key in a request’s hands is 409 operation-running, and says completed once that is done', async () => {
  const product = await addProduct(world.database);
  const [key, body] = [uuidv7(), { items: [{ productId: product, quantity: 1 }] }];
  const held = await holdProduct(world.database, product);
  const first = place(key, body);
  await untilBlocked(world.database);
  const refused = await seal(key, other);
  expectProblem(refused, 'operation-running');
  expect(refused.headers.has('retry-after')).toBe(true);
  await held.release();
  expect((await first).status).toBe(201);
  expect((await seal(key, other)).body['state']).toBe('completed');
});

it('a key that a batch has as an item is 409 operation-running, and then says what the batch has made of it', async () => {
  for (const atomic of [false, true]) {
    const [product, short] = [await addProduct(world.database), await addProduct(world.database, { stock: 1 })];
    // The second item of an atomic batch fails, and takes the first one back.
    const failing = { ...item(short), items: [{ productId: short, quantity: 2 }] };
    const items = [item(product), ...(atomic ? [failing] : [])];
    const key = items[0]?.idempotencyKey ?? '';
    const held = await holdProduct(world.database, product);
    const batch = sendBatch(world, items, { atomic });
    await untilBlocked(world.database);
    expectProblem(await seal(key, other), 'operation-running');
    await held.release();
    expect(statusesOf(await batch)).toEqual(atomic ? [424, 409] : [201]);
    const told = await seal(key, other);
    expect(told.body).toMatchObject({ state: atomic ? 'sealed' : 'completed' });
    const alone = await sendAlone(world, items[0] as BatchItem);
    if (atomic) expectProblem(alone, 'idempotency-key-sealed');
    else expect([alone.status, alone.headers.get('operation-id')]).toEqual([201, told.body['operation'].id]);
    expect(await stockOf(world.database, product)).toBe(atomic ? 1_000 : 999);
  }
});

it('an operation without an outcome is 409 operation-running', async () => {
  const key = uuidv7();
  const operation = await insertRecord(world.database, { key, request: ORDER, status: 201, body: '{}', expiresIn: '1 day' });
  await world.database.query(
    `UPDATE idempotency_records SET status = 'running', recovery_point = 'nobody.knows', next_run_at = now() + interval '1 hour' WHERE operation_id = $1`,
    [operation],
  );
  expectProblem(await seal(key), 'operation-running');
});

it('first requests and seals that race leave either the effect or the seal', async () => {
  const product = await addProduct(world.database);
  const body = { items: [{ productId: product, quantity: 1 }] };
  const keys = Array.from({ length: 40 }, () => uuidv7());
  const outcomes = await Promise.all(
    keys.map(async (key, index) => {
      const tries = [() => place(key, body, index % 2 ? world : other), () => seal(key, index % 3 ? other : world)];
      if (index % 4 < 2) tries.reverse();
      await Promise.all(tries.map((send) => send()));
      const sealed = await eventually('the key to be out of hands', async () => {
        const answer = await seal(key);
        return answer.status === 200 && answer;
      });
      return { key, state: String(sealed.body['state']), order: await place(key, body) };
    }),
  );
  const executed = outcomes.filter(({ state }) => state === 'completed');
  expect(tally(executed.map(({ order }) => order))).toEqual(executed.length > 0 ? { 201: executed.length } : {});
  expect(await stockOf(world.database, product)).toBe(1_000 - executed.length);
  for (const { state, order } of outcomes) if (state === 'sealed') expectProblem(order, 'idempotency-key-sealed');
});

it('a seal whose process is killed before its COMMIT did nothing, and one after it holds', async () => {
  const proxy = await CommitProxy.start(world.database.url, 'COMMIT');
  for (const [fate, free] of [
    ['withhold', true],
    ['swallow', false],
  ] as const) {
    const [api, key] = [await startProcess(proxy.url), uuidv7()];
    const met = proxy.met;
    proxy.next(fate);
    const lost = api.send('POST', '/v1/operations/seal', { key: null, body: { idempotencyKey: key } }).catch(() => null);
    await eventually('the COMMIT to be on its way', () => proxy.met > met);
    if (!free) await eventually('the seal to be committed', async () => (await recordsOf(world.database, key)).length === 1);
    await api.kill('SIGKILL');
    expect(await lost).toBeNull();
    const order = await eventually('the connection to be gone', async () => {
      const answer = await place(key, ORDER, other);
      return answer.body['code'] !== 'idempotency-request-in-progress' && answer;
    });
    expect(order.status).toBe(free ? 201 : 409);
  }
  await proxy.close();
});

it('the story of a sealed key says who sealed it', async () => {
  const key = uuidv7();
  await seal(key);
  const { body } = await world.send('GET', `/v1/operations?idempotencyKey=${key}`);
  expect(body['data']).toEqual([
    expect.objectContaining({
      operation: 'seal',
      status: 'completed',
      response: { status: 409 },
      timeline: [expect.objectContaining({ event: 'sealed', detail: expect.stringMatching(/^by request of key_/) as string })],
    }),
  ]);
});

it('seals are of one account, and need the scope', async () => {
  const key = uuidv7();
  await seal(key);
  expect((await world.send('POST', '/v1/orders', { key, as: KEY_B, body: ORDER })).status).toBe(201);
  const unused = uuidv7();
  const reader = await addApiKey(world.database, ['operations:read', 'orders:write']);
  expectProblem(
    await world.send('POST', '/v1/operations/seal', { key: null, as: reader, body: { idempotencyKey: unused } }),
    'insufficient-scope',
  );
  expect(await recordsOf(world.database, unused)).toEqual([]);
});

it.each([undefined, '', 'a b', '"a', 'ä', 7, 'k'.repeat(256)])('a key that is none is refused: %p', async (key) => {
  const answer = await seal(key);
  expect(answer.status).toBe(400);
});
