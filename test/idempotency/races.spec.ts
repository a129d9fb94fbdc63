import { v7 as uuidv7 } from 'uuid';
import { atOnce, KEY_A, KEY_B, startWorld, tally, type TestApp, type TestResponse, type World } from '../support/app.js';
import { ACCOUNT_A, addProduct, countOf, recordsOf, stockOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';

let world: World;
let replica: TestApp;
beforeAll(async () => {
  world = await startWorld();
  replica = await world.secondApp();
});
afterAll(() => world.close());

const either = (n: number): TestApp => (n % 2 ? world : replica);
const place = (on: TestApp, key: string, body: unknown, headers: Record<string, string> = {}): Promise<TestResponse> =>
  on.send('POST', '/v1/orders', { key, body, headers });
const line = (productId: string, quantity = 1) => ({ productId, quantity });
const ordersOf = (productId: string) => countOf(world.database, 'order_items', 'product_id = $1', [productId]);

describe('fifty equal requests at once over two replicas', () => {
  it('have one effect; the others replay it or are told that it runs, and every later one replays the same bytes', async () => {
    const product = await addProduct(world.database);
    const body = { items: [line(product, 2)] };
    const key = uuidv7();
    const answers = await atOnce(50, (n) => place(either(n), key, body));
    const made = answers.filter((answer) => answer.status === 201);
    const busy = answers.filter((answer) => answer.status !== 201);
    expect(made.filter((answer) => !answer.headers.has('idempotent-replayed'))).toHaveLength(1);
    for (const answer of busy) expectProblem(answer, 'idempotency-request-in-progress');
    const later = await atOnce(50, (n) => place(either(n), key, body));
    expect(tally(later)).toEqual({ 201: 50 });
    expect(new Set([...made, ...later].map((answer) => answer.text)).size).toBe(1);
    expect(new Set([...made, ...later].map((answer) => answer.headers.get('operation-id'))).size).toBe(1);
    expect([await ordersOf(product), await stockOf(world.database, product)]).toEqual([1, 998]);
    expect(await recordsOf(world.database, key)).toHaveLength(1);
  });

  it('all get the one answer when they wait for it', async () => {
    const product = await addProduct(world.database);
    const key = uuidv7();
    const answers = await atOnce(50, (n) => place(either(n), key, { items: [line(product)] }, { prefer: 'wait=30' }));
    expect(tally(answers)).toEqual({ 201: 50 });
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(await ordersOf(product)).toBe(1);
  });

  it('have one refusal when they are refused', async () => {
    const product = await addProduct(world.database, { stock: 0 });
    const key = uuidv7();
    const answers = await atOnce(50, (n) => place(either(n), key, { items: [line(product)] }, { prefer: 'wait=30' }));
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    for (const answer of answers) expectProblem(answer, 'insufficient-stock');
    expect(await recordsOf(world.database, key)).toHaveLength(1);
  });

  it('on many keys at once have one effect each', async () => {
    const product = await addProduct(world.database);
    const keys = Array.from({ length: 20 }, () => uuidv7());
    const answers = await atOnce(200, (n) => place(either(n), keys[n % 20] ?? '', { items: [line(product)] }, { prefer: 'wait=30' }));
    expect(tally(answers)).toEqual({ 201: 200 });
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(20);
    expect(await stockOf(world.database, product)).toBe(980);
  });
});

it('of five different requests with one key at once one wins, the others learn that the key is taken', async () => {
  for (let round = 0; round < 5; round += 1) {
    const product = await addProduct(world.database);
    const key = uuidv7();
    const answers = await atOnce(10, (n) => place(either(n), key, { items: [line(product, 1 + (n >> 1))] }));
    const [made, ...others] = answers.filter((answer) => answer.status === 201);
    expect(others.every((answer) => answer.text === made?.text)).toBe(true);
    for (const answer of answers.filter((answer) => answer.status !== 201)) {
      expectProblem(answer, answer.status === 409 ? 'idempotency-request-in-progress' : 'idempotency-key-reused');
    }
    expect(await ordersOf(product)).toBe(1);
    const items = (made?.body['items'] ?? []) as { quantity: number }[];
    expect(await stockOf(world.database, product)).toBe(1_000 - (items[0]?.quantity ?? 0));
    const after = await atOnce(5, (n) => place(either(n), key, { items: [line(product, n + 1)] }));
    expect(tally(after)).toEqual({ 201: 1, 422: 4 });
  }
});

it('a request that fails validation and one that does not, with one key at once, leave one effect', async () => {
  const product = await addProduct(world.database);
  const key = uuidv7();
  const answers = await atOnce(20, (n) => place(either(n), key, { items: n % 2 ? [line(product)] : [] }, { prefer: 'wait=10' }));
  expect(answers.every((answer) => [201, 400, 409, 422].includes(answer.status))).toBe(true);
  expect(await ordersOf(product)).toBeLessThanOrEqual(1);
  expect((await place(world, key, { items: [line(product)] })).status).toBe(201);
  expect(await ordersOf(product)).toBe(1);
});

it('orders of the same products in opposite order never deadlock', async () => {
  const [one, two] = [await addProduct(world.database), await addProduct(world.database)];
  const before = await deadlocks();
  const answers = await atOnce(40, (n) => place(either(n), uuidv7(), { items: (n & 2 ? [one, two] : [two, one]).map((id) => line(id)) }));
  expect(tally(answers)).toEqual({ 201: 40 });
  expect([await stockOf(world.database, one), await stockOf(world.database, two)]).toEqual([960, 960]);
  expect(await deadlocks()).toBe(before);

  async function deadlocks(): Promise<number> {
    const [row] = await world.database.query<{ deadlocks: number }>(
      'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
    );
    return row?.deadlocks ?? 0;
  }
});

it('orders and cancellations of the same products at once leave the stock that the ledger says', async () => {
  const products = [await addProduct(world.database), await addProduct(world.database), await addProduct(world.database)];
  const body = (n: number) => ({ items: [0, 1, 2].map((at) => line(products[(n + at) % 3] ?? '')) });
  const placed = await atOnce(20, (n) => place(either(n), uuidv7(), body(n)));
  const mixed = await atOnce(40, (n) =>
    n < 20
      ? either(n).send('POST', `/v1/orders/${String(placed[n]?.body['id'])}/cancel`, { body: {} })
      : place(either(n), uuidv7(), body(n)),
  );
  expect(tally(mixed)).toEqual({ 200: 20, 201: 20 });
  for (const product of products) expect(await stockOf(world.database, product)).toBe(980);
});

it('the last piece is sold once under twenty racing orders', async () => {
  for (let round = 0; round < 3; round += 1) {
    const product = await addProduct(world.database, { stock: 1 });
    const keys = Array.from({ length: 20 }, () => uuidv7());
    const answers = await atOnce(20, (n) => place(either(n), keys[n] ?? '', { items: [line(product)] }));
    expect(tally(answers)).toEqual({ 201: 1, 409: 19 });
    for (const answer of answers.filter((answer) => answer.status === 409)) expectProblem(answer, 'insufficient-stock');
    expect([await ordersOf(product), await stockOf(world.database, product)]).toEqual([1, 0]);
    const replays = await atOnce(20, (n) => place(either(n + 1), keys[n] ?? '', { items: [line(product)] }));
    expect(replays.map((answer) => answer.text)).toEqual(answers.map((answer) => answer.text));
  }
});

it('a scarce stock is sold to the last piece, never below, when orders want different numbers', async () => {
  const product = await addProduct(world.database, { stock: 50 });
  const answers = await atOnce(60, (n) => place(either(n), uuidv7(), { items: [line(product, 1 + (n % 3))] }));
  const sold = answers.filter((answer) => answer.status === 201).flatMap((answer) => answer.body['items'] as { quantity: number }[]);
  const left = await stockOf(world.database, product);
  expect(sold.reduce((sum, item) => sum + item.quantity, 0)).toBe(50 - left);
  expect(left).toBeGreaterThanOrEqual(0);
  expect(left).toBeLessThan(3);
});

it('the same key in two accounts at once is two keys', async () => {
  const key = uuidv7();
  const body = { items: [line('rope-10m')] };
  const answers = await atOnce(20, (n) =>
    either(n >> 1).send('POST', '/v1/orders', { key, as: n % 2 ? KEY_A : KEY_B, body, headers: { prefer: 'wait=30' } }),
  );
  expect(tally(answers)).toEqual({ 201: 20 });
  expect(new Set(answers.map((answer) => answer.text)).size).toBe(2);
  expect(await recordsOf(world.database, key)).toHaveLength(2);
});

it('a retry that comes while the first one is being rolled back executes or is told to come back', async () => {
  const product = await addProduct(world.database);
  await world.database.query(`
    CREATE SEQUENCE failures;
    CREATE FUNCTION fail_first() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN IF NEW.product_id = '${product}' AND nextval('failures') <= 5 THEN RAISE EXCEPTION 'on purpose'; END IF; RETURN NEW; END $$;
    CREATE TRIGGER fail_first BEFORE INSERT ON order_items FOR EACH ROW EXECUTE FUNCTION fail_first()`);
  const key = uuidv7();
  const answers = await atOnce(30, (n) => place(either(n), key, { items: [line(product)] }, { prefer: 'wait=30' }));
  // A request that relied on what its process remembers of the product has met the failure twice.
  const { 201: placed = 0, 500: failed = 0 } = tally(answers);
  expect(placed + failed).toBe(30);
  expect(failed).toBeGreaterThanOrEqual(3);
  expect(failed).toBeLessThanOrEqual(5);
  expect(await ordersOf(product)).toBe(1);
  expect(await countOf(world.database, 'idempotency_records', 'account_id = $1 AND key = $2', [ACCOUNT_A, key])).toBe(1);
});
