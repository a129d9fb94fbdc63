import { freshKey, KEY_B, requireService, send } from './client.js';

beforeAll(requireService);

it('a ticket is opened once, changed by version, and listed by status', async () => {
  const key = freshKey();
  const order = await send('POST', '/v1/orders', { body: { items: [{ productId: '123', quantity: 1 }] } });
  const body = { subject: 'Where is it?', description: 'Line 1\nLine 2 ⚓', orderId: order.body['id'], priority: 'high' };
  const opened = await send('POST', '/v1/tickets', { key, body });
  expect(opened.status).toBe(201);
  expect(opened.body).toMatchObject({ ...body, status: 'open', version: 1 });
  const again = await send('POST', '/v1/tickets', { key, body });
  expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([201, opened.text, 'true']);

  const path = opened.headers.get('location') ?? '';
  const etag = opened.headers.get('etag') ?? '';
  const closed = await send('PATCH', path, { body: { status: 'closed' }, headers: { 'if-match': etag } });
  expect([closed.status, closed.body['status'], closed.body['priority']]).toEqual([200, 'closed', 'high']);
  const stale = await send('PATCH', path, { body: { status: 'pending' }, headers: { 'if-match': etag } });
  expect([stale.status, stale.body['code']]).toEqual([412, 'precondition-failed']);

  const { body: list } = await send('GET', '/v1/tickets?status=closed&limit=100');
  expect((list['data'] as { id: string }[])[0]?.id).toBe(opened.body['id']);
});

it('a ticket about an order of somebody else is refused, and a ticket of somebody else is not there', async () => {
  const order = await send('POST', '/v1/orders', { body: { items: [{ productId: '123', quantity: 1 }] } });
  const body = { subject: 's', description: 'd', priority: 'low' };
  const foreign = await send('POST', '/v1/tickets', { body: { ...body, orderId: order.body['id'] }, as: KEY_B });
  expect([foreign.status, foreign.body['code']]).toEqual([404, 'not-found']);
  const mine = await send('POST', '/v1/tickets', { body });
  const read = await send('GET', `/v1/tickets/${mine.body['id']}`, { as: KEY_B });
  expect([read.status, read.body['code']]).toEqual([404, 'not-found']);
});
