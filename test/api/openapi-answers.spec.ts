import { v7 as uuidv7 } from 'uuid';
import { ORDER } from '../support/app.js';
import { flagPayment, keepFromRecoverer } from '../support/decisions.js';
import { eventually } from '../support/eventually.js';
import { examplePath, examplesOf, readDescription, type ApiDescription } from '../support/openapi.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';

// The document promises; here the server keeps it.
let world: PaymentWorld;
let api: ApiDescription;
beforeAll(async () => {
  world = await startPaymentWorld();
  api = await readDescription(world);
});
afterAll(() => world.close());

it('asks for a key exactly where it is documented', async () => {
  for (const each of api.operations.filter(({ method }) => method !== 'get')) {
    const answer = await world.send(each.method.toUpperCase(), examplePath(each), {
      key: null,
      headers: { 'if-match': '"1"' },
      body: {},
    });
    expect({ id: each.id, missing: answer.body['code'] === 'idempotency-key-missing' }).toEqual({
      id: each.id,
      missing: each.operation['x-idempotency'].required,
    });
    api.expectDocumented(each.id, answer);
  }
  // It was among them, and deleted.
  await world.send('PUT', '/v1/products/123', { body: { name: 'Harbour lamp', unitPrice: 2500 } });
});

it('refuses everybody without an API key where it is documented', async () => {
  for (const each of api.operations.filter(({ operation }) => operation['security'].length > 0)) {
    const answer = await world.send(each.method.toUpperCase(), examplePath(each), { as: null });
    expect({ id: each.id, code: answer.body['code'] }).toEqual({ id: each.id, code: 'unauthenticated' });
    api.expectDocumented(each.id, answer);
  }
});

/** Path of a webhook endpoint where nobody listens. */
async function endpoint(): Promise<string> {
  const made = await world.send('POST', '/v1/webhook-endpoints', { body: { url: 'http://127.0.0.1:1/', types: ['*'] } });
  return `/v1/webhook-endpoints/${made.body['id']}`;
}

it('takes the example bodies as they stand', async () => {
  const order = async (): Promise<string> => (await world.send('POST', '/v1/orders', { body: ORDER })).body['id'];
  const subjects: Record<string, () => Promise<{ path: string; members?: object }>> = {
    placeOrder: async () => ({ path: '/v1/orders' }),
    placeOrders: async () => ({ path: '/v1/orders/batch' }),
    changeOrder: async () => ({ path: `/v1/orders/${await order()}` }),
    cancelOrder: async () => ({ path: `/v1/orders/${await order()}/cancel` }),
    openTicket: async () => ({ path: '/v1/tickets' }),
    changeTicket: async () => {
      const ticket = await world.send('POST', '/v1/tickets', { body: { subject: 'a', description: 'b', priority: 'low' } });
      return { path: `/v1/tickets/${ticket.body['id']}` };
    },
    // The order of the example is nobody's.
    createPayment: async () => ({ path: '/v1/payments', members: { orderId: (await world.placeOrder({ total: 5000 })).id } }),
    createRefund: async () => {
      const payment = await world.pay(await world.placeOrder({ total: 5001 }));
      return { path: `/v1/payments/${payment.body['id']}/refunds` };
    },
    createWebhookEndpoint: async () => ({ path: '/v1/webhook-endpoints' }),
    changeWebhookEndpoint: async () => ({ path: await endpoint() }),
    rotateWebhookSecret: async () => ({ path: `${await endpoint()}/rotate-secret` }),
    testWebhookEndpoint: async () => ({ path: `${await endpoint()}/test` }),
    redeliverWebhook: async () => {
      const test = await world.send('POST', `${await endpoint()}/test`);
      return { path: `/v1/deliveries/${test.body['id']}/redeliver` };
    },
    changeStock: async () => ({ path: '/v1/products/123/stock-changes' }),
    decideOperation: async () => {
      const { operation } = await flagPayment(world, await world.placeOrder());
      await keepFromRecoverer(world, operation);
      await world.faults({});
      return { path: `/v1/operations/${operation}/decision` };
    },
  };
  for (const each of api.keyed) {
    const success = Number(Object.keys(each.operation['responses'])[0]);
    for (const example of examplesOf(each.operation['requestBody'].content['application/json'])) {
      const subject = await subjects[each.id]?.();
      if (!subject) throw new Error(`nobody says what ${each.id} is about`);
      const body = { ...(example as object), ...subject.members };
      const request = { key: uuidv7(), headers: { 'if-match': '"1"' }, body };
      const first = await world.send(each.method.toUpperCase(), subject.path, request);
      expect({ id: each.id, status: first.status, text: first.text }).toEqual({ id: each.id, status: success, text: expect.anything() });
      api.expectDocumented(each.id, first);
      const replay = await world.send(each.method.toUpperCase(), subject.path, request);
      expect(replay.text).toBe(first.text);
      api.expectDocumented(each.id, replay);
    }
  }
});

it('tells the story of a payment in the words of the example', async () => {
  const key = uuidv7();
  const order = await world.placeOrder();
  const payment = await world.pay(order, 'tok_visa', { key });
  await world.pay(order, 'tok_visa', { key });
  const path = `/v1/operations/${payment.headers.get('operation-id') ?? ''}`;
  // A replay is counted a moment after it is answered.
  const { body } = await eventually('the replay to be counted', async () => {
    const story = await world.send('GET', path);
    return story.body['replays'] === 1 && story;
  });
  const told = ({ timeline }: Record<string, any>) =>
    timeline.map(({ event, detail }: { event: string; detail: string }) => ({ event, detail }));
  const [example] = examplesOf(api.operation('getOperation').operation['responses'][200].content['application/json']) as [
    Record<string, any>,
  ];
  const { operation, status, recoveryPoint, attempts, response, replays } = example;
  expect(body).toMatchObject({ operation, status, recoveryPoint, attempts, response, replays });
  expect(told(body)).toEqual(told(example));
  const { OperationEvent, Operation } = api.document['components'].schemas;
  const { event, detail } = OperationEvent.properties;
  expect(told(body)).toContainEqual({ event: event.example, detail: detail.example });
  expect(told(body)).toContainEqual({ event: 'step-started', detail: Operation.properties.recoveryPoint.example });
  expect(body['operation']).toBe(Operation.properties.operation.example);
});

it('answers all reads as documented', async () => {
  const order = await world.placeOrder();
  const payment = await world.pay(order);
  const refund = await world.refund(payment.body['id'], { amount: 1 });
  const ticket = await world.send('POST', '/v1/tickets', {
    body: { subject: 'a', description: 'b', priority: 'low', orderId: order.id },
  });
  const webhooks = (await endpoint()).split('/').at(-1) ?? '';
  await world.send('POST', `/v1/webhook-endpoints/${webhooks}/test`);
  const ids: Record<string, string> = {
    getWebhookEndpoint: webhooks,
    getWebhookSecret: webhooks,
    listWebhookDeliveries: webhooks,
    getProduct: '123',
    getOrder: order.id,
    getPayment: payment.body['id'],
    getRefund: refund.body['id'],
    getTicket: ticket.body['id'],
    getOperation: payment.headers.get('operation-id') ?? '',
    getEvent: String(((await world.send('GET', '/v1/events?limit=1')).body['data'] as { id: string }[])[0]?.id),
    getProblem: 'not-found',
  };
  for (const each of api.operations.filter(({ method }) => method === 'get')) {
    const path = each.path.replace(/\{\w+\}/, () => ids[each.id] ?? '');
    const answer = await world.send('GET', path, { headers: { accept: 'application/json' } });
    expect({ id: each.id, status: answer.status }).toEqual({ id: each.id, status: 200 });
    if (!['getConsole', 'getDocs', 'getMetrics', 'getOpenApi'].includes(each.id)) api.expectDocumented(each.id, answer);
    if (answer.headers.has('etag')) {
      api.expectDocumented(each.id, await world.send('GET', path, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } }));
    }
  }
});

it('refuses as documented', async () => {
  const missing = '00000000000000000000000000';
  for (const each of api.operations.filter(({ method, path }) => method === 'get' && path.endsWith('{id}'))) {
    api.expectDocumented(each.id, await world.send('GET', examplePath(each).replace(/[^_/]+$/, missing)));
  }
  for (const each of api.operations.filter(({ operation }) =>
    operation['parameters'].some((one: { name: string }) => one.name === 'limit'),
  )) {
    api.expectDocumented(each.id, await world.send('GET', `${each.path}?limit=0`));
  }
  for (const each of api.keyed) {
    const method = each.method.toUpperCase();
    const path = examplePath(each);
    const ifMatch = { 'if-match': '"1"' };
    const answers = [
      await world.send(method, path, { headers: ifMatch, body: { colour: 'red' } }),
      await world.send(method, path, { headers: ifMatch, body: '{' }),
      await world.send(method, path, { headers: { ...ifMatch, 'content-type': 'text/plain' }, body: 'red' }),
      await world.send(method, path, { headers: ifMatch, body: { colour: 'x'.repeat(1_100_000) } }),
      await world.send(method, path, { key: 'not a key', headers: ifMatch, body: {} }),
    ];
    expect({ id: each.id, statuses: answers.map(({ status }) => status) }).toEqual({ id: each.id, statuses: [400, 400, 415, 413, 400] });
    for (const answer of answers) api.expectDocumented(each.id, answer);
  }
});
