import { v7 as uuidv7 } from 'uuid';
import { ORDER, startWorld, type TestResponse } from '../support/app.js';
import { addProduct, countOf, stockOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const place = (body: unknown = ORDER): Promise<TestResponse> => world.send('POST', '/v1/orders', { body });
const idOf = async (body: unknown = ORDER): Promise<string> => String((await place(body)).body['id']);
const change = (id: string, ifMatch: string, body: unknown): Promise<TestResponse> =>
  world.send('PATCH', `/v1/orders/${id}`, { headers: { 'if-match': ifMatch }, body });
const cancel = (id: string, body?: unknown): Promise<TestResponse> => world.send('POST', `/v1/orders/${id}/cancel`, { body });
const get = (id: string, headers: Record<string, string> = {}): Promise<TestResponse> => world.send('GET', `/v1/orders/${id}`, { headers });

it('places an order and replays it byte for byte', async () => {
  const key = uuidv7();
  const first = await world.send('POST', '/v1/orders', { key, body: ORDER });
  expect(first.status).toBe(201);
  expect(first.headers.get('location')).toBe(`/v1/orders/${String(first.body['id'])}`);
  const again = await world.send('POST', '/v1/orders', { key, body: { items: [{ quantity: 1, productId: '123' }] } });
  expect(again.text).toBe(first.text);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(await countOf(world.database, 'orders')).toBe(1);
});

describe('POST /v1/orders', () => {
  it('answers 201 with the whole order, Location, ETag and JSON', async () => {
    const made = await place({
      items: [
        { productId: '123', quantity: 2 },
        { productId: 'shackle', quantity: 3 },
      ],
      currency: 'EUR',
      expectedTotal: 6350,
      customerReference: 'PO 7',
      metadata: { b: '2', a: '1' },
    });
    expect(made.status).toBe(201);
    expect(made.headers.get('content-type')).toMatch(/^application\/json/);
    expect(made.headers.get('etag')).toBe('"1"');
    expect(made.body).toEqual({
      id: expect.stringMatching(/^ord_[0-9a-hjkmnp-tv-z]{26}$/),
      status: 'pending',
      items: [
        { productId: '123', name: 'Harbour lamp', quantity: 2, unitPrice: 2500 },
        { productId: 'shackle', name: 'Bow shackle', quantity: 3, unitPrice: 450 },
      ],
      currency: 'EUR',
      total: 6350,
      customerReference: 'PO 7',
      metadata: { b: '2', a: '1' },
      version: 1,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updatedAt: made.body['createdAt'],
    });
    expect((await get(String(made.body['id']))).text).toBe(made.text);
  });

  it('keeps the price that was agreed, whatever becomes of the product', async () => {
    const product = await addProduct(world.database, { unitPrice: 100 });
    const id = await idOf({ items: [{ productId: product, quantity: 2 }] });
    await world.database.query(`UPDATE products SET unit_price = 999, name = 'Renamed' WHERE id = $1`, [product]);
    expect((await get(id)).body).toMatchObject({ total: 200, items: [{ name: 'A test product', unitPrice: 100 }] });
  });

  it('reserves the stock of every line', async () => {
    const [one, two] = [await addProduct(world.database), await addProduct(world.database)];
    await place({
      items: [
        { productId: two, quantity: 5 },
        { productId: one, quantity: 7 },
      ],
    });
    expect([await stockOf(world.database, one), await stockOf(world.database, two)]).toEqual([993, 995]);
  });

  it('takes the last piece, and refuses one more without reserving anything of the other lines', async () => {
    const [scarce, plenty] = [await addProduct(world.database, { stock: 3 }), await addProduct(world.database)];
    expect((await place({ items: [{ productId: scarce, quantity: 3 }] })).status).toBe(201);
    const refused = await place({
      items: [
        { productId: plenty, quantity: 1 },
        { productId: scarce, quantity: 1 },
      ],
    });
    expectProblem(refused, 'insufficient-stock');
    expect([await stockOf(world.database, scarce), await stockOf(world.database, plenty)]).toEqual([0, 1_000]);
  });

  it('refuses any unknown product, one of another account too', async () => {
    const foreign = await addProduct(world.database, { accountId: '018bcfe5-6800-7000-8000-00000000000b' });
    for (const productId of ['no-such', foreign, '123 '.trim() + 'x', '...', '-']) {
      expectProblem(await place({ items: [...ORDER.items, { productId, quantity: 1 }] }), 'unknown-product');
    }
  });

  it('goes up to 100 lines, quantities of 1000 and the largest amount', async () => {
    const products = await Promise.all(Array.from({ length: 100 }, () => addProduct(world.database)));
    const items = products.map((productId) => ({ productId, quantity: 1 }));
    const made = await place({ items });
    expect(made.body['total']).toBe(10_000);
    expect((made.body['items'] as { productId: string }[]).map((item) => item.productId)).toEqual(products);
    expectProblem(await place({ items: [...items, { productId: '123', quantity: 1 }] }), 'invalid-request');
    const dear = await addProduct(world.database, { unitPrice: 999_999_999, stock: 2_001 });
    const exact = await addProduct(world.database, { unitPrice: 999 });
    expect(
      (
        await place({
          items: [
            { productId: dear, quantity: 1000 },
            { productId: exact, quantity: 1 },
          ],
        })
      ).body['total'],
    ).toBe(999_999_999_999);
    const [other, one] = [await addProduct(world.database, { unitPrice: 999 }), await addProduct(world.database, { unitPrice: 1 })];
    expectProblem(
      await place({
        items: [
          { productId: dear, quantity: 1000 },
          { productId: other, quantity: 1 },
          { productId: one, quantity: 1 },
        ],
      }),
      'total-too-large',
    );
  });

  it('checks the total and the currency that the buyer was shown', async () => {
    for (const expectedTotal of [2501, 1, 999_999_999_999]) expectProblem(await place({ ...ORDER, expectedTotal }), 'total-mismatch');
    expectProblem(await place({ ...ORDER, currency: 'USD' }), 'currency-mismatch');
    expect((await place({ ...ORDER, currency: 'EUR', expectedTotal: 2500 })).status).toBe(201);
  });

  it('keeps texts as they were sent', async () => {
    const customerReference = ` ${'💡'.repeat(100)}\u0001\u007f"'\\--; DROP TABLE orders `;
    const metadata = { '': 'empty names are refused' };
    expectProblem(await place({ ...ORDER, metadata }), 'invalid-request');
    const id = await idOf({ ...ORDER, customerReference, metadata: { 'ключ "\\': '\n\t' } });
    expect((await get(id)).body).toMatchObject({ customerReference, metadata: { 'ключ "\\': '\n\t' } });
  });

  it('keeps metadata of any name', async () => {
    const metadata = { toString: 'b', hasOwnProperty: 'd', length: 'e', then: 'f', __defineGetter__: 'h' };
    const made = await place({ ...ORDER, metadata });
    expect(made.body['metadata']).toEqual(metadata);
    const changed = await change(String(made.body['id']), '"1"', { metadata: { ...metadata, valueOf: 'g' } });
    expect(changed.body['metadata']).toEqual({ ...metadata, valueOf: 'g' });
    expect((await get(String(made.body['id']))).text).toBe(changed.text);
  });

  it('takes 255 characters of reference and 50 texts of 500, and no more', async () => {
    const texts = (count: number, length: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'x'.repeat(length)]));
    const fitting = { ...ORDER, customerReference: 'r'.repeat(255), metadata: texts(50, 500) };
    expect((await place(fitting)).status).toBe(201);
    expectProblem(await place({ ...fitting, customerReference: 'r'.repeat(256) }), 'invalid-request');
    expectProblem(await place({ ...fitting, metadata: texts(51, 1) }), 'invalid-request');
    expectProblem(await place({ ...fitting, metadata: texts(1, 501) }), 'invalid-request');
  });
});

describe('GET /v1/orders/{id}', () => {
  it('has the ETag and answers 304 without a body to who has this version', async () => {
    const id = await idOf();
    const full = await get(id);
    expect([full.status, full.headers.get('etag')]).toEqual([200, '"1"']);
    for (const tag of ['"1"', 'W/"1"', '"0", "1"', '*']) {
      const unchanged = await get(id, { 'if-none-match': tag });
      expect([unchanged.status, unchanged.text, unchanged.headers.get('etag')]).toEqual([304, '', '"1"']);
    }
    for (const tag of ['"2"', '1', '"11"']) expect((await get(id, { 'if-none-match': tag })).status).toBe(200);
  });

  it.each([
    'ord_00000000000000000000000000',
    'ord_',
    'nonsense',
    'ord_zzzzzzzzzzzzzzzzzzzzzzzzzz',
    'tkt_01h455vb4pex5vsknk084sn02q',
    '0',
    'x'.repeat(300),
  ])('answers 404 for %s', async (id) => {
    expectProblem(await get(id), 'not-found');
  });

  it('takes ids as they were given out, not in upper case or as a uuid', async () => {
    const id = await idOf();
    expect((await get(id)).status).toBe(200);
    expectProblem(await get(id.toUpperCase()), 'not-found');
    expectProblem(await get(id.slice(4)), 'not-found');
    expectProblem(await get(id.replace('ord_', 'tkt_')), 'not-found');
  });
});

describe('PATCH /v1/orders/{id}', () => {
  it('changes what is given, keeps the rest and counts the version', async () => {
    const id = await idOf({ ...ORDER, customerReference: 'one', metadata: { a: '1' } });
    const renamed = await change(id, '"1"', { customerReference: 'two' });
    expect([renamed.status, renamed.headers.get('etag')]).toEqual([200, '"2"']);
    expect(renamed.body).toMatchObject({ customerReference: 'two', metadata: { a: '1' }, version: 2, total: 2500 });
    const retold = await change(id, '"2"', { metadata: { b: '2' } });
    expect(retold.body).toMatchObject({ customerReference: 'two', metadata: { b: '2' }, version: 3 });
    const cleared = await change(id, '"3"', { customerReference: null, metadata: {} });
    expect(cleared.body).toMatchObject({ customerReference: null, metadata: {}, version: 4 });
    expect((await get(id)).text).toBe(cleared.text);
    expect(cleared.headers.get('location')).toBeNull();
  });

  it('takes a list of tags and the star, by strong comparison', async () => {
    const id = await idOf();
    expectProblem(await change(id, 'W/"1"', {}), 'precondition-failed');
    expectProblem(await change(id, '1', {}), 'precondition-failed');
    expect((await change(id, '"9", "1"', {})).status).toBe(200);
    expect((await change(id, '*', {})).body['version']).toBe(3);
  });

  it('is refused with 412 when somebody else was first, with 428 when no version is named', async () => {
    const id = await idOf();
    expect((await change(id, '"1"', { customerReference: 'first' })).status).toBe(200);
    const stale = await change(id, '"1"', { customerReference: 'second' });
    expectProblem(stale, 'precondition-failed');
    expectProblem(await world.send('PATCH', `/v1/orders/${id}`, { body: { customerReference: 'third' } }), 'precondition-required');
    expect((await get(id)).body).toMatchObject({ customerReference: 'first', version: 2 });
  });

  it('of ten changes to one version at once one wins', async () => {
    const id = await idOf();
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => change(id, '"1"', { customerReference: `writer ${n}` })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array.from({ length: 9 }, () => 412)]);
    expect((await get(id)).body['version']).toBe(2);
  });

  it.each([{ items: [] }, { status: 'paid' }, { total: 1 }, { metadata: null }, { metadata: [] }, { customerReference: 1 }])(
    'refuses %j',
    async (body) => {
      const id = await idOf();
      expectProblem(await change(id, '"1"', body), 'invalid-request');
      expect((await get(id)).body['version']).toBe(1);
    },
  );
});

describe('POST /v1/orders/{id}/cancel', () => {
  it('cancels with an empty body or {}, gives the stock back and counts the version', async () => {
    const product = await addProduct(world.database);
    for (const body of [undefined, {}]) {
      const id = await idOf({ items: [{ productId: product, quantity: 10 }] });
      expect(await stockOf(world.database, product)).toBe(990);
      const cancelled = await cancel(id, body);
      expect([cancelled.status, cancelled.headers.get('etag')]).toEqual([200, '"2"']);
      expect(cancelled.body).toMatchObject({ id, status: 'cancelled', version: 2 });
      expect(await stockOf(world.database, product)).toBe(1_000);
    }
  });

  it('refuses the second time with 409, and the stock comes back once', async () => {
    const product = await addProduct(world.database);
    const id = await idOf({ items: [{ productId: product, quantity: 10 }] });
    const answers = await Promise.all(Array.from({ length: 8 }, () => cancel(id)));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    for (const answer of answers.filter((answer) => answer.status !== 200)) expectProblem(answer, 'order-not-cancellable');
    expect(await stockOf(world.database, product)).toBe(1_000);
  });

  it('refuses members, unknown orders and nothing else', async () => {
    const id = await idOf();
    expectProblem(await cancel(id, { reason: 'x' }), 'invalid-request');
    expectProblem(await cancel('ord_00000000000000000000000000'), 'not-found');
    expect((await cancel(id)).status).toBe(200);
  });

  it('beats a stale change: the change is refused', async () => {
    const id = await idOf();
    await cancel(id);
    expectProblem(await change(id, '"1"', { customerReference: 'late' }), 'precondition-failed');
  });
});
