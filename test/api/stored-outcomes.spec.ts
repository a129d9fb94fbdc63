import { v7 as uuidv7 } from 'uuid';
import { ORDER, startWorld, type TestApp, type TestResponse, type World } from '../support/app.js';
import { addProduct, countOf, recordsOf, setStock, stockOf } from '../support/ledger.js';
import { expectProblem, type ContractCode } from '../support/problems.js';

let world: World;
let replica: TestApp;
beforeAll(async () => {
  world = await startWorld();
  replica = await world.secondApp();
});
afterAll(() => world.close());

const order = async (): Promise<string> => String((await world.send('POST', '/v1/orders', { body: ORDER })).body['id']);
const NO_ORDER = 'ord_00000000000000000000000000';

type Refused = { method?: string; path?: string; headers?: Record<string, string>; body: unknown };

describe('a refusal of the domain is stored and replayed', () => {
  const refusals: [ContractCode, () => Promise<Refused>][] = [
    ['unknown-product', async () => ({ body: { items: [{ productId: 'no-such', quantity: 1 }] } })],
    ['insufficient-stock', async () => ({ body: { items: [{ productId: await addProduct(world.database, { stock: 2 }), quantity: 3 }] } })],
    ['total-mismatch', async () => ({ body: { ...ORDER, expectedTotal: 2499 } })],
    ['currency-mismatch', async () => ({ body: { ...ORDER, currency: 'USD' } })],
    [
      'total-too-large',
      async () => ({ body: { items: [{ productId: await addProduct(world.database, { unitPrice: 999_999_999_999 }), quantity: 1000 }] } }),
    ],
    [
      'precondition-failed',
      async () => ({ method: 'PATCH', path: `/v1/orders/${await order()}`, headers: { 'if-match': '"7"' }, body: {} }),
    ],
    ['not-found', async () => ({ method: 'PATCH', path: `/v1/orders/${NO_ORDER}`, headers: { 'if-match': '"1"' }, body: {} })],
    ['not-found', async () => ({ path: `/v1/orders/${NO_ORDER}/cancel`, body: {} })],
    ['not-found', async () => ({ path: '/v1/tickets', body: { subject: 's', description: 'd', priority: 'low', orderId: NO_ORDER } })],
    [
      'not-found',
      async () => ({ method: 'PATCH', path: '/v1/tickets/tkt_00000000000000000000000000', headers: { 'if-match': '"1"' }, body: {} }),
    ],
    [
      'order-not-cancellable',
      async () => {
        const path = `/v1/orders/${await order()}/cancel`;
        await world.send('POST', path, { body: {} });
        return { path, body: {} };
      },
    ],
  ];

  it.each(refusals)('%s', async (code, prepare) => {
    const { method = 'POST', path = '/v1/orders', ...request } = await prepare();
    const key = uuidv7();
    const before = await countOf(world.database, 'orders');
    const first = await world.send(method, path, { key, ...request });
    expectProblem(first, code);
    expect(first.body['operationId']).toBe(first.headers.get('operation-id'));
    expect(first.body['requestId']).toBe(first.headers.get('x-request-id'));
    expect(first.headers.get('idempotency-expires')).not.toBeNull();
    for (const on of [world, replica]) expectReplay(await on.send(method, path, { key, ...request }), first);
    const [record, ...others] = await recordsOf(world.database, key);
    expect(others).toEqual([]);
    expect(record).toMatchObject({ status: 'completed', response_status: first.status });
    expect(await countOf(world.database, 'orders')).toBe(before);
  });

  it('insufficient-stock stays the outcome of its key when there is stock again; a new key gets it', async () => {
    const product = await addProduct(world.database, { stock: 1 });
    const body = { items: [{ productId: product, quantity: 2 }] };
    const key = uuidv7();
    expectProblem(await world.send('POST', '/v1/orders', { key, body }), 'insufficient-stock');
    await setStock(world.database, 10, product);
    for (const on of [world, replica]) expectProblem(await on.send('POST', '/v1/orders', { key, body }), 'insufficient-stock');
    expect((await world.send('POST', '/v1/orders', { body })).status).toBe(201);
    expect(await stockOf(world.database, product)).toBe(8);
  });
});

describe('a 5xx stores nothing and frees the key at once', () => {
  /** Makes the database fail in a way that the service has no word for. */
  async function sabotage(table: string, statement = `RAISE EXCEPTION 'secret detail of the database'`): Promise<void> {
    await world.database.query(`
      CREATE OR REPLACE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${statement}; RETURN NEW; END $$;
      CREATE TRIGGER sabotage BEFORE INSERT OR UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION sabotage()`);
  }
  afterEach(() => world.database.query('DROP FUNCTION IF EXISTS sabotage CASCADE'));

  it.each(['orders', 'order_items', 'products', 'idempotency_records'])('%s fails to be written', async (table) => {
    const product = await addProduct(world.database);
    const body = { items: [{ productId: product, quantity: 1 }] };
    const key = uuidv7();
    await sabotage(table);
    const failed = await world.send('POST', '/v1/orders', { key, body });
    expectProblem(failed, 'internal-error');
    expect(failed.text).not.toContain('secret');
    expect(failed.headers.has('idempotency-expires')).toBe(false);
    expect(await recordsOf(world.database, key)).toEqual([]);
    expect(await stockOf(world.database, product)).toBe(1_000);
    await world.database.query('DROP FUNCTION sabotage CASCADE');
    const made = await world.send('POST', '/v1/orders', { key, body });
    expect(made.status).toBe(201);
    expect(made.headers.has('idempotent-replayed')).toBe(false);
    expect(await stockOf(world.database, product)).toBe(999);
  });

  it('a statement that the handler waits for fails (through the EntityManager)', async () => {
    const { body: ticket } = await world.send('POST', '/v1/tickets', { body: { subject: 's', description: 'd', priority: 'low' } });
    const path = `/v1/tickets/${String(ticket['id'])}`;
    const change = { key: uuidv7(), headers: { 'if-match': '"1"' }, body: { status: 'closed' } };
    await sabotage('tickets');
    expectProblem(await world.send('PATCH', path, change), 'internal-error');
    await world.database.query('DROP FUNCTION sabotage CASCADE');
    const changed = await world.send('PATCH', path, change);
    expect(changed.body).toMatchObject({ status: 'closed', version: 2 });
  });

  it('a deferred constraint trigger fails at COMMIT itself', async () => {
    await world.database.query(`
      CREATE FUNCTION sabotage() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'secret'; END $$;
      CREATE CONSTRAINT TRIGGER sabotage AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sabotage()`);
    const key = uuidv7();
    const failed = await world.send('POST', '/v1/orders', { key, body: ORDER });
    expect([500, 503]).toContain(failed.status);
    expect(failed.headers.get('retry-after')).not.toBeNull();
    expect(await recordsOf(world.database, key)).toEqual([]);
    await world.database.query('DROP FUNCTION sabotage CASCADE');
    expect((await world.send('POST', '/v1/orders', { key, body: ORDER })).status).toBe(201);
  });
});

function expectReplay(again: TestResponse, first: TestResponse): void {
  expect(again.status).toBe(first.status);
  expect(again.text).toBe(first.text);
  expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
  expect(again.headers.get('operation-id')).toBe(first.headers.get('operation-id'));
  expect(again.headers.get('idempotency-expires')).toBe(first.headers.get('idempotency-expires'));
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
  expect(again.headers.has('retry-after')).toBe(false);
}
