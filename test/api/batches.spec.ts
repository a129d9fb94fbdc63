import { v7 as uuidv7 } from 'uuid';
import { auditWorld } from '../support/audit.js';
import { item, resultsOf, sendAlone, sendBatch, statusesOf } from '../support/batches.js';
import { ACCOUNT_A, addProduct, countOf, insertArchived, recordsOf, setStock, stockOf } from '../support/ledger.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
beforeAll(async () => {
  world = await startPaymentWorld();
});
afterAll(() => world.close());

const ordersOf = (product: string): Promise<number> => countOf(world.database, 'order_items', 'product_id = $1', [product]);

const timelineOf = async (operation: string): Promise<{ event: string; detail: string }[]> => {
  const story = await world.send('GET', `/v1/operations/${operation}`);
  return story.body['timeline'] as { event: string; detail: string }[];
};

describe('each item stands alone', () => {
  it('results are bound to their index, and each order is there once with its record', async () => {
    const [one, other] = [await addProduct(world.database), await addProduct(world.database)];
    const items = [item(one), item('no-such'), item([other, one])];
    const answer = await sendBatch(world, items);
    expect(answer.status).toBe(200);
    expect(resultsOf(answer).map(({ index, status }) => [index, status])).toEqual([
      [0, 201],
      [1, 422],
      [2, 201],
    ]);
    expect(resultsOf(answer)[2]?.order?.['items']).toHaveLength(2);
    expect(resultsOf(answer)[1]?.problem).toMatchObject({ code: 'unknown-product', retry: 'never', status: 422 });
    expect([await stockOf(world.database, one), await stockOf(world.database, other)]).toEqual([998, 999]);
    for (const { idempotencyKey } of items) expect(await recordsOf(world.database, idempotencyKey)).toHaveLength(1);
  });

  it('an item sent alone afterwards replays: the record is that of a single order, and so are the bytes', async () => {
    const product = await addProduct(world.database);
    const wanted = { ...item(product), metadata: { b: '2', a: 'é"\u0001' }, currency: null, expectedTotal: 100 };
    const [result] = resultsOf(await sendBatch(world, [wanted]));
    const alone = await sendAlone(world, wanted);
    expect(alone.status).toBe(201);
    expect(alone.headers.get('idempotent-replayed')).toBe('true');
    expect(alone.body).toEqual(result?.order);
    const [record] = await recordsOf(world.database, wanted.idempotencyKey);
    expect(record).toMatchObject({ operation: 'POST /v1/orders', status: 'completed', resource: `/v1/orders/${alone.body['id']}` });
    expect(record?.response_body.toString()).toBe(alone.text);
    const single = await sendAlone(world, { ...wanted, idempotencyKey: uuidv7() });
    for (const name of ['content-type', 'etag']) expect(alone.headers.get(name)).toBe(single.headers.get(name));
    expect(alone.headers.get('location')).toBe(`/v1/orders/${alone.body['id']}`);
    expect(alone.headers.get('operation-id')).toMatch(/^op_/);
    expect(await ordersOf(product)).toBe(2);
  });

  it('a refusal is stored under its key, and replays alone', async () => {
    const scarce = await addProduct(world.database, { stock: 1 });
    const items = [item(scarce), item(scarce)];
    const answer = await sendBatch(world, items);
    expect(statusesOf(answer)).toEqual([201, 409]);
    const alone = await sendAlone(world, items[1] as (typeof items)[1]);
    expectProblem(alone, 'insufficient-stock');
    expect(alone.headers.get('idempotent-replayed')).toBe('true');
    expect(resultsOf(answer)[1]?.problem).toEqual(alone.body);
    expect(await stockOf(world.database, scarce)).toBe(0);
  });

  it('an item that was sent before, alone or in another batch, has one effect and the same order', async () => {
    const product = await addProduct(world.database);
    const [first, second] = [item(product), item(product)];
    const alone = await sendAlone(world, first);
    const batch = await sendBatch(world, [first, second]);
    const other = await sendBatch(world, [second, first]);
    expect(resultsOf(batch)[0]?.order).toEqual(alone.body);
    expect(resultsOf(other).map(({ order }) => order?.['id'])).toEqual(
      resultsOf(batch)
        .map(({ order }) => order?.['id'])
        .toReversed(),
    );
    expect(await ordersOf(product)).toBe(2);
    expect(await stockOf(world.database, product)).toBe(998);
  });

  it('the same item twice has one effect and the same result; two different ones under one key: 422 for the second', async () => {
    const product = await addProduct(world.database);
    const key = uuidv7();
    const answer = await sendBatch(world, [item(product, key), item(product, `"${key}"`), item([product, '123'], key)]);
    expect(statusesOf(answer)).toEqual([201, 201, 422]);
    const [one, twin, different] = resultsOf(answer);
    expect(twin?.order).toEqual(one?.order);
    expect(different?.problem).toMatchObject({ code: 'idempotency-key-reused', retry: 'never' });
    expect(await ordersOf(product)).toBe(1);
  });

  it('the key of another request, or the batch’s own: 422 for that item; an expired one: 410', async () => {
    const product = await addProduct(world.database);
    const [used, expired, own] = [uuidv7(), uuidv7(), uuidv7()];
    await sendAlone(world, item(product, used));
    await insertArchived(world.database, expired, null);
    const answer = await sendBatch(world, [item([product, '123'], used), item(product, expired), item(product, own)], { key: own });
    expect(statusesOf(answer)).toEqual([422, 410, 422]);
    expect(resultsOf(answer).map(({ problem }) => problem?.['code'])).toEqual([
      'idempotency-key-reused',
      'idempotency-key-expired',
      'idempotency-key-reused',
    ]);
    expect(await ordersOf(product)).toBe(1);
    expect(await recordsOf(world.database, own)).toMatchObject([{ operation: 'POST /v1/orders/batch' }]);
  });

  it('a sealed key: 409 for that item, and nothing is executed for it', async () => {
    const product = await addProduct(world.database);
    const [sealed, free] = [item(product), item(product)];
    await world.send('POST', '/v1/operations/seal', { key: null, body: { idempotencyKey: sealed.idempotencyKey } });
    const answer = await sendBatch(world, [sealed, free]);
    expect(statusesOf(answer)).toEqual([409, 201]);
    expect(resultsOf(answer)[0]?.problem).toMatchObject({ code: 'idempotency-key-sealed', retry: 'new-key' });
    expect(await ordersOf(product)).toBe(1);
  });

  it('the batch’s key replays the whole answer, byte for byte', async () => {
    const product = await addProduct(world.database);
    const [items, key] = [[item(product), item('no-such')], uuidv7()];
    const first = await sendBatch(world, items, { key });
    const again = await sendBatch(world, items, { key });
    expect(again.text).toBe(first.text);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await ordersOf(product)).toBe(1);
    expectProblem(await sendBatch(world, items.slice(1), { key }), 'idempotency-key-reused');
  });

  it('who got a partial result sends the failed items again, under new keys, and nothing else happens twice', async () => {
    const scarce = await addProduct(world.database, { stock: 1 });
    const items = [item(scarce), item(scarce)];
    const first = await sendBatch(world, items);
    await setStock(world.database, 5, scarce);
    const failed = items.filter((_, index) => resultsOf(first)[index]?.status !== 201);
    expect(statusesOf(await sendBatch(world, failed))).toEqual([409]);
    expect(statusesOf(await sendBatch(world, [item(scarce)]))).toEqual([201]);
    expect(await ordersOf(scarce)).toBe(2);
  });
});

describe('all or none', () => {
  it('one failure undoes all: the others are 424, their keys are unused, and the answer is kept', async () => {
    const [product, scarce] = [await addProduct(world.database), await addProduct(world.database, { stock: 1 })];
    const [items, key] = [[item(product), item(scarce), item(scarce), item(product)], uuidv7()];
    const answer = await sendBatch(world, items, { atomic: true, key });
    expect(answer.status).toBe(200);
    expect(statusesOf(answer)).toEqual([424, 424, 409, 424]);
    expect(resultsOf(answer)[0]?.problem).toMatchObject({ code: 'batch-rolled-back', retry: 'never', type: '/problems/batch-rolled-back' });
    expect(resultsOf(answer)[2]?.problem).toMatchObject({ code: 'insufficient-stock', operationId: answer.headers.get('operation-id') });
    expect([await ordersOf(product), await ordersOf(scarce)]).toEqual([0, 0]);
    expect([await stockOf(world.database, product), await stockOf(world.database, scarce)]).toEqual([1_000, 1]);
    for (const { idempotencyKey } of items) expect(await recordsOf(world.database, idempotencyKey)).toEqual([]);
    expect((await sendBatch(world, items, { atomic: true, key })).text).toBe(answer.text);
    expect((await sendAlone(world, items[0] as (typeof items)[0])).headers.get('idempotent-replayed')).toBeNull();
  });

  it('without a failure all are there', async () => {
    const product = await addProduct(world.database, { stock: 3 });
    const items = [item(product), item(product), item(product)];
    expect(statusesOf(await sendBatch(world, items, { atomic: true }))).toEqual([201, 201, 201]);
    expect(await stockOf(world.database, product)).toBe(0);
    expect((await sendAlone(world, items[2] as (typeof items)[2])).headers.get('idempotent-replayed')).toBe('true');
  });

  it('a stored order counts as success and stays; a stored refusal counts as failure', async () => {
    const product = await addProduct(world.database);
    const [bought, refused] = [item(product), item('no-such')];
    const order = await sendAlone(world, bought);
    const refusal = await sendAlone(world, refused);
    const good = await sendBatch(world, [bought, item(product)], { atomic: true });
    expect(statusesOf(good)).toEqual([201, 201]);
    expect(resultsOf(good)[0]?.order).toEqual(order.body);
    const bad = await sendBatch(world, [bought, item(product), refused], { atomic: true });
    expect(statusesOf(bad)).toEqual([201, 424, 422]);
    expect(resultsOf(bad)[2]?.problem).toEqual(refusal.body);
    expect(await ordersOf(product)).toBe(2);
  });

  it('a key of another request rolls all back', async () => {
    const product = await addProduct(world.database);
    const used = item(product);
    await sendAlone(world, used);
    const answer = await sendBatch(world, [item(product), item([product, '123'], used.idempotencyKey)], { atomic: true });
    expect(statusesOf(answer)).toEqual([424, 422]);
    expect(await ordersOf(product)).toBe(1);
  });

  it('twins of the failed item fail as it does', async () => {
    const key = uuidv7();
    const product = await addProduct(world.database);
    const answer = await sendBatch(world, [item(product), item('no-such', key), item('no-such', key)], { atomic: true });
    expect(statusesOf(answer)).toEqual([424, 422, 422]);
    expect(await recordsOf(world.database, key)).toEqual([]);
  });
});

describe('before anything is executed', () => {
  const lines = (count: number) => Array.from({ length: count }, (_, at) => ({ productId: `p-${at}`, quantity: 1 }));

  it('an item that is not valid is 400 for the whole batch, with a pointer, and no key is used', async () => {
    const product = await addProduct(world.database);
    const [good, key] = [item(product), uuidv7()];
    const bad = { ...item(product), items: [{ productId: product, quantity: 0 }] };
    const answer = await sendBatch(world, [good, bad], { key });
    expectProblem(answer, 'invalid-request');
    expect(answer.body['errors']).toEqual([{ pointer: '/orders/1/items/0/quantity', detail: 'must not be less than 1' }]);
    for (const one of [good.idempotencyKey, key]) expect(await recordsOf(world.database, one)).toEqual([]);
    expect(await ordersOf(product)).toBe(0);
  });

  it.each([
    ['a key with a blank', [item('123', 'a b')], '/orders/0/idempotencyKey'],
    ['a key that is too long', [item('123', 'k'.repeat(256))], '/orders/0/idempotencyKey'],
    ['no key', [{ items: lines(1) }], '/orders/0/idempotencyKey'],
    ['an unknown member', [{ ...item('123'), colour: 'red' }], '/orders/0/colour'],
    ['no orders', [], '/orders'],
    ['101 orders', Array.from({ length: 101 }, () => item('123')), '/orders'],
    ['501 lines', Array.from({ length: 6 }, (_, at) => ({ ...item('123'), items: lines(at === 5 ? 1 : 100) })), '/orders'],
  ])('%s: 400', async (_, orders, pointer) => {
    const answer = await world.send('POST', '/v1/orders/batch', { body: { atomic: false, orders } });
    expectProblem(answer, 'invalid-request');
    expect(answer.body['errors'][0].pointer).toBe(pointer);
  });

  it('atomic or not has to be said; the batch needs a key; and a scope', async () => {
    expectProblem(await world.send('POST', '/v1/orders/batch', { body: { orders: [item('123')] } }), 'invalid-request');
    const body = { atomic: false, orders: [item('123')] };
    expectProblem(await world.send('POST', '/v1/orders/batch', { key: null, body }), 'idempotency-key-missing');
    expectProblem(await world.send('POST', '/v1/orders/batch', { as: null, body }), 'unauthenticated');
  });

  it('the largest batch of all is taken, and its answer can be kept', async () => {
    const names = Array.from({ length: 100 }, (_, at) => `big-${at}-${'x'.repeat(56)}`);
    await world.database.query(
      `INSERT INTO products (account_id, id, name, unit_price, currency, stock)
       SELECT $1, unnest($2::text[]), repeat('漢', 100), 999, 'EUR', 1000000`,
      [ACCOUNT_A, names],
    );
    const metadata = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`m${at}`, '\n'.repeat(70)]));
    const orders = Array.from({ length: 100 }, (_, at) => ({
      idempotencyKey: `${uuidv7()}${'k'.repeat(200)}`,
      items: Array.from({ length: 5 }, (__, line) => ({ productId: names[(at + line) % 100] as string, quantity: 1000 })),
      customerReference: 'r'.repeat(255),
      metadata,
    }));
    expect(Buffer.byteLength(JSON.stringify({ atomic: false, orders }))).toBeGreaterThan(800_000);
    const answer = await sendBatch(world, orders);
    expect(new Set(statusesOf(answer))).toEqual(new Set([201]));
    const [size] = await world.database.query<{ bytes: number }>(
      'SELECT octet_length(response_body) AS bytes FROM idempotency_records WHERE operation = $1 ORDER BY 1 DESC LIMIT 1',
      ['POST /v1/orders/batch'],
    );
    expect(size?.bytes).toBeGreaterThan(1_000_000);
  });
});

describe('stories', () => {
  it('the batch’s lists what each item came to, and the item’s says that it came in it', async () => {
    const product = await addProduct(world.database);
    const items = [item(product), item('no-such')];
    const answer = await sendBatch(world, items);
    const batch = answer.headers.get('operation-id') as string;
    const alone = await sendAlone(world, items[0] as (typeof items)[0]);
    const own = alone.headers.get('operation-id') as string;
    const lines = await timelineOf(batch);
    expect(lines.map(({ event }) => event)).toEqual(['claimed', 'item', 'item', 'settled']);
    expect(lines.slice(1, 3).map(({ detail }) => detail)).toEqual([`0: 201 ${own}`, expect.stringMatching(/^1: 422 op_/)]);
    expect(await timelineOf(own)).toEqual(
      expect.arrayContaining([expect.objectContaining({ event: 'batched', detail: `item 0 of ${batch}` })]),
    );
  });

  it('of a batch that was rolled back nothing is told but its own', async () => {
    const before = await countOf(world.database, 'idempotency_timeline', `event = 'batched'`);
    const answer = await sendBatch(world, [item('123'), item('no-such')], { atomic: true });
    const lines = await timelineOf(answer.headers.get('operation-id') as string);
    expect(lines.filter(({ event }) => event === 'item').map(({ detail }) => detail)).toEqual([
      '0: rolled back',
      expect.stringMatching(/^1: 422/),
    ]);
    expect(await countOf(world.database, 'idempotency_timeline', `event = 'batched'`)).toBe(before);
  });
});

it('the audit finds no difference', async () => {
  expect((await auditWorld(world)).differences).toEqual([]);
});
