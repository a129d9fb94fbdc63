import { freshKey, requireService, send, walk, type E2eResponse } from './client.js';

/** A product that no other test of this suite orders. */
const PRODUCT = 'shackle';

beforeAll(requireService);

async function stock(): Promise<number> {
  return (await send('GET', `/v1/products/${PRODUCT}`)).body['stock'] as number;
}

describe('the life of an order', () => {
  let placed: E2eResponse;
  let id: string;
  let path: string;
  let etag: string;
  let before: number;

  beforeAll(async () => {
    before = await stock();
    placed = await send('POST', '/v1/orders', {
      body: { items: [{ productId: PRODUCT, quantity: 2 }], expectedTotal: 900, currency: 'EUR', metadata: { b: '2', a: '1' } },
    });
    id = placed.body['id'] as string;
    path = `/v1/orders/${id}`;
    etag = placed.headers.get('etag') ?? '';
  });

  it('is placed at the prices of the catalogue', () => {
    expect(placed.status).toBe(201);
    expect(placed.body).toMatchObject({ status: 'pending', total: 900, currency: 'EUR', version: 1 });
  });

  it('reserves the stock', async () => expect(await stock()).toBe(before - 2));

  it('is read with its ETag, and not sent again to who has it', async () => {
    const read = await send('GET', path);
    expect([read.status, read.headers.get('etag')]).toEqual([200, etag]);
    expect(Object.keys(read.body['metadata'])).toEqual(['b', 'a']);
    const unchanged = await send('GET', path, { headers: { 'if-none-match': etag } });
    expect([unchanged.status, unchanged.text]).toEqual([304, '']);
  });

  it('is changed by who names its version only', async () => {
    const body = { customerReference: 'e2e' };
    const blind = await send('PATCH', path, { body });
    expect([blind.status, blind.body['code']]).toEqual([428, 'precondition-required']);
    const key = freshKey();
    const changed = await send('PATCH', path, { key, body, headers: { 'if-match': etag } });
    expect([changed.status, changed.body['version'], changed.body['customerReference']]).toEqual([200, 2, 'e2e']);
    const replayed = await send('PATCH', path, { key, body, headers: { 'if-match': etag } });
    expect([replayed.status, replayed.text]).toEqual([200, changed.text]);
    const stale = await send('PATCH', path, { body, headers: { 'if-match': etag } });
    expect([stale.status, stale.body['code']]).toEqual([412, 'precondition-failed']);
    etag = changed.headers.get('etag') ?? '';
    expect((await send('GET', path)).headers.get('etag')).toBe(etag);
  });

  it('is cancelled once, which gives the stock back', async () => {
    const key = freshKey();
    const cancelled = await send('POST', `${path}/cancel`, { key });
    expect([cancelled.status, cancelled.body['status']]).toEqual([200, 'cancelled']);
    expect(await stock()).toBe(before);
    const replayed = await send('POST', `${path}/cancel`, { key });
    expect([replayed.status, replayed.text, replayed.headers.get('idempotent-replayed')]).toEqual([200, cancelled.text, 'true']);
    const again = await send('POST', `${path}/cancel`);
    expect([again.status, again.body['code']]).toEqual([409, 'order-not-cancellable']);
    expect(await stock()).toBe(before);
  });

  it('is found among the cancelled ones', async () => {
    const { body } = await send('GET', '/v1/orders?status=cancelled&limit=100');
    expect((body['data'] as { id: string }[]).map((order) => order.id)).toContain(id);
  });
});

it('sells nothing that is not there', async () => {
  const { status, body } = await send('POST', '/v1/orders', { body: { items: [{ productId: 'anchor-small', quantity: 1000 }] } });
  expect([status, body['code'], body['retry']]).toEqual([409, 'insufficient-stock', 'new-key']);
});

it('lists newest first, page by page, each order once', async () => {
  const made: string[] = [];
  for (let n = 0; n < 5; n += 1) {
    const { body } = await send('POST', '/v1/orders', { body: { items: [{ productId: '123', quantity: 1 }] } });
    made.unshift(body['id'] as string);
  }
  const pages = await walk('/v1/orders', 2, 4);
  const listed = pages.flat().map((order) => order['id'] as string);
  expect(new Set(listed).size).toBe(listed.length);
  expect(listed.toSorted().toReversed()).toEqual(listed);
  expect(listed.filter((id) => made.includes(id))).toEqual(made);
  const nonsense = await send('GET', '/v1/orders?cursor=nonsense');
  expect([nonsense.status, nonsense.body['code']]).toEqual([400, 'invalid-request']);
});

it('walks the catalogue to its end', async () => {
  const pages = await walk('/v1/products', 2);
  expect(pages.slice(0, -1).map((page) => page.length)).toEqual(pages.slice(0, -1).map(() => 2));
  expect(pages.flat().map((product) => product['id'])).toEqual(expect.arrayContaining(['123', 'rope-10m', PRODUCT]));
});
