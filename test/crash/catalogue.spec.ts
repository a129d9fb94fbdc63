import { v7 as uuidv7 } from 'uuid';
import { startWorld, type TestApp, type TestResponse, type World } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { addProduct, stockOf } from '../support/ledger.js';
import { startProcess } from '../support/process.js';
import { CommitProxy } from '../support/proxy.js';

let world: World;
let stocks: CommitProxy;
let products: CommitProxy;
/** A replica whose changes of products may lose their COMMIT. */
let behind: TestApp;
beforeAll(async () => {
  world = await startWorld();
  stocks = await CommitProxy.start(world.database.url, 'stock-changes-insert');
  products = await CommitProxy.start(world.database.url, 'INSERT INTO events', { stepwise: true });
  behind = await world.secondApp({ DATABASE_URL: products.url });
});
afterAll(async () => {
  await world.close();
  await Promise.all([stocks.close(), products.close()]);
});

describe('kill -9 of who changes a stock', () => {
  it.each([
    ['withhold', 'before its COMMIT has come: nothing is changed, and the retry does it', null],
    ['swallow', 'after its COMMIT: the retry is told what was done', 'true'],
  ] as const)('%s %s', async (fate, _what, replayed) => {
    const [api, product, key] = [await startProcess(stocks.url), await addProduct(world.database), uuidv7()];
    const request = { key, body: { change: -7, reason: 'breakage' }, headers: { prefer: 'wait=30' } };
    const path = `/v1/products/${product}/stock-changes`;
    const changes = () => world.database.query('SELECT change, reason FROM stock_changes WHERE product_id = $1 AND change < 0', [product]);
    stocks.met = 0;
    stocks.next(fate);
    const lost = api.send('POST', path, request).catch(() => null);
    await eventually('the COMMIT to be on its way', () => stocks.met === 1);
    if (replayed) await eventually('the change to be committed', async () => (await changes()).length === 1);
    await api.kill('SIGKILL');
    expect(await lost).toBeNull();
    const again = await world.send('POST', path, request);
    expect([again.status, again.body, again.headers.get('idempotent-replayed')]).toEqual([
      201,
      { productId: product, change: -7, stock: 993 },
      replayed,
    ]);
    expect(await changes()).toEqual([{ change: -7, reason: 'breakage' }]);
    expect(await stockOf(world.database, product)).toBe(993);
  });
});

describe.each(['cut-before', 'cut-after', 'cut-late'] as const)('a product whose COMMIT is lost (%s), sent again:', (fate) => {
  const LAMP = { name: 'Lamp', unitPrice: 2500 };
  const eventsOf = (id: string) =>
    world.database.query('SELECT type, resource_version AS version FROM events WHERE resource_id = $1 ORDER BY resource_version', [id]);

  /** Sends it while its COMMIT meets its fate, and then as often as a client does that hears nothing of it. */
  async function sendTwice(
    method: string,
    id: string,
    request: { body?: object; headers?: Record<string, string> },
  ): Promise<TestResponse> {
    products.met = 0;
    products.next(fate);
    const lost = await behind.send(method, `/v1/products/${id}`, request);
    expect(products.met).toBe(1);
    expect([lost.body['retry'], lost.headers.has('retry-after')]).toEqual(['same-key', true]);
    return eventually('an answer', async () => {
      const answer = await behind.send(method, `/v1/products/${id}`, request);
      return answer.status < 500 && answer;
    });
  }

  it('made once', async () => {
    const id = `p-${uuidv7()}`;
    const made = await sendTwice('PUT', id, { body: LAMP });
    // One that was made, of which nobody was told, is there.
    expect(made.status).toBe(fate === 'cut-before' ? 201 : 200);
    expect([made.headers.get('etag'), made.body]).toMatchObject(['"1"', LAMP]);
    expect(await eventsOf(id)).toEqual([{ type: 'product.created', version: 1 }]);
  });

  it('replaced once, also under the condition that names the version before', async () => {
    const id = `p-${uuidv7()}`;
    await world.send('PUT', `/v1/products/${id}`, { body: LAMP });
    const replaced = await sendTwice('PUT', id, { body: { ...LAMP, unitPrice: 2600 }, headers: { 'if-match': '"1"' } });
    expect([replaced.status, replaced.headers.get('etag')]).toEqual([200, '"2"']);
    expect(await eventsOf(id)).toEqual([
      { type: 'product.created', version: 1 },
      { type: 'product.updated', version: 2 },
    ]);
  });

  it('deleted once, also under the condition', async () => {
    const id = `p-${uuidv7()}`;
    await world.send('PUT', `/v1/products/${id}`, { body: LAMP });
    expect((await sendTwice('DELETE', id, { headers: { 'if-match': '"1"' } })).status).toBe(204);
    expect(await eventsOf(id)).toEqual([
      { type: 'product.created', version: 1 },
      { type: 'product.deleted', version: 2 },
    ]);
  });
});
