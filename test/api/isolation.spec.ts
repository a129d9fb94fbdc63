import { v7 as uuidv7 } from 'uuid';
import { KEY_A, KEY_B, ORDER, startWorld } from '../support/app.js';
import { ACCOUNT_A, ACCOUNT_B, recordsOf, stockOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

describe("another account's things are not there: 404, never 403", () => {
  it('orders', async () => {
    const { body: order } = await world.send('POST', '/v1/orders', { as: KEY_A, body: ORDER });
    const path = `/v1/orders/${String(order['id'])}`;
    expectProblem(await world.send('GET', path, { as: KEY_B }), 'not-found');
    expectProblem(
      await world.send('PATCH', path, { as: KEY_B, headers: { 'if-match': '"1"' }, body: { customerReference: 'x' } }),
      'not-found',
    );
    expectProblem(await world.send('POST', `${path}/cancel`, { as: KEY_B, body: {} }), 'not-found');
    expect((await world.send('GET', path, { as: KEY_A })).body).toMatchObject({ status: 'pending', version: 1 });
  });

  it('tickets, and orders that a ticket is to be about', async () => {
    const ticket = { subject: 's', description: 'd', priority: 'low' };
    const { body: order } = await world.send('POST', '/v1/orders', { as: KEY_A, body: ORDER });
    expectProblem(await world.send('POST', '/v1/tickets', { as: KEY_B, body: { ...ticket, orderId: order['id'] } }), 'not-found');
    const { body: opened } = await world.send('POST', '/v1/tickets', { as: KEY_A, body: ticket });
    const path = `/v1/tickets/${String(opened['id'])}`;
    expectProblem(await world.send('GET', path, { as: KEY_B }), 'not-found');
    expectProblem(await world.send('PATCH', path, { as: KEY_B, headers: { 'if-match': '"1"' }, body: { status: 'closed' } }), 'not-found');
  });
});

it('the same key and the same request in two accounts execute twice, each from its own stock', async () => {
  const key = uuidv7();
  const body = { items: [{ productId: 'fender', quantity: 5 }] };
  const [a, b] = [
    await world.send('POST', '/v1/orders', { key, as: KEY_A, body }),
    await world.send('POST', '/v1/orders', { key, as: KEY_B, body }),
  ];
  expect([a.status, b.status]).toEqual([201, 201]);
  expect(b.headers.has('idempotent-replayed')).toBe(false);
  expect(a.headers.get('operation-id')).not.toBe(b.headers.get('operation-id'));
  expect(await stockOf(world.database, 'fender', ACCOUNT_A)).toBe(4_995);
  expect(await stockOf(world.database, 'fender', ACCOUNT_B)).toBe(4_995);
  expect(await recordsOf(world.database, key)).toHaveLength(2);
});

it('a key of another account with another payload is no reuse', async () => {
  const key = uuidv7();
  await world.send('POST', '/v1/orders', { key, as: KEY_A, body: ORDER });
  const other = await world.send('POST', '/v1/orders', { key, as: KEY_B, body: { items: [{ productId: 'rope-10m', quantity: 1 }] } });
  expect(other.status).toBe(201);
});
