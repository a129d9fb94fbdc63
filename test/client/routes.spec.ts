import { HoldfastClient, ListInterrupted } from '../../client/src/index.js';
import type { OperationName } from '../../client/src/api/types.js';
import { read } from '../docs/markdown.js';
import { KEY_A, startWorld, type World } from '../support/app.js';

interface Route {
  operationId: string;
  method: string;
  path: string;
  /** The headers that it names by reference. */
  headers: string[];
}

type Described = Record<string, { operationId: string; parameters?: { $ref?: string }[] }>;
const { paths } = JSON.parse(read('openapi.json')) as { paths: Record<string, Described> };

/** The routes below /v1, but the one that the provider calls. */
const routes: Route[] = Object.entries(paths)
  .filter(([path]) => path.startsWith('/v1/') && path !== '/v1/provider/webhooks')
  .flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { operationId, parameters = [] }]) => ({
      operationId,
      method: method.toUpperCase(),
      path,
      headers: parameters.flatMap(({ $ref }) => $ref?.split('/').at(-1) ?? []),
    })),
  );

const drain = async (list: AsyncIterable<unknown>): Promise<unknown[]> => {
  const all = [];
  for await (const item of list) all.push(item);
  return all;
};

/** How the client calls each of them, with ids that need escaping. */
const ID = 'a/b';
const ETAG = '"1"';
const CALLS: Partial<Record<OperationName, (client: HoldfastClient) => Promise<unknown>>> = {
  placeOrder: ({ orders }) => orders.place({ items: [{ productId: '123', quantity: 1 }] }),
  placeOrders: ({ orders }) => orders.batch.place({ atomic: true, orders: [] }),
  listOrders: ({ orders }) => drain(orders.list({ status: 'paid' })),
  getOrder: ({ orders }) => orders.get(ID),
  changeOrder: ({ orders }) => orders.change(ID, ETAG).place({ customerReference: null }),
  cancelOrder: ({ orders }) => orders.cancel(ID).place(),
  createPayment: ({ payments }) => payments.place({ orderId: ID, amount: 1, currency: 'EUR', source: 'tok_visa' }),
  listPayments: ({ payments }) => drain(payments.list()),
  getPayment: ({ payments }) => payments.get(ID),
  createRefund: ({ payments }) => payments.refund(ID).place({}),
  getRefund: ({ refunds }) => refunds.get(ID),
  listProducts: ({ products }) => drain(products.list()),
  getProduct: ({ products }) => products.get(ID),
  putProduct: ({ products }) => products.put(ID, { name: 'Lamp', unitPrice: 1 }),
  deleteProduct: ({ products }) => products.delete(ID),
  changeStock: ({ products }) => products.changeStock(ID).place({ change: 1 }),
  openTicket: ({ tickets }) => tickets.place({ subject: 'Dark', description: 'It is dark.', priority: 'low' }),
  listTickets: ({ tickets }) => drain(tickets.list()),
  getTicket: ({ tickets }) => tickets.get(ID),
  changeTicket: ({ tickets }) => tickets.change(ID, ETAG).place({ status: 'closed' }),
  listOperations: ({ operations }) => drain(operations.list()),
  getOperation: ({ operations }) => operations.get(ID),
  sealKey: ({ operations }) => operations.seal('abc'),
  resumeOperation: ({ operations }) => operations.resume(ID),
  decideOperation: ({ operations }) => operations.decide(ID).place({ outcome: 'happened', note: 'seen' }),
  listEvents: ({ events }) => drain(events.list()),
  getEvent: ({ events }) => events.get(ID),
  createWebhookEndpoint: ({ webhookEndpoints }) => webhookEndpoints.place({ url: 'https://shop.example/', types: ['*'] }),
  listWebhookEndpoints: ({ webhookEndpoints }) => drain(webhookEndpoints.list()),
  getWebhookEndpoint: ({ webhookEndpoints }) => webhookEndpoints.get(ID),
  changeWebhookEndpoint: ({ webhookEndpoints }) => webhookEndpoints.change(ID).place({ status: 'enabled' }),
  deleteWebhookEndpoint: ({ webhookEndpoints }) => webhookEndpoints.delete(ID),
  getWebhookSecret: ({ webhookEndpoints }) => webhookEndpoints.secret(ID),
  rotateWebhookSecret: ({ webhookEndpoints }) => webhookEndpoints.rotateSecret(ID).place(),
  testWebhookEndpoint: ({ webhookEndpoints }) => webhookEndpoints.test(ID).place(),
  listWebhookDeliveries: ({ webhookEndpoints }) => drain(webhookEndpoints.deliveries(ID)),
  redeliverWebhook: ({ webhookEndpoints }) => webhookEndpoints.redeliver(ID).place(),
};

it('the client has every route of the service', () => {
  expect(Object.keys(CALLS).sort()).toEqual(routes.map(({ operationId }) => operationId).sort());
});

it.each(routes)('$operationId is $method $path', async ({ operationId, method, path, headers }) => {
  const sent: Request[] = [];
  const fetch: typeof globalThis.fetch = async (...arguments_) => {
    sent.push(new Request(...arguments_));
    return Response.json({ data: [], nextCursor: null });
  };
  await CALLS[operationId as OperationName]?.(new HoldfastClient({ baseUrl: 'http://service', fetch }));
  const [request] = sent;
  expect(sent).toHaveLength(1);
  expect([request?.method, request?.url.split('?')[0]]).toEqual([method, `http://service${path.replace('{id}', 'a%2Fb')}`]);
  expect(request?.headers.has('idempotency-key')).toBe(headers.includes('IdempotencyKey'));
  expect(request?.headers.get('if-match')).toBe(headers.includes('IfMatch') ? ETAG : null);
});

describe('against the service', () => {
  let world: World;
  let client: HoldfastClient;
  beforeAll(async () => {
    world = await startWorld();
    client = new HoldfastClient({ baseUrl: world.url, authorization: () => `Bearer ${KEY_A}` });
  });
  afterAll(() => world.close());

  const order = (customerReference: string) => client.orders.place({ items: [{ productId: '123', quantity: 1 }], customerReference });

  it('a list is read to its end, page by page', async () => {
    const references = Array.from({ length: 7 }, (_, index) => `list-${index}`);
    for (const reference of references) expect((await order(reference)).kind).toBe('done');
    const found = [];
    for await (const { customerReference, status } of client.orders.list({ status: 'pending', limit: 3 })) {
      found.push(customerReference);
      expect(status).toBe('pending');
    }
    expect(found).toEqual(references.toReversed());
  });

  it('a list that cannot be read says what to do, and where to go on', async () => {
    const list = client.orders.list({ cursor: 'none-of-the-service’s' });
    const error = await list.next().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ListInterrupted);
    expect(error).toMatchObject({ cursor: 'none-of-the-service’s', outcome: { kind: 'refused', problem: { code: 'invalid-request' } } });
    const { outcome, advice, message } = error as ListInterrupted;
    expect([advice, message]).toEqual([outcome.advice, `${outcome.problem?.detail} ${outcome.advice}`]);
    expect(advice).not.toBe('');
  });

  it('events are read forward from one that is known, as far as they go', async () => {
    await order('events-0');
    const first = (await client.events.list({ limit: 1 }).next()).value;
    for (const index of [1, 2, 3]) await order(`events-${index}`);
    const references = [];
    for await (const { type, data } of client.events.after(first?.id ?? '', { limit: 2 }))
      references.push([type, data['customerReference']]);
    expect(references).toEqual([1, 2, 3].map((index) => ['order.created', `events-${index}`]));
  });

  it('a change that is meant for another version is refused, with the code of it', async () => {
    const placed = await order('change');
    if (placed.kind !== 'done') throw new Error(placed.advice);
    const { id } = placed.body;
    const etag = placed.headers['etag'] ?? '';
    expect(await client.orders.change(id, etag).place({ metadata: { gift: 'yes' } })).toMatchObject({ kind: 'done', body: { version: 2 } });
    const stale = await client.orders.change(id, etag).place({ metadata: {} });
    expect(stale).toMatchObject({ kind: 'refused', newKeyMakesSense: false, problem: { code: 'precondition-failed' } });
  });

  it('a product is made once, and only where there is none', async () => {
    const body = { name: 'Lamp', unitPrice: 100 };
    expect(await client.products.put('lamp', body, { ifNoneMatch: '*' })).toMatchObject({ kind: 'done', status: 201 });
    expect(await client.products.put('lamp', { ...body, unitPrice: 200 }, { ifNoneMatch: '*' })).toMatchObject({
      kind: 'refused',
      problem: { code: 'precondition-failed' },
    });
    expect(await client.products.delete('lamp')).toMatchObject({ kind: 'done', status: 204, body: null });
  });
});
