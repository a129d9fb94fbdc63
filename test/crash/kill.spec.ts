import { v7 as uuidv7 } from 'uuid';
import { atOnce, startWorld, tally, type TestResponse } from '../support/app.js';
import { item, resultsOf, sendAlone, sendBatch, statusesOf } from '../support/batches.js';
import { eventually } from '../support/eventually.js';
import { addProduct, countOf, recordsOf, stockOf } from '../support/ledger.js';
import { blockedBackends, holdProduct, untilBlocked } from '../support/locks.js';
import { startProcess, type ApiProcess } from '../support/process.js';
import { CommitProxy } from '../support/proxy.js';

/** The replica that survives; the other ones are processes, which die. */
let world: Awaited<ReturnType<typeof startWorld>>;
let proxy: CommitProxy;
const started: ApiProcess[] = [];
beforeAll(async () => {
  world = await startWorld();
  proxy = await CommitProxy.start(world.database.url);
});
beforeEach(() => {
  proxy.fate = () => 'pass';
  proxy.met = 0;
});
afterAll(async () => {
  await Promise.all(started.map((api) => api.kill('SIGKILL')));
  await proxy.close();
  await world.close();
});

async function start(): Promise<ApiProcess> {
  const api = await startProcess(proxy.url);
  started.push(api);
  return api;
}

const bodyOf = (productId: string) => ({ items: [{ productId, quantity: 1 }] });
/** An answer, or null when the connection broke first. */
const place = (on: Pick<ApiProcess, 'send'>, key: string, productId: string): Promise<TestResponse | null> =>
  on.send('POST', '/v1/orders', { key, body: bodyOf(productId) }).catch(() => null);
const retry = (key: string, productId: string): Promise<TestResponse> =>
  world.send('POST', '/v1/orders', { key, body: bodyOf(productId), headers: { prefer: 'wait=30', 'retry-reason': 'connection' } });

describe('kill -9', () => {
  it('before COMMIT reached PostgreSQL leaves nothing, and the key is free at once', async () => {
    const [api, product, key] = [await start(), await addProduct(world.database), uuidv7()];
    proxy.next('withhold');
    const first = place(api, key, product);
    await eventually('the COMMIT to be on its way', () => proxy.met === 1);
    await api.kill('SIGKILL');
    expect(await first).toBeNull();
    const again = await retry(key, product);
    expect(again.status).toBe(201);
    expect(again.headers.has('idempotent-replayed')).toBe(false);
    expect([await recordsOf(world.database, key), await stockOf(world.database, product)]).toEqual([[expect.anything()], 999]);
  });

  it('after COMMIT and before the answer: the retry gets the answer that the first try made', async () => {
    const [api, product, key] = [await start(), await addProduct(world.database), uuidv7()];
    proxy.next('swallow');
    const first = place(api, key, product);
    const [record] = await eventually('the record to be committed', async () => {
      const records = await recordsOf(world.database, key);
      return records.length > 0 && records;
    });
    await api.kill('SIGKILL');
    expect(await first).toBeNull();
    const again = await retry(key, product);
    expect(again.status).toBe(201);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.text).toBe(record?.response_body.toString());
    expect((await world.send('GET', String(again.headers.get('location')))).text).toBe(again.text);
    expect(await stockOf(world.database, product)).toBe(999);
  });

  it.each(['at once', 'after the orphan was found'])('while its backend waits for a lock, freed %s: one effect', async (when) => {
    const [api, product, key] = [await start(), await addProduct(world.database), uuidv7()];
    const held = await holdProduct(world.database, product);
    const first = place(api, key, product);
    const [orphan = 0] = await untilBlocked(world.database);
    await api.kill('SIGKILL');
    expect(await first).toBeNull();
    if (when === 'at once') await held.release();
    const again = retry(key, product);
    if (when !== 'at once') {
      await eventually('the orphaned backend to be ended and the retry to wait in its place', async () => {
        const waiting = await blockedBackends(world.database);
        return waiting.length === 1 && !waiting.includes(orphan);
      });
      await held.release();
    }
    expect((await again).status).toBe(201);
    expect(await countOf(world.database, 'order_items', 'product_id = $1', [product])).toBe(1);
    expect(await stockOf(world.database, product)).toBe(999);
  });

  it.each(['withhold', 'swallow'] as const)('in the middle of a batch of 100 (COMMIT %s), sent again: each item once', async (fate) => {
    const [api, product, key] = [await start(), await addProduct(world.database), uuidv7()];
    const items = Array.from({ length: 100 }, () => item(product));
    proxy.next(fate);
    const first = sendBatch(api, items, { key }).catch(() => null);
    await eventually('the COMMIT to be on its way', () => proxy.met === 1);
    await api.kill('SIGKILL');
    expect(await first).toBeNull();
    const again = await sendBatch(world, items, { key, headers: { prefer: 'wait=30', 'retry-reason': 'connection' } });
    expect(statusesOf(again)).toEqual(items.map(() => 201));
    expect(await countOf(world.database, 'order_items', 'product_id = $1', [product])).toBe(100);
    expect(await stockOf(world.database, product)).toBe(900);
    const alone = await sendAlone(world, items[99] as (typeof items)[99]);
    expect(alone.body).toEqual(resultsOf(again)[99]?.order);
  });

  it('while a batch of 100 waits for a product, freed after the kill: each item once', async () => {
    const [api, product, key] = [await start(), await addProduct(world.database), uuidv7()];
    const items = Array.from({ length: 100 }, () => item(product));
    const held = await holdProduct(world.database, product);
    const first = sendBatch(api, items, { key }).catch(() => null);
    await untilBlocked(world.database);
    await api.kill('SIGKILL');
    expect(await first).toBeNull();
    await held.release();
    const again = await sendBatch(world, items, { key, headers: { prefer: 'wait=30' } });
    expect(statusesOf(again)).toEqual(items.map(() => 201));
    expect([await countOf(world.database, 'order_items', 'product_id = $1', [product]), await stockOf(world.database, product)]).toEqual([
      100, 900,
    ]);
  });

  it('under load: every order that was acknowledged is there, and retries of the others make each exactly once', async () => {
    const [api, product] = [await start(), await addProduct(world.database)];
    const keys = Array.from({ length: 120 }, () => uuidv7());
    // The last ones never commit, so that the process dies before it is done, however late this one sees its answers.
    let commits = 0;
    proxy.fate = () => ((commits += 1) > 100 ? 'withhold' : 'pass');
    let answered = 0;
    const firsts = await atOnce(keys.length, async (n) => {
      const answer = await place(api, keys[n] ?? '', product);
      if ((answered += 1) === 20) api.signal('SIGKILL');
      return answer;
    });
    await api.ended;
    proxy.fate = () => 'pass';
    const acknowledged = firsts.filter((answer) => answer !== null).filter((answer) => answer.status === 201);
    expect(acknowledged.length).toBeGreaterThanOrEqual(1);
    expect(acknowledged.length).toBeLessThan(keys.length);
    const answers = await atOnce(keys.length, (n) => retry(keys[n] ?? '', product));
    expect(tally(answers)).toEqual({ 201: keys.length });
    const told = new Map(acknowledged.map((answer) => [answer.headers.get('operation-id'), answer.text]));
    const later = new Map(answers.map((answer) => [answer.headers.get('operation-id'), answer.text]));
    expect([...told].filter(([operation, text]) => later.get(operation) !== text)).toEqual([]);
    expect(await stockOf(world.database, product)).toBe(1_000 - keys.length);
    expect(await countOf(world.database, 'order_items', 'product_id = $1', [product])).toBe(keys.length);
  });
});
