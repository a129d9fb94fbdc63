import { v7 as uuidv7 } from 'uuid';
import { ORDER, startWorld } from '../support/app.js';

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

it('places an order and replays it byte for byte', async () => {
  const key = uuidv7();
  const first = await world.send('POST', '/v1/orders', { key, body: ORDER });
  expect(first.status).toBe(201);
  expect(first.headers.get('location')).toBe(`/v1/orders/${first.body['id']}`);
  const again = await world.send('POST', '/v1/orders', { key, body: { items: [{ quantity: 1, productId: '123' }] } });
  expect(again.text).toBe(first.text);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  const [row] = await world.database.query<{ count: number }>('SELECT count(*)::int AS count FROM orders');
  expect(row?.count).toBe(1);
});
