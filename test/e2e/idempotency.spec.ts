import { freshKey, KEY_B, requireService, send, sendUntilFinal, walk } from './client.js';

const ORDER = { items: [{ productId: '123', quantity: 1 }] };
const SAME_ORDER = { items: [{ quantity: 1, productId: '123' }] };

/** What a replay repeats of the headers. */
const STORED = ['content-type', 'location', 'etag', 'operation-id', 'link', 'idempotency-key', 'idempotency-expires'];

beforeAll(requireService);

it('places an order once and replays the answer byte for byte', async () => {
  const key = freshKey();
  const first = await send('POST', '/v1/orders', { key, body: ORDER });
  expect(first.status).toBe(201);
  expect(first.headers.get('idempotent-replayed')).toBeNull();
  expect(first.headers.get('location')).toBe(`/v1/orders/${first.body['id']}`);
  expect(first.headers.get('operation-id')).toMatch(/^op_[0-9a-z]{26}$/);
  // The members in another order, the key in the draft's quotes: the same request.
  for (const [sent, body] of [
    [key, ORDER],
    [key, SAME_ORDER],
    [`"${key}"`, ORDER],
  ] as const) {
    const again = await send('POST', '/v1/orders', { key: sent, body });
    expect(again.status).toBe(201);
    expect(again.text).toBe(first.text);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.headers.get('idempotency-key')).toBe(sent);
    for (const name of STORED.filter((header) => header !== 'idempotency-key')) {
      expect([name, again.headers.get(name)]).toEqual([name, first.headers.get(name)]);
    }
  }
});

it('50 equal requests at once make one order', async () => {
  const key = freshKey();
  const reference = `e2e ${key}`;
  const stock = await stockOf('rope-10m');
  const body = { items: [{ productId: 'rope-10m', quantity: 3 }], customerReference: reference };
  const responses = await Promise.all(Array.from({ length: 50 }, () => sendUntilFinal('/v1/orders', { key, body })));
  expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 201));
  expect(new Set(responses.map(({ text }) => text)).size).toBe(1);
  expect(responses.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
  const placed = (await walk('/v1/orders', 100, 3)).flat().filter((order) => order['customerReference'] === reference);
  expect(placed.map((order) => order['id'])).toEqual([responses[0]?.body['id']]);
  expect(await stockOf('rope-10m')).toBe(stock - 3);
});

it('waits for the running one where it is asked to', async () => {
  const key = freshKey();
  const request = { key, body: ORDER, headers: { prefer: 'wait=10' } };
  const responses = await Promise.all(Array.from({ length: 10 }, () => send('POST', '/v1/orders', request)));
  expect(new Set(responses.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(responses.filter(({ headers }) => headers.get('idempotent-replayed') === null)).toHaveLength(1);
});

it('refuses the key for another payload, path or method', async () => {
  const key = freshKey();
  const { body: order } = await send('POST', '/v1/orders', { key, body: ORDER });
  const others = [
    send('POST', '/v1/orders', { key, body: { items: [{ productId: '123', quantity: 2 }] } }),
    send('POST', '/v1/orders?a=1', { key, body: ORDER }),
    send('POST', `/v1/orders/${order['id']}/cancel`, { key, body: {} }),
  ];
  for (const { status, body } of await Promise.all(others)) {
    expect([status, body['code'], body['retry']]).toEqual([422, 'idempotency-key-reused', 'never']);
  }
});

it('needs a key, and a well-formed one', async () => {
  const missing = await send('POST', '/v1/orders', { key: null, body: ORDER });
  expect([missing.status, missing.body['code']]).toEqual([400, 'idempotency-key-missing']);
  const malformed = await send('POST', '/v1/orders', { key: 'k'.repeat(256), body: ORDER });
  expect([malformed.status, malformed.body['code']]).toEqual([400, 'idempotency-key-invalid']);
});

it('keeps the key unused when the request is not valid', async () => {
  const key = freshKey();
  const invalid = await send('POST', '/v1/orders', { key, body: { items: [] } });
  expect([invalid.status, invalid.body['code']]).toEqual([400, 'invalid-request']);
  const valid = await send('POST', '/v1/orders', { key, body: ORDER });
  expect([valid.status, valid.headers.get('idempotent-replayed')]).toEqual([201, null]);
});

it('stores a refusal of the domain, and replays it', async () => {
  const key = freshKey();
  const body = { items: [{ productId: 'e2e-no-such-product', quantity: 1 }] };
  const first = await send('POST', '/v1/orders', { key, body });
  expect([first.status, first.body['code']]).toEqual([422, 'unknown-product']);
  const again = await send('POST', '/v1/orders', { key, body });
  expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([422, first.text, 'true']);
});

it('keeps accounts apart: the same key is another one, and what is mine is nowhere for others', async () => {
  const key = freshKey();
  const mine = await send('POST', '/v1/orders', { key, body: ORDER });
  const theirs = await send('POST', '/v1/orders', { key, body: ORDER, as: KEY_B });
  expect([theirs.status, theirs.headers.get('idempotent-replayed')]).toEqual([201, null]);
  expect(theirs.body['id']).not.toBe(mine.body['id']);
  const foreign = await send('GET', `/v1/orders/${mine.body['id']}`, { as: KEY_B });
  expect([foreign.status, foreign.body['code']]).toEqual([404, 'not-found']);
});

async function stockOf(productId: string): Promise<number> {
  return (await send('GET', `/v1/products/${productId}`)).body['stock'] as number;
}
