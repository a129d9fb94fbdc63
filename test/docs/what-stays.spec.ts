import { v7 as uuidv7 } from 'uuid';
import { parseConfig } from '../../src/kernel/config.js';
import { Purger } from '../../src/idempotency/records/purger.js';
import { RETRY_REASONS } from '../../src/idempotency/index.js';
import type { TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { addProduct, countOf } from '../support/ledger.js';
import { startPaymentWorld, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { marked, read, rowsOf } from './markdown.js';

let world: PaymentWorld;
const products: string[] = [];
beforeAll(async () => {
  // Nothing is purged or asked for again while something else is measured.
  world = await startPaymentWorld({ IDEMPOTENCY_RECOVERY_INTERVAL: '1h', IDEMPOTENCY_PURGE_INTERVAL: '20d' });
  for (let n = 0; n < 100; n += 1) products.push(await addProduct(world.database, { stock: 1_000_000 }));
}, 60_000);
afterAll(() => world.close());

/** Text of four bytes a character, which can't be compressed. */
const wide = (length: number): string =>
  Array.from({ length }, () => String.fromCodePoint(0x20000 + Math.floor(Math.random() * 0xa000))).join('');
const WIDEST = {
  order: (): unknown => ({
    items: products.map((productId) => ({ productId, quantity: 1000 })),
    customerReference: wide(255),
    metadata: Object.fromEntries(Array.from({ length: 50 }, () => [wide(255), wide(500)])),
  }),
  ticket: (): unknown => ({ subject: wide(255), description: wide(10_000), priority: 'normal' }),
};
const two = (): unknown => ({ items: ['123', products[0]].map((productId) => ({ productId, quantity: 1 })) });

async function expectStatus(sent: Promise<TestResponse>, status: number): Promise<TestResponse> {
  const answer = await sent;
  if (answer.status !== status) throw new Error(answer.text);
  return answer;
}
const post = (path: string, body: unknown, status = 201): Promise<TestResponse> => expectStatus(world.send('POST', path, { body }), status);

/** Tables with their indexes and what PostgreSQL stores aside, in bytes. */
async function bytesOf(tables: string): Promise<number> {
  const [row] = await world.database.query<{ bytes: string }>(
    `SELECT sum(pg_total_relation_size(oid)) AS bytes FROM pg_class
      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname SIMILAR TO $1`,
    [tables],
  );
  return Number(row?.bytes);
}

/** Records go after their window, events after 30 days. */
const PURGED = '(idempotency|events)%';

/** What one thing leaves: all of it, and the rows that no purge takes; in bytes. */
interface Left {
  all: number;
  forEver: number;
}

async function leftBy(count: number, make: (n: number) => Promise<unknown>): Promise<Left> {
  const [all, purged] = [await bytesOf('%'), await bytesOf(PURGED)];
  for (let n = 0; n < count; n += 10) await Promise.all(Array.from({ length: Math.min(10, count - n) }, (_, k) => make(n + k)));
  const more = (await bytesOf('%')) - all;
  return { all: more / count, forEver: (more - ((await bytesOf(PURGED)) - purged)) / count };
}

/** Everything completed goes into the archive; returns what it takes there for each, in bytes. */
async function archivedBytes(): Promise<number> {
  await world.database.query(`UPDATE idempotency_records SET expires_at = now() WHERE status = 'completed'`);
  const { archived } = await world.app.get(Purger, { strict: false }).purge();
  return (await bytesOf('idempotency_archive')) / archived;
}

/** Each reason that a client can have, and none. */
async function replay(key: string, body: unknown): Promise<void> {
  for (const reason of ['', ...RETRY_REASONS]) {
    await expectStatus(world.send('POST', '/v1/orders', { key, body, headers: reason === '' ? {} : { 'retry-reason': reason } }), 201);
  }
}

/** Payments without an outcome, and as many lines of each as a timeline keeps, as long as they can be. */
async function leaveUnfinished(orders: PlacedOrder[]): Promise<void> {
  await Promise.all(orders.map((order) => expectStatus(world.pay(order), 202)));
  await world.database.query(
    `INSERT INTO idempotency_timeline (account_id, operation_id, at, event, detail)
     SELECT account_id, operation_id, now(), 'parked', substr(repeat(md5(random()::text), 20), 1, 500)
       FROM idempotency_records, generate_series(1, 79) AS n WHERE status = 'running'`,
  );
}

const LEFT = new Map<string, Left>();
beforeAll(async () => {
  LEFT.set('an order with two items', await leftBy(400, () => post('/v1/orders', two())));
  LEFT.set('a refusal', await leftBy(400, () => post('/v1/orders', { items: [{ productId: 'unheard-of', quantity: 1 }] }, 422)));
  const orders = await Promise.all(Array.from({ length: 120 }, () => world.placeOrder()));
  const paid = orders.splice(0, 100);
  LEFT.set('a payment', await leftBy(paid.length, (n) => expectStatus(world.pay(paid[n] as PlacedOrder), 201)));
  const replayed = Array.from({ length: 100 }, () => uuidv7());
  for (const key of replayed) await expectStatus(world.send('POST', '/v1/orders', { key, body: two() }), 201);
  const replays = await leftBy(1, async () => {
    const body = two();
    await Promise.all(replayed.map((key) => replay(key, body)));
    const rows = replayed.length * (1 + RETRY_REASONS.length);
    await eventually('the replays to be counted', async () => (await countOf(world.database, 'idempotency_replays')) === rows);
  });
  LEFT.set('all replays of one answer', { all: replays.all / replayed.length, forEver: 0 });
  LEFT.set('its line in the archive', { all: await archivedBytes(), forEver: 0 });
  await world.faults({ refuse: 1 });
  const unfinished = await leftBy(1, () => leaveUnfinished(orders));
  LEFT.set('a payment without an outcome', { all: unfinished.all / orders.length, forEver: unfinished.forEver / orders.length });
  await world.database.query(`UPDATE products SET name = $1`, [wide(100)]);
  LEFT.set('the largest order', await leftBy(12, () => post('/v1/orders', WIDEST.order())));
  LEFT.set('the largest ticket', await leftBy(40, () => post('/v1/tickets', WIDEST.ticket())));
}, 180_000);

const kilobytes = (stated: string): number => (stated === '–' ? 0 : Number(/^([\d.]+) kB$/.exec(stated)?.[1]));

/** Bounds that are not much more than what is measured: pages of few rows are not full. */
describe('what stays of requests', () => {
  const rows = rowsOf(marked(read('docs/production.md'), 'what-stays'));

  it('is stated of each kind', () => {
    expect(rows.map(([kind]) => kind).sort()).toEqual([...LEFT.keys()].sort());
  });

  it.each(rows)('%s: %s, of which %s for ever', (kind, all = '', forEver = '', hourly = '') => {
    const left = LEFT.get(kind ?? '') as Left;
    expect(left.all).toBeLessThanOrEqual(kilobytes(all) * 1_000);
    expect(left.all).toBeGreaterThanOrEqual(kilobytes(all) * 500);
    expect(left.forEver).toBeLessThanOrEqual(kilobytes(forEver) * 1_000);
    const { requests, milliseconds } = parseConfig({}).rateLimit;
    const gigabytes = (kilobytes(all) * requests * (3_600_000 / milliseconds)) / 1_000_000;
    if (hourly !== '–') expect(hourly).toBe(`${gigabytes.toLocaleString('en', { maximumSignificantDigits: 2 })} GB`);
  });
});
