import { v7 as uuidv7 } from 'uuid';
import { atOnce, startWorld, tally, type TestApp, type TestResponse, type World } from '../support/app.js';
import { addProduct, countOf, recordsOf, stockOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';
import { CommitProxy, type Fate } from '../support/proxy.js';

let world: World;
let proxy: CommitProxy;
let behind: TestApp;
beforeAll(async () => {
  world = await startWorld();
  proxy = await CommitProxy.start(world.database.url);
  behind = await world.secondApp({ DATABASE_URL: proxy.url });
});
beforeEach(() => {
  proxy.fate = () => 'pass';
  proxy.met = 0;
});
afterAll(async () => {
  await world.close();
  await proxy.close();
});

const place = (on: TestApp, key: string, productId: string, headers: Record<string, string> = {}): Promise<TestResponse> =>
  on.send('POST', '/v1/orders', { key, body: { items: [{ productId, quantity: 1 }] }, headers });

/** As a client does that obeys the verdict: the same key until the answer is final. */
async function placeUntilFinal(on: TestApp, key: string, productId: string): Promise<TestResponse> {
  for (let tries = 1; ; tries += 1) {
    const answer = await place(on, key, productId, { prefer: 'wait=10' });
    if (answer.status === 201 || tries === 20) return answer;
    expect(answer.body['retry']).toBe('same-key');
  }
}

it.each<Fate>(['cut-after', 'cut-late'])('a COMMIT that happened without an answer (%s) is read back: 201 once', async (fate) => {
  const product = await addProduct(world.database);
  const key = uuidv7();
  proxy.next(fate);
  const first = await place(behind, key, product);
  expect(proxy.met).toBe(1);
  const again = await place(world, key, product);
  expect(again.status).toBe(201);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expectFirstOrUnavailable(first, again);
  expect(await stockOf(world.database, product)).toBe(999);
});

it('a COMMIT that never arrived leaves nothing: 201 or 503, and then the same key gives one order', async () => {
  const product = await addProduct(world.database);
  const key = uuidv7();
  proxy.next('cut-before');
  const first = await place(behind, key, product);
  expect(proxy.met).toBe(1);
  expect(await recordsOf(world.database, key)).toHaveLength(first.status === 201 ? 1 : 0);
  expect(await stockOf(world.database, product)).toBe(first.status === 201 ? 999 : 1_000);
  const again = await place(behind, key, product);
  expect(again.status).toBe(201);
  expectFirstOrUnavailable(first, again);
  expect(await stockOf(world.database, product)).toBe(999);
  expect(await recordsOf(world.database, key)).toHaveLength(1);
});

it.each<Fate>(['cut-before', 'cut-after', 'cut-late'])('a duplicate that waits meanwhile (%s) shares the one effect', async (fate) => {
  const product = await addProduct(world.database);
  const key = uuidv7();
  proxy.next(fate);
  const answers = await atOnce(10, (n) => place(n % 2 ? behind : world, key, product, { prefer: 'wait=20' }));
  expect(answers.every((answer) => answer.status === 201 || answer.status === 503)).toBe(true);
  expect(new Set(answers.filter((answer) => answer.status === 201).map((answer) => answer.text)).size).toBe(1);
  expect(await stockOf(world.database, product)).toBe(999);
});

it('the service goes on after every connection of the pool was cut at once', async () => {
  const product = await addProduct(world.database);
  proxy.next('cut-before', 10);
  const keys = Array.from({ length: 10 }, () => uuidv7());
  await atOnce(10, (n) => place(behind, keys[n] ?? '', product));
  expect(tally(await atOnce(10, (n) => place(behind, keys[n] ?? '', product)))).toEqual({ 201: 10 });
  expect(await stockOf(world.database, product)).toBe(990);
});

it('forty orders through a line that loses every third COMMIT, one way or another, end with forty effects', async () => {
  const product = await addProduct(world.database);
  const fates: Fate[] = ['pass', 'cut-after', 'pass', 'cut-before', 'pass', 'pass', 'cut-late', 'pass'];
  let turn = 0;
  proxy.fate = () => fates[(turn += 1) % fates.length] ?? 'pass';
  const keys = Array.from({ length: 40 }, () => uuidv7());
  const answers = await atOnce(40, (n) => placeUntilFinal(behind, keys[n] ?? '', product));
  expect(tally(answers)).toEqual({ 201: 40 });
  expect(proxy.met).toBeGreaterThan(10);
  expect(await stockOf(world.database, product)).toBe(960);
  expect(await countOf(world.database, 'order_items', 'product_id = $1', [product])).toBe(40);
  const replays = await atOnce(40, (n) => place(world, keys[n] ?? '', product));
  expect(replays.map((answer) => answer.text)).toEqual(answers.map((answer) => answer.text));
});

/** The first answer was the very one that is replayed, or the advice to send the same key again. */
function expectFirstOrUnavailable(first: TestResponse, again: TestResponse): void {
  if (first.status !== 201) return expectProblem(first, 'service-unavailable');
  expect(first.text).toBe(again.text);
  expect(first.headers.has('idempotent-replayed')).toBe(false);
  for (const name of ['operation-id', 'idempotency-expires', 'location', 'etag'])
    expect(first.headers.get(name)).toBe(again.headers.get(name));
}
