import { v7 as uuidv7 } from 'uuid';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { Receiver, endpointAt, untilAllSettled } from './receiver.js';

let world: PaymentWorld;
let receiver: Receiver;
beforeAll(async () => {
  world = await startPaymentWorld();
  receiver = await Receiver.start();
});
afterAll(async () => {
  await receiver.close();
  await world.close();
});

it('an order that is placed twice and paid is told to the receiver once each, byte for byte as GET shows the events', async () => {
  await endpointAt(world, receiver.url);
  const key = uuidv7();
  const body = { items: [{ productId: '123', quantity: 1 }] };
  const [first, again] = [await world.send('POST', '/v1/orders', { key, body }), await world.send('POST', '/v1/orders', { key, body })];
  expect(again.text).toBe(first.text);
  const { id, total, currency } = first.body as { id: string; total: number; currency: string };
  expect((await world.pay({ id, total, currency, productId: '123' })).status).toBe(201);
  await untilAllSettled(world.database);
  const told = receiver.received.map((message) => JSON.parse(message.body) as Record<string, any>);
  expect(told.map(({ type, resource }) => `${type} ${resource.version}`).sort()).toEqual([
    'order.created 1',
    'order.paid 2',
    'payment.processing 1',
    'payment.succeeded 2',
  ]);
  const created = told.find(({ type }) => type === 'order.created');
  expect(created).toMatchObject({ operationId: first.headers.get('operation-id'), idempotencyKey: key, data: first.body });
  for (const { headers, body: sent } of receiver.received) {
    const event = await world.send('GET', `/v1/events/${String(headers['webhook-id'])}`);
    expect(event.text).toBe(sent);
  }
});
