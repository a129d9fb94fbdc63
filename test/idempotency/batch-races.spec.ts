import { v7 as uuidv7 } from 'uuid';
import { atOnce, startWorld, tally, type TestApp, type TestResponse, type World } from '../support/app.js';
import { item, resultsOf, sendAlone, sendBatch, statusesOf, type BatchItem } from '../support/batches.js';
import { addProduct, countOf, recordsOf, stockOf } from '../support/ledger.js';
import { holdProduct, untilBlocked } from '../support/locks.js';
import { expectProblem } from '../support/problems.js';
import { CommitProxy, type Fate } from '../support/proxy.js';

let world: World;
let replica: TestApp;
let proxy: CommitProxy;
let behind: TestApp;
beforeAll(async () => {
  world = await startWorld();
  replica = await world.secondApp();
  proxy = await CommitProxy.start(world.database.url);
  behind = await world.secondApp({ DATABASE_URL: proxy.url });
});
afterAll(async () => {
  await world.close();
  await proxy.close();
});

const either = (n: number): TestApp => (n % 2 ? world : replica);
const ordersOf = (productId: string) => countOf(world.database, 'order_items', 'product_id = $1', [productId]);
const deadlocks = async (): Promise<number> => {
  const [row] = await world.database.query<{ deadlocks: number }>(
    'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
  );
  return row?.deadlocks ?? 0;
};

/** As a client does that obeys the verdict: the same request until the answer is final. */
async function untilFinal(sent: () => Promise<TestResponse>): Promise<TestResponse> {
  for (;;) {
    const answer = await sent();
    if (answer.body['code'] !== 'idempotency-request-in-progress') return answer;
    expectProblem(answer, 'idempotency-request-in-progress');
  }
}

async function products(count: number): Promise<string[]> {
  return (await atOnce(count, () => addProduct(world.database))).toSorted();
}

describe('batches with the same keys and products in opposite order, on two replicas', () => {
  it.each([false, true])('atomic: %s: each item has one effect, and nobody meets a deadlock', async (atomic) => {
    const ids = await products(6);
    const before = await deadlocks();
    const items = Array.from({ length: 20 }, (_, at) => item(at % 2 ? ids : ids.toReversed()));
    const answers = await atOnce(8, (n) =>
      untilFinal(() =>
        sendBatch(either(n), n % 4 < 2 ? items : items.toReversed(), { atomic, key: `batch-${n}-${items[0]?.idempotencyKey}` }),
      ),
    );
    expect(tally(answers)).toEqual({ 200: 8 });
    expect(answers.flatMap(statusesOf).filter((status) => status !== 201)).toEqual([]);
    expect(new Set(answers.flatMap(resultsOf).map(({ order }) => order?.['id'])).size).toBe(items.length);
    for (const id of ids) expect([await ordersOf(id), await stockOf(world.database, id)]).toEqual([20, 980]);
    expect(await deadlocks()).toBe(before);
  });

  it('a batch that waits for the first product of all its items holds none of the others', async () => {
    const [first = '', ...others] = await products(4);
    const held = await holdProduct(world.database, first);
    const batch = sendBatch(
      replica,
      [...others.toReversed(), first].map((id) => item(id)),
    );
    await untilBlocked(world.database);
    for (const id of others) {
      await expect(world.database.query('SELECT FROM products WHERE id = $1 FOR UPDATE NOWAIT', [id])).resolves.toHaveLength(1);
    }
    await held.release();
    expect(statusesOf(await batch)).toEqual([201, 201, 201, 201]);
  });

  it('with keys of their own and single orders beside them: all are placed at the first try', async () => {
    const ids = await products(5);
    const before = await deadlocks();
    const answers = await atOnce(24, (n) => {
      const wanted = (at: number): BatchItem => item((n + at) % 2 ? ids : ids.toReversed());
      return n % 3 ? sendAlone(either(n), wanted(0)) : sendBatch(either(n), [wanted(0), wanted(1)]);
    });
    expect(tally(answers)).toEqual({ 200: 8, 201: 16 });
    expect(answers.flatMap(statusesOf).filter((status) => status !== 201)).toEqual([]);
    for (const id of ids) expect(await stockOf(world.database, id)).toBe(1_000 - 8 * 2 - 16);
    expect(await deadlocks()).toBe(before);
  });

  it('for the last pieces: no more than there are, and each refusal is an answer', async () => {
    const scarce = await addProduct(world.database, { stock: 10 });
    const answers = await atOnce(8, (n) => sendBatch(either(n), [item(scarce), item(scarce), item(scarce)]));
    expect(tally(answers.flatMap(resultsOf))).toEqual({ 201: 10, 409: 14 });
    expect([await ordersOf(scarce), await stockOf(world.database, scarce)]).toEqual([10, 0]);
  });
});

it('a batch beside the single requests of its items: each has one effect, and one answer', async () => {
  for (let round = 0; round < 5; round += 1) {
    const product = await addProduct(world.database);
    const items = Array.from({ length: 5 }, () => item(product));
    const key = uuidv7();
    const [batch, ...singles] = await atOnce(6, (n) => {
      const single = items[n - 1];
      return untilFinal(() => (single ? sendAlone(either(n), single) : sendBatch(either(n), items, { key })));
    });
    expect(tally(singles)).toEqual({ 201: 5 });
    expect(resultsOf(batch as TestResponse).map(({ order }) => order)).toEqual(singles.map(({ body }) => body));
    expect([await ordersOf(product), await stockOf(world.database, product)]).toEqual([5, 995]);
  }
});

it('while an item is in other hands the whole batch is 409, and does and stores nothing', async () => {
  const [product, other, key] = [await addProduct(world.database), await addProduct(world.database), uuidv7()];
  const [busy, free] = [item(product), item(other)];
  const held = await holdProduct(world.database, product);
  const first = sendAlone(replica, busy);
  await untilBlocked(world.database);
  for (const app of [world, replica]) expectProblem(await sendBatch(app, [free, busy], { key }), 'idempotency-request-in-progress');
  for (const one of [free.idempotencyKey, key]) expect(await recordsOf(world.database, one)).toEqual([]);
  expect(await ordersOf(other)).toBe(0);
  await held.release();
  const order = await first;
  const answer = await sendBatch(world, [free, busy], { key });
  expect(statusesOf(answer)).toEqual([201, 201]);
  expect(resultsOf(answer)[1]?.order).toEqual(order.body);
  expect([await ordersOf(product), await ordersOf(other)]).toEqual([1, 1]);
});

describe('a COMMIT without an answer', () => {
  it.each<Fate>(['cut-before', 'cut-after', 'cut-late'])('%s: the same batch again, and each item once', async (fate) => {
    const product = await addProduct(world.database);
    const [items, key] = [Array.from({ length: 10 }, () => item(product)), uuidv7()];
    proxy.met = 0;
    proxy.next(fate);
    const first = await sendBatch(behind, items, { key });
    expect(proxy.met).toBeGreaterThan(0);
    if (first.status !== 200) expectProblem(first, 'service-unavailable');
    const again = await untilFinal(() => sendBatch(world, items, { key }));
    expect(statusesOf(again)).toEqual(items.map(() => 201));
    if (first.status === 200) expect(first.text).toBe(again.text);
    expect([await ordersOf(product), await stockOf(world.database, product)]).toEqual([10, 990]);
    for (const { idempotencyKey } of items) expect(await recordsOf(world.database, idempotencyKey)).toHaveLength(1);
  });
});
