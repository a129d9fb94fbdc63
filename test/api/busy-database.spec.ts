import { v7 as uuidv7 } from 'uuid';
import { ORDER, atOnce, startWorld, tally, type TestResponse } from '../support/app.js';
import { recordsOf, stockOf } from '../support/ledger.js';
import { holdProduct, untilBlocked } from '../support/locks.js';
import { expectProblem } from '../support/problems.js';

/** One connection for all handlers. */
let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld({ DB_POOL_SIZE: '1' });
});
afterAll(() => world.close());

const place = (key: string): Promise<TestResponse> => world.send('POST', '/v1/orders', { key, body: ORDER });

describe('while the only connection is taken', () => {
  it('requests are told to come back with 503 and Retry-After, nothing hangs, and the key works afterwards', async () => {
    const [running, refused] = [uuidv7(), uuidv7()];
    const before = await stockOf(world.database);
    const held = await holdProduct(world.database);
    const first = place(running);
    await untilBlocked(world.database);
    const answers = await Promise.all([
      place(refused),
      world.send('GET', '/v1/orders'),
      world.send('GET', '/v1/products/123'),
      world.send('POST', '/v1/orders', { body: { items: [] } }),
    ]);
    for (const answer of answers) expectProblem(answer, 'service-unavailable');
    expect(await recordsOf(world.database, refused)).toEqual([]);
    // Authentication, health and duplicates need no connection of the handlers'.
    expectProblem(await world.send('GET', '/v1/orders', { as: 'hf_test_nobody' }), 'unauthenticated');
    expect((await world.send('GET', '/health/ready', { as: null })).status).toBe(200);
    expectProblem(await place(running), 'idempotency-request-in-progress');
    await held.release();
    expect((await first).status).toBe(201);
    const again = await place(refused);
    expect(again.status).toBe(201);
    expect(again.headers.has('idempotent-replayed')).toBe(false);
    expect(await stockOf(world.database)).toBe(before - 2);
  });

  it('a stored answer is still replayed', async () => {
    const key = uuidv7();
    const stored = await place(key);
    const held = await holdProduct(world.database);
    const running = place(uuidv7());
    await untilBlocked(world.database);
    expect((await place(key)).text).toBe(stored.text);
    await held.release();
    await running;
  });
});

it('twenty different orders at once get through one connection, or are told to come back', async () => {
  const before = await stockOf(world.database);
  const keys = Array.from({ length: 20 }, () => uuidv7());
  const answers = await atOnce(20, (n) => place(keys[n] ?? ''));
  for (const answer of answers.filter((answer) => answer.status !== 201)) expectProblem(answer, 'service-unavailable');
  const made = tally(answers)[201] ?? 0;
  expect(await stockOf(world.database)).toBe(before - made);
  for (const key of keys) expect((await place(key)).status).toBe(201);
  expect(await stockOf(world.database)).toBe(before - 20);
});

it('cancellations and changes, which lock and wait, deadlock nowhere on one connection', async () => {
  const placed = await atOnce(10, () => place(uuidv7()));
  const ids = placed.map((answer) => String(answer.body['id']));
  const answers = await atOnce(20, (n) =>
    n % 2
      ? world.send('POST', `/v1/orders/${ids[n >> 1]}/cancel`, { body: {} })
      : world.send('PATCH', `/v1/orders/${ids[n >> 1]}`, { headers: { 'if-match': '*' }, body: { customerReference: 'x' } }),
  );
  expect(answers.every((answer) => [200, 503].includes(answer.status))).toBe(true);
});
