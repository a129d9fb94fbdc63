import { freshKey, requireService, send, sendUntilFinal } from './client.js';

beforeAll(requireService);

/** A pending order of 2500 EUR cents. */
async function order(): Promise<string> {
  const { body } = await send('POST', '/v1/orders', { body: { items: [{ productId: '123', quantity: 1 }] } });
  return body['id'] as string;
}

const payment = (orderId: string, source = 'tok_visa') => ({ orderId, amount: 2500, currency: 'EUR', source });

it('an order is paid once, refunded once, and its operations tell the story', async () => {
  const orderId = await order();
  const key = freshKey();
  const paid = await sendUntilFinal('/v1/payments', { key, body: payment(orderId) });
  expect([paid.status, paid.body['status'], paid.body['orderId']]).toEqual([201, 'succeeded', orderId]);
  const again = await send('POST', '/v1/payments', { key, body: payment(orderId) });
  expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([201, paid.text, 'true']);
  expect((await send('GET', `/v1/orders/${orderId}`)).body['status']).toBe('paid');

  const twice = await sendUntilFinal('/v1/payments', { key: freshKey(), body: payment(orderId) });
  expect([twice.status, twice.body['code']]).toEqual([409, 'possible-duplicate']);
  const second = await sendUntilFinal('/v1/payments', { key: freshKey(), body: payment(orderId, 'tok_mastercard') });
  expect([second.status, second.body['code']]).toEqual([409, 'order-not-payable']);

  const refund = await sendUntilFinal(`/v1/payments/${paid.body['id']}/refunds`, { key: freshKey(), body: { amount: 1000 } });
  expect([refund.status, refund.body['status'], refund.body['amount']]).toEqual([201, 'succeeded', 1000]);
  const tooMuch = await sendUntilFinal(`/v1/payments/${paid.body['id']}/refunds`, { key: freshKey(), body: { amount: 1501 } });
  expect([tooMuch.status, tooMuch.body['code']]).toEqual([409, 'refund-exceeds-payment']);

  const { body: found } = await send('GET', `/v1/operations?idempotencyKey=${key}`);
  const [operation] = found['data'];
  expect(operation).toMatchObject({ id: paid.headers.get('operation-id'), status: 'completed', response: { status: 201 } });
});

it('a declined payment is final for its key; the order takes another', async () => {
  const orderId = await order();
  const key = freshKey();
  const declined = await sendUntilFinal('/v1/payments', { key, body: payment(orderId, 'tok_declined') });
  expect([declined.status, declined.body['code'], declined.body['retry']]).toEqual([402, 'payment-declined', 'new-key']);
  const again = await send('POST', '/v1/payments', { key, body: payment(orderId, 'tok_declined') });
  expect([again.status, again.text]).toEqual([402, declined.text]);
  const paid = await sendUntilFinal('/v1/payments', { key: freshKey(), body: payment(orderId) });
  expect(paid.status).toBe(201);
});

it('a declined refund is final for its key, and another may be asked for', async () => {
  const paid = await sendUntilFinal('/v1/payments', { key: freshKey(), body: payment(await order(), 'tok_refund_declined') });
  const [path, key] = [`/v1/payments/${paid.body['id']}/refunds`, freshKey()];
  const declined = await sendUntilFinal(path, { key, body: {} });
  expect([declined.status, declined.body['code'], declined.body['retry']]).toEqual([402, 'refund-declined', 'new-key']);
  expect(declined.body['refund']).toMatchObject({ paymentId: paid.body['id'], amount: 2500, status: 'failed' });
  expect((await send('POST', path, { key, body: {} })).text).toBe(declined.text);
  expect((await sendUntilFinal(path, { key: freshKey(), body: {} })).status).toBe(402);
});

it('a payment whose answer the provider cut off is found out about, and charged once', async () => {
  const orderId = await order();
  const paid = await sendUntilFinal('/v1/payments', { key: freshKey(), body: payment(orderId, 'tok_drop_after') });
  expect([paid.status, paid.body['status']]).toEqual([201, 'succeeded']);
  const { body } = await send('GET', `/v1/payments?orderId=${orderId}`);
  expect((body['data'] as { id: string }[]).map(({ id }) => id)).toEqual([paid.body['id']]);
});
