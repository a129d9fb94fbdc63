import { KEY_B, ORDER, startWorld } from '../support/app.js';
import { expectProblem } from '../support/problems.js';

interface Entry {
  id: string;
  status?: string;
}

let world: Awaited<ReturnType<typeof startWorld>>;
const made: Record<'orders' | 'tickets', string[]> = { orders: [], tickets: [] };
beforeAll(async () => {
  world = await startWorld();
  for (let n = 0; n < 25; n += 1) await make();
});
afterAll(() => world.close());

async function make(): Promise<void> {
  made.orders.push(String((await world.send('POST', '/v1/orders', { body: ORDER })).body['id']));
  const ticket = { subject: 's', description: 'd', priority: 'low' };
  made.tickets.push(String((await world.send('POST', '/v1/tickets', { body: ticket })).body['id']));
}

async function page(path: string, as?: string): Promise<{ ids: string[]; entries: Entry[]; next: string | null }> {
  const answer = await world.send('GET', path, as ? { as } : {});
  expect(answer.status).toBe(200);
  expect(Object.keys(answer.body)).toEqual(['data', 'nextCursor']);
  const entries = answer.body['data'] as Entry[];
  return { ids: entries.map((entry) => entry.id), entries, next: answer.body['nextCursor'] as string | null };
}

/** All ids of a list, page by page. */
async function walk(path: string, betweenPages?: () => Promise<void>): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const { ids, next } = await page(cursor ? `${path}&cursor=${cursor}` : path);
    seen.push(...ids);
    if (next) await betweenPages?.();
    cursor = next;
  }
  return seen;
}

describe.each(['orders', 'tickets'] as const)('GET /v1/%s', (kind) => {
  const newestFirst = () => made[kind].toReversed();

  it('is newest first and has 20 entries unless told otherwise', async () => {
    const { ids, next } = await page(`/v1/${kind}`);
    expect(ids).toEqual(newestFirst().slice(0, 20));
    expect(next).not.toBeNull();
    expect((await page(`/v1/${kind}?cursor=${String(next)}`)).ids).toEqual(newestFirst().slice(20));
  });

  it.each([1, 7, 24, 25, 26, 100])('is complete in pages of %i, each entry once', async (limit) => {
    expect(await walk(`/v1/${kind}?limit=${limit}`)).toEqual(newestFirst());
  });

  it('stays stable when entries come in between two pages', async () => {
    const before = newestFirst();
    expect(await walk(`/v1/${kind}?limit=10`, make)).toEqual(before);
    expect((await page(`/v1/${kind}?limit=1`)).ids).toEqual(newestFirst().slice(0, 1));
  });

  it('shows nothing of another account', async () => {
    const { ids, next } = await page(`/v1/${kind}`, KEY_B);
    expect([ids, next]).toEqual([[], null]);
    const { next: cursor } = await page(`/v1/${kind}?limit=5`);
    expect((await page(`/v1/${kind}?cursor=${String(cursor)}`, KEY_B)).ids).toEqual([]);
  });

  it.each([
    'limit=0',
    'limit=101',
    'limit=-1',
    'limit=1.5',
    'limit=abc',
    'limit=',
    'limit=1e1',
    'limit=0x10',
    'limit=99999999999999999999',
  ])('refuses %s', async (query) => {
    expectProblem(await world.send('GET', `/v1/${kind}?${query}`), 'invalid-request');
  });

  it.each([
    'cursor=',
    'cursor=nonsense',
    'cursor=%00',
    `cursor=${'x'.repeat(501)}`,
    `cursor=${Buffer.from('ord_x').toString('base64url')}`,
    'offset=5',
    'Limit=5',
  ])('refuses %s', async (query) => {
    expectProblem(await world.send('GET', `/v1/${kind}?${query}`), 'invalid-request');
  });

  it('refuses repeated names', async () => {
    for (const query of ['limit=1&limit=2', 'cursor=a&cursor=b', 'status=open&status=closed']) {
      expectProblem(await world.send('GET', `/v1/${kind}?${query}`), 'invalid-request');
    }
  });

  it('takes no cursor of another list', async () => {
    const other = kind === 'orders' ? 'tickets' : 'orders';
    const { next } = await page(`/v1/${other}?limit=1`);
    expectProblem(await world.send('GET', `/v1/${kind}?cursor=${String(next)}`), 'invalid-request');
  });
});

it('orders are filtered by status, page by page', async () => {
  const cancelled = made.orders.filter((_, n) => n % 5 === 0);
  for (const id of cancelled) await world.send('POST', `/v1/orders/${id}/cancel`, { body: {} });
  expect(await walk('/v1/orders?status=cancelled&limit=2')).toEqual(cancelled.toReversed());
  expect(await walk('/v1/orders?status=pending&limit=100')).toEqual(made.orders.filter((id) => !cancelled.includes(id)).toReversed());
  expect((await page('/v1/orders?status=paid')).ids).toEqual([]);
  for (const status of ['open', '', 'PENDING', 'pending,paid'])
    expectProblem(await world.send('GET', `/v1/orders?status=${status}`), 'invalid-request');
});

it('tickets are filtered by status', async () => {
  const [id = ''] = made.tickets;
  await world.send('PATCH', `/v1/tickets/${id}`, { headers: { 'if-match': '"1"' }, body: { status: 'closed' } });
  expect(await walk('/v1/tickets?status=closed&limit=1')).toEqual([id]);
  expect((await page('/v1/tickets?status=open&limit=100')).ids).not.toContain(id);
  expectProblem(await world.send('GET', '/v1/tickets?status=paid'), 'invalid-request');
});

describe('GET /v1/products', () => {
  it('shows the five demo products of a new account, by id from the last to the first', async () => {
    const { entries, next } = await page('/v1/products', KEY_B);
    expect(next).toBeNull();
    expect(entries.map((entry) => entry.id)).toEqual(['shackle', 'rope-10m', 'fender', 'anchor-small', '123']);
    expect(entries.at(-1)).toEqual({ id: '123', name: 'Harbour lamp', unitPrice: 2500, currency: 'EUR', stock: 10_000, version: 1 });
    expect(entries.some((entry) => (entry as unknown as { stock: number }).stock >= 100_000)).toBe(true);
  });

  it('comes in pages, and one by one', async () => {
    expect(await walk('/v1/products?limit=2')).toEqual(['shackle', 'rope-10m', 'fender', 'anchor-small', '123']);
    const one = await world.send('GET', '/v1/products/rope-10m');
    expect(one.body).toMatchObject({ id: 'rope-10m', unitPrice: 1890, currency: 'EUR' });
    for (const id of ['no-such', 'ROPE-10M', '%00', "x' OR '1'='1"])
      expectProblem(await world.send('GET', `/v1/products/${id}`), 'not-found');
  });

  it('shows the stock that orders leave', async () => {
    const before = (await world.send('GET', '/v1/products/fender', { as: KEY_B })).body['stock'] as number;
    await world.send('POST', '/v1/orders', { as: KEY_B, body: { items: [{ productId: 'fender', quantity: 4 }] } });
    expect((await world.send('GET', '/v1/products/fender', { as: KEY_B })).body['stock']).toBe(before - 4);
    expect((await world.send('GET', '/v1/products/fender')).body['stock']).toBe(5_000);
  });
});
