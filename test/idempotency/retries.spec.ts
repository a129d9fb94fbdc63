import { v7 as uuidv7 } from 'uuid';
import { atOnce, startWorld, tally, type TestResponse } from '../support/app.js';
import { addProduct, countOf, recordsOf, stockOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';

/** A handler runs this often at most for one request. */
const MAX_RUNS = 5;

let world: Awaited<ReturnType<typeof startWorld>>;
let product: string;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  product = await addProduct(world.database);
});
afterEach(() => world.database.query('DROP FUNCTION IF EXISTS stumble CASCADE; DROP SEQUENCE IF EXISTS stumbles'));
afterAll(() => world.close());

/** The first `times` writes to the table fail with this SQLSTATE; a sequence counts them, since it isn't rolled back. */
async function stumble(table: string, times: number, sqlState: string, timing = 'BEFORE INSERT OR UPDATE'): Promise<void> {
  const deferred = timing.startsWith('AFTER') ? 'DEFERRABLE INITIALLY DEFERRED' : '';
  await world.database.query(`
    CREATE SEQUENCE stumbles;
    CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        IF nextval('stumbles') <= ${times} THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = '${sqlState}'; END IF;
        RETURN NEW;
      END $$;
    CREATE ${deferred && 'CONSTRAINT'} TRIGGER stumble ${timing} ON ${table} ${deferred} FOR EACH ROW EXECUTE FUNCTION stumble()`);
}

async function runs(): Promise<number> {
  const [row] = await world.database.query<{ runs: number }>(
    'SELECT CASE WHEN is_called THEN last_value ELSE 0 END::int AS runs FROM stumbles',
  );
  return row?.runs ?? 0;
}

const place = (key: string): Promise<TestResponse> =>
  world.send('POST', '/v1/orders', { key, body: { items: [{ productId: product, quantity: 1 }] } });

describe.each([
  ['a serialization failure', '40001'],
  ['a deadlock', '40P01'],
  ['a lock timeout', '55P03'],
])('%s', (_name, sqlState) => {
  it.each(['orders', 'products', 'idempotency_records'])('in a write to %s is retried inside: the client sees one 201', async (table) => {
    await stumble(table, MAX_RUNS - 1, sqlState);
    const key = uuidv7();
    const made = await place(key);
    expect(made.status).toBe(201);
    expect(made.headers.has('idempotent-replayed')).toBe(false);
    expect(await runs()).toBe(MAX_RUNS);
    expect(await stockOf(world.database, product)).toBe(999);
    expect(await recordsOf(world.database, key)).toHaveLength(1);
    expect((await place(key)).text).toBe(made.text);
  });

  it('is retried no more after the bound, stores nothing and leaves the key to the next try', async () => {
    await stumble('orders', MAX_RUNS, sqlState);
    const key = uuidv7();
    expectProblem(await place(key), 'service-unavailable');
    expect(await runs()).toBe(MAX_RUNS);
    expect(await recordsOf(world.database, key)).toEqual([]);
    expect((await place(key)).status).toBe(201);
    expect(await stockOf(world.database, product)).toBe(999);
  });
});

it.each(['40001', '40P01'])('%s at COMMIT itself is retried inside', async (sqlState) => {
  await stumble('orders', 2, sqlState, 'AFTER INSERT');
  const key = uuidv7();
  expect((await place(key)).status).toBe(201);
  expect(await runs()).toBe(3);
  expect(await countOf(world.database, 'order_items', 'product_id = $1', [product])).toBe(1);
});

it('a retryable failure in a handler that works with entities is retried inside', async () => {
  const { body: ticket } = await world.send('POST', '/v1/tickets', { body: { subject: 's', description: 'd', priority: 'low' } });
  await stumble('tickets', 3, '40001');
  const changed = await world.send('PATCH', `/v1/tickets/${String(ticket['id'])}`, {
    headers: { 'if-match': '"1"' },
    body: { status: 'closed' },
  });
  expect(changed.body).toMatchObject({ status: 'closed', version: 2 });
  expect(await runs()).toBe(4);
});

it('any other failure is not retried', async () => {
  await stumble('orders', 1, 'P0001');
  const key = uuidv7();
  expectProblem(await place(key), 'internal-error');
  expect(await runs()).toBe(1);
  expect((await place(key)).status).toBe(201);
});

it('many requests that stumble at once end with one effect each', async () => {
  await stumble('orders', 40, '40001');
  const keys = Array.from({ length: 20 }, () => uuidv7());
  await atOnce(20, (n) => place(keys[n] ?? ''));
  const answers = await atOnce(20, (n) => place(keys[n] ?? ''));
  expect(tally(answers)).toEqual({ 201: 20 });
  expect(await stockOf(world.database, product)).toBe(980);
});
