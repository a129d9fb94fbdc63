import { v7 as uuidv7 } from 'uuid';
import { KEY_B, atOnce, startWorld, tally, type TestApp, type TestResponse, type World } from '../support/app.js';
import { ACCOUNT_A, addProduct, countOf, setStock, stockOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';

let world: World;
let other: TestApp;
beforeAll(async () => {
  world = await startWorld();
  other = await world.secondApp();
});
afterAll(() => world.close());

const fresh = (): string => `p-${uuidv7()}`;
const path = (id: string): string => `/v1/products/${id}`;
const LAMP = { name: 'Lamp', unitPrice: 2500 };

/** One of the two replicas, by turns. */
const either = (index: number): TestApp => (index % 2 ? other : world);

const put = (id: string, body: object = LAMP, headers: Record<string, string> = {}, on: TestApp = world): Promise<TestResponse> =>
  on.send('PUT', path(id), { body, headers });
const remove = (id: string, headers: Record<string, string> = {}): Promise<TestResponse> => world.send('DELETE', path(id), { headers });
const get = (id: string): Promise<TestResponse> => world.send('GET', path(id));
const change = (id: string, body: object, key = uuidv7(), on: TestApp = world): Promise<TestResponse> =>
  on.send('POST', `${path(id)}/stock-changes`, { key, body });
const order = (id: string, quantity = 1, on: TestApp = world): Promise<TestResponse> =>
  on.send('POST', '/v1/orders', { body: { items: [{ productId: id, quantity }] } });
const etag = (answer: TestResponse): string | null => answer.headers.get('etag');

/** Where a row stands, which even a lock or an update to the same values changes. */
const place = async (id: string): Promise<unknown> =>
  (
    await world.database.query('SELECT ctid::text, xmin::text, xmax::text FROM products WHERE account_id = $1 AND id = $2', [ACCOUNT_A, id])
  )[0];

describe('PUT', () => {
  it('makes a product in the account’s currency, without stock, and answers where it is', async () => {
    const id = fresh();
    const made = await put(id);
    expect(made.status).toBe(201);
    expect(made.body).toEqual({ id, ...LAMP, currency: 'EUR', stock: 0, version: 1 });
    expect([made.headers.get('location'), etag(made)]).toEqual([path(id), '"1"']);
    const read = await get(id);
    expect([read.body, etag(read)]).toEqual([made.body, '"1"']);
  });

  it('the same once more is 200 with the same ETag, and nothing is written', async () => {
    const id = fresh();
    await put(id);
    const before = await place(id);
    const again = await put(id);
    expect([again.status, etag(again), again.headers.get('location')]).toEqual([200, '"1"', null]);
    expect(await place(id)).toEqual(before);
  });

  it('replaces name and price, and orders keep theirs', async () => {
    const id = fresh();
    await put(id);
    await change(id, { change: 5 });
    const placed = await order(id);
    const replaced = await put(id, { name: 'Other', unitPrice: 1 });
    expect([replaced.status, etag(replaced)]).toEqual([200, '"2"']);
    expect(replaced.body).toMatchObject({ name: 'Other', unitPrice: 1, stock: 4 });
    const kept = await world.send('GET', `/v1/orders/${placed.body['id']}`);
    expect(kept.body['items']).toEqual([{ productId: id, quantity: 1, ...LAMP }]);
    expect((await order(id)).body).toMatchObject({ total: 1, items: [{ name: 'Other' }] });
  });

  it('If-None-Match: * makes only', async () => {
    const id = fresh();
    expect((await put(id, LAMP, { 'if-none-match': '*' })).status).toBe(201);
    expectProblem(await put(id, LAMP, { 'if-none-match': '*' }), 'precondition-failed');
    expectProblem(await put(id, { ...LAMP, unitPrice: 1 }, { 'if-none-match': '*' }), 'precondition-failed');
    expect((await get(id)).body['unitPrice']).toBe(2500);
  });

  it('If-Match replaces only the version that it names', async () => {
    const id = fresh();
    expectProblem(await put(id, LAMP, { 'if-match': '*' }), 'precondition-failed');
    expect(await countOf(world.database, 'products', 'id = $1', [id])).toBe(0);
    await put(id);
    const dearer = { ...LAMP, unitPrice: 2600 };
    expect(etag(await put(id, dearer, { 'if-match': '"1"' }))).toBe('"2"');
    // A retry, whose first try went through.
    const retry = await put(id, dearer, { 'if-match': '"1"' });
    expect([retry.status, etag(retry)]).toEqual([200, '"2"']);
    expectProblem(await put(id, LAMP, { 'if-match': '"1"' }), 'precondition-failed');
    expectProblem(await put(id, LAMP, { 'if-match': 'W/"2"' }), 'precondition-failed');
    expect((await put(id, LAMP, { 'if-match': '"7", "2"' })).status).toBe(200);
  });

  it('ignores an Idempotency-Key', async () => {
    const id = fresh();
    for (const unitPrice of [1, 2]) {
      const answer = await world.send('PUT', path(id), { key: 'the-same', body: { ...LAMP, unitPrice } });
      expect([answer.body['unitPrice'], answer.headers.get('operation-id')]).toEqual([unitPrice, null]);
    }
    expect((await world.send('DELETE', path(id), { key: 'not one, because\tof this' })).status).toBe(204);
    expect(await countOf(world.database, 'idempotency_records', `key = 'the-same'`)).toBe(0);
  });

  it.each([
    ['/name', { unitPrice: 1 }],
    ['/name', { name: '', unitPrice: 1 }],
    ['/name', { name: 'x'.repeat(101), unitPrice: 1 }],
    ['/name', { name: 7, unitPrice: 1 }],
    ['/unitPrice', { name: 'x' }],
    ['/unitPrice', { name: 'x', unitPrice: 0 }],
    ['/unitPrice', { name: 'x', unitPrice: 1_000_000_000_000 }],
    ['/unitPrice', { name: 'x', unitPrice: 1.5 }],
    ['/currency', { ...LAMP, currency: 'USD' }],
    ['/stock', { ...LAMP, stock: 1 }],
  ])('refuses a wrong %s (%#)', async (pointer, body) => {
    const id = fresh();
    const answer = await put(id, body);
    expectProblem(answer, 'invalid-request');
    expect(answer.body['errors']).toMatchObject([{ pointer }]);
    expect(await countOf(world.database, 'products', 'id = $1', [id])).toBe(0);
  });

  it('takes all that is within the limits, and orders tell the price to the last digit', async () => {
    const id = 'A.z_0-'.padEnd(64, '9');
    expect((await put(id, { name: '😀'.repeat(100), unitPrice: 999_999_999_999 })).status).toBe(201);
    await change(id, { change: 2000 });
    expect((await order(id)).body).toMatchObject({ total: 999_999_999_999, items: [{ unitPrice: 999_999_999_999 }] });
    expectProblem(await order(id, 2), 'total-too-large');
    expectProblem(await order(id, 1000), 'total-too-large');
    expect(await stockOf(world.database, id)).toBe(1999);
  });

  it.each(['a b', 'x'.repeat(65), 'a%2Fb', '%00', 'ä'])('an id that none can have is refused: %s', async (id) => {
    expectProblem(await put(id), 'invalid-request');
    expectProblem(await remove(id), 'not-found');
    expectProblem(await change(id, { change: 1 }), 'not-found');
    expectProblem(await get(id), 'not-found');
  });

  it('two at once converge: one row, each real change counted once', async () => {
    const id = fresh();
    const made = await atOnce(12, (index) => put(id, LAMP, {}, either(index)));
    expect(tally(made)).toEqual({ 200: 11, 201: 1 });
    expect(new Set(made.map(etag))).toEqual(new Set(['"1"']));
    const changed = await atOnce(12, (index) => put(id, { ...LAMP, unitPrice: 1 + (index % 3) }, {}, either(index)));
    expect(tally(changed)).toEqual({ 200: 12 });
    const [row] = await world.database.query<{ version: number; n: number }>('SELECT version, 1 AS n FROM products WHERE id = $1', [id]);
    // Every answer that shows a version shows the same one of it.
    const shown = new Map(changed.map((answer) => [etag(answer), answer.body['unitPrice'] as number]));
    for (const answer of changed) expect(answer.body['unitPrice']).toBe(shown.get(etag(answer)));
    expect(shown.size).toBe((row?.version ?? 0) - 1);
  });

  it('of two that make only, one does', async () => {
    const id = fresh();
    expect(tally(await atOnce(8, (index) => put(id, LAMP, { 'if-none-match': '*' }, either(index))))).toEqual({ 201: 1, 412: 7 });
  });

  it('of several that replace the same version, one does', async () => {
    const id = fresh();
    await put(id);
    const answers = await atOnce(8, (index) => put(id, { ...LAMP, unitPrice: index + 1 }, { 'if-match': '"1"' }, either(index)));
    expect(tally(answers)).toEqual({ 200: 1, 412: 7 });
    expect(etag(await get(id))).toBe('"2"');
  });
});

describe('DELETE', () => {
  it('takes the product away, again and again, and a PUT brings it back with its stock', async () => {
    const id = fresh();
    await put(id);
    await change(id, { change: 9 });
    expect((await order(id, 2)).status).toBe(201);
    const gone = [await remove(id), await remove(id)];
    expect(gone.map(({ status, text }) => [status, text])).toEqual([
      [204, ''],
      [204, ''],
    ]);
    expectProblem(await get(id), 'not-found');
    expect((await world.send('GET', '/v1/products?limit=100')).text).not.toContain(id);
    expectProblem(await order(id), 'unknown-product');
    expectProblem(await change(id, { change: 1 }), 'not-found');
    const back = await put(id);
    expect([back.status, etag(back), back.body['stock'], back.headers.get('location')]).toEqual([201, '"3"', 7, path(id)]);
    expect((await order(id)).status).toBe(201);
  });

  it('one that never was is not found', async () => {
    expectProblem(await remove(fresh()), 'not-found');
    expectProblem(await remove(fresh(), { 'if-match': '"1"' }), 'not-found');
  });

  it('If-Match deletes only that version', async () => {
    const id = fresh();
    await put(id);
    await put(id, { ...LAMP, unitPrice: 1 });
    expectProblem(await remove(id, { 'if-match': '"1"' }), 'precondition-failed');
    expect((await remove(id, { 'if-match': '"2"' })).status).toBe(204);
    // A retry, whose first try went through.
    expect((await remove(id, { 'if-match': '"2"' })).status).toBe(204);
    expectProblem(await put(id, LAMP, { 'if-match': '"3"' }), 'precondition-failed');
    expect((await put(id, LAMP, { 'if-none-match': '*' })).status).toBe(201);
  });

  it('an order for a deleted product can still be cancelled, and gives its stock back', async () => {
    const id = fresh();
    await put(id);
    await change(id, { change: 3 });
    const placed = await order(id, 3);
    await remove(id);
    expect((await world.send('POST', `/v1/orders/${placed.body['id']}/cancel`, { body: {} })).status).toBe(200);
    expect((await put(id)).body['stock']).toBe(3);
  });
});

describe('stock changes', () => {
  it('add and take once for each key, and are written down', async () => {
    const id = fresh();
    await put(id);
    const key = uuidv7();
    const first = await change(id, { change: 50, reason: 'delivery' }, key);
    expect([first.status, first.body]).toEqual([201, { productId: id, change: 50, stock: 50 }]);
    const again = await change(id, { change: 50, reason: 'delivery' }, key, other);
    expect([again.text, again.headers.get('idempotent-replayed')]).toEqual([first.text, 'true']);
    expect((await change(id, { change: -50 })).body).toEqual({ productId: id, change: -50, stock: 0 });
    expect(etag(await get(id))).toBe('"1"');
    const written = await world.database.query('SELECT change, reason FROM stock_changes WHERE product_id = $1 ORDER BY id', [id]);
    expect(written).toEqual([
      { change: 50, reason: 'delivery' },
      { change: -50, reason: null },
    ]);
  });

  it('never below zero, stored and replayed', async () => {
    const id = fresh();
    await put(id);
    await change(id, { change: 1 });
    const key = uuidv7();
    expectProblem(await change(id, { change: -2 }, key), 'insufficient-stock');
    await change(id, { change: 9 });
    expectProblem(await change(id, { change: -2 }, key), 'insufficient-stock');
    expect(await stockOf(world.database, id)).toBe(10);
  });

  it('never beyond what the column holds', async () => {
    const id = await addProduct(world.database);
    await setStock(world.database, 999_500_000, id);
    expectProblem(await change(id, { change: 500_001 }), 'stock-too-large');
    expect((await change(id, { change: 500_000 })).body['stock']).toBe(1_000_000_000);
    await setStock(world.database, 2_147_483_647, id);
    expectProblem(await change(id, { change: 1_000_000 }), 'stock-too-large');
    expect((await change(id, { change: -1 })).status).toBe(201);
  });

  it.each([
    ['/change', {}],
    ['/change', { change: 0 }],
    ['/change', { change: 1_000_001 }],
    ['/change', { change: -1_000_001 }],
    ['/change', { change: 0.5 }],
    ['/change', { change: '1' }],
    ['/reason', { change: 1, reason: 'x'.repeat(256) }],
    ['/why', { change: 1, why: 'x' }],
  ])('refuses a wrong %s (%#), and the key stays unused', async (pointer, body) => {
    const id = fresh();
    await put(id);
    const key = uuidv7();
    const answer = await change(id, body, key);
    expectProblem(answer, 'invalid-request');
    expect(answer.body['errors']).toMatchObject([{ pointer }]);
    expect((await change(id, { change: 1 }, key)).status).toBe(201);
  });

  it('at once with orders, each is counted', async () => {
    const id = fresh();
    await put(id);
    await change(id, { change: 100 });
    const answers = await atOnce(30, (index) =>
      index % 3 === 0 ? change(id, { change: -1 }, uuidv7(), either(index)) : order(id, 1, either(index)),
    );
    expect(tally(answers)).toEqual({ 201: 30 });
    expect(await stockOf(world.database, id)).toBe(70);
  });

  it('a key is needed', async () => {
    expectProblem(await world.send('POST', `${path('123')}/stock-changes`, { key: null, body: { change: 1 } }), 'idempotency-key-missing');
  });
});

it('accounts share nothing but the words of their ids', async () => {
  const id = fresh();
  await put(id);
  expectProblem(await world.send('GET', path(id), { as: KEY_B }), 'not-found');
  expectProblem(await world.send('DELETE', path(id), { as: KEY_B }), 'not-found');
  expect((await world.send('PUT', path(id), { as: KEY_B, body: { name: 'Theirs', unitPrice: 7 } })).status).toBe(201);
  expect((await get(id)).body).toMatchObject(LAMP);
});
