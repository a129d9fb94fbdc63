import type { BrowserContext, Page } from 'playwright-core';
import { v7 as uuidv7 } from 'uuid';
import { publicId } from '../../src/kernel/ids.js';
import { startWorld, type World } from '../support/app.js';
import { describeInBrowser } from '../support/browser.js';
import { Gate } from './support/gate.js';
import { openShop, reload, shopFiles } from './support/shop-page.js';

let world: World;
let gate: Gate;
let reference: string;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  gate = await Gate.start(world.url, shopFiles);
  reference = uuidv7();
});
afterEach(() => gate.close());
afterAll(() => world.close());

/** The one order of this test. */
async function theOrder(): Promise<string> {
  const orders = await world.database.query<{ id: string }>('SELECT id FROM orders WHERE customer_reference = $1', [reference]);
  expect(orders).toHaveLength(1);
  return publicId('ord', orders[0]?.id ?? '');
}

const keys = (): unknown[] => gate.writes.map(({ headers }) => headers['idempotency-key']);

/** Has the page prepare the order of this test; returns its key. */
const prepare = (page: Page): Promise<string> =>
  page.evaluate(async (customerReference) => {
    const intent = await globalThis.client.orders.prepare({ items: [{ productId: '123', quantity: 1 }], customerReference });
    return intent.key;
  }, reference);

/** Has the page finish what it finds pending; returns the ids of the orders. */
const finish = (page: Page): Promise<unknown[]> =>
  page.evaluate(async () => {
    const outcomes = await Promise.all((await globalThis.client.pending()).map((intent) => intent.send()));
    return outcomes.map((outcome) => (outcome.kind === 'done' ? (outcome.body as { id: string }).id : outcome));
  });

describeInBrowser('a shop in a browser', (browser) => {
  let context: BrowserContext;
  beforeEach(async () => {
    context = await browser().newContext();
  });
  afterEach(() => context.close());

  it('two tabs that finish one intent at once order once, with one request, and both are told', async () => {
    const [one, other] = [await openShop(context, gate.url), await openShop(context, gate.url)];
    const key = await prepare(one);
    const told = await Promise.all([finish(one), finish(other)]);
    const id = await theOrder();
    expect(told).toEqual([[id], [id]]);
    expect(keys()).toEqual([key]);
  });

  it('a tab that is closed while it sends is followed by the other one, under the same key', async () => {
    const [one, other] = [await openShop(context, gate.url), await openShop(context, gate.url)];
    const answered = gate.holdNext('after');
    const key = await prepare(one);
    void finish(one).catch(() => undefined);
    const answer = await answered;
    await one.close();
    answer.cut();
    expect(await finish(other)).toEqual([await theOrder()]);
    // The other one may come while the first one's request still runs, and again.
    expect(keys().length).toBeGreaterThan(1);
    expect(new Set(keys())).toEqual(new Set([key]));
  });

  it('what a tab had in its queue when it was closed is sent by the queue of the other one, once', async () => {
    const [one, other] = [await openShop(context, gate.url), await openShop(context, gate.url)];
    await other.evaluate(() => globalThis.client.queue.start());
    const key = await one.evaluate(async (customerReference) => {
      const order = { items: [{ productId: '123', quantity: 1 }], customerReference };
      return (await globalThis.client.orders.enqueue(order, { lane: 'till-3' })).key;
    }, reference);
    await one.close();
    expect(keys()).toEqual([]);
    await other.evaluate(() => globalThis.client.queue.wake());
    await other.waitForFunction(() => globalThis.client.queue.getSnapshot().entries[0]?.state === 'done');
    await theOrder();
    expect(keys()).toEqual([key]);
  });

  it.each([
    ['before the request arrives', 'before'],
    ['when the order is placed and its answer on the way', 'after'],
  ] as const)('taken offline %s, reloaded, and back online: one order', async (_when, moment) => {
    const page = await openShop(context, gate.url);
    // From now on the page comes from its service worker.
    await reload(page);
    const held = gate.holdNext(moment);
    await page.evaluate(async (customerReference) => {
      await globalThis.client.queue.start();
      await globalThis.client.orders.enqueue({ items: [{ productId: '123', quantity: 1 }], customerReference });
    }, reference);
    const request = await held;
    await context.setOffline(true);
    await reload(page);
    // Not earlier: Chromium itself sends a request again whose kept-alive connection ends without an answer.
    request.cut();
    const offline = await page.evaluate(async () => {
      await globalThis.client.queue.start();
      return globalThis.client.queue.getSnapshot();
    });
    expect(offline).toMatchObject({ online: false, entries: [{ state: 'waiting' }] });
    await context.setOffline(false);
    await page.waitForFunction(() => globalThis.client.queue.getSnapshot().entries[0]?.state === 'done');

    const [entry] = await page.evaluate(() => globalThis.client.queue.getSnapshot().entries);
    expect(entry?.outcome).toMatchObject({ kind: 'done', replayed: moment === 'after', body: { id: await theOrder() } });
    expect(keys()).toEqual([entry?.key, entry?.key]);
    expect(gate.writes[1]?.headers['retry-reason']).toBe('offline');
  });
});
