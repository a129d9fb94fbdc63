import { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { migrate } from '../../src/database/migrate.js';
import { EVENT_TYPES } from '../../src/events/event-types.js';
import { EventsPurger } from '../../src/events/events.purger.js';
import { publicOperationId } from '../../src/idempotency/index.js';
import { publicId, uuidOf } from '../../src/kernel/ids.js';
import { addApiKey } from '../support/api-keys.js';
import { KEY_B, ORDER, atOnce, type TestApp, type TestRequest, type TestResponse } from '../support/app.js';
import { item, resultsOf, sendBatch, statusesOf } from '../support/batches.js';
import { urlsOf } from '../support/database.js';
import { DID_NOT, HAPPENED, decide, flagPayment, untilAsked } from '../support/decisions.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A, ACCOUNT_B, countOf, recordsOf } from '../support/ledger.js';
import { WAIT, useTwoReplicas, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
let replica: TestApp;
useTwoReplicas((...started) => ([world, replica] = started));

interface Event {
  id: string;
  type: string;
  createdAt: string;
  operationId: string | null;
  idempotencyKey: string | null;
  resource: { type: string; id: string; version: number };
  data: Record<string, unknown>;
}

const TICKET = { subject: 's', description: 'd', priority: 'low' };

async function list(query: string, request: TestRequest = {}): Promise<Event[]> {
  const answer = await world.send('GET', `/v1/events?${query}`, request);
  expect(answer.status).toBe(200);
  return answer.body['data'] as Event[];
}

/** What is told of a resource, oldest first, each as `type version`. */
async function toldOf(id: string): Promise<string[]> {
  return (await list(`limit=100&resource=${id}`)).toReversed().map(({ type, resource }) => `${type} ${resource.version}`);
}

/** The newest event of a resource, which must show what GET shows of it now. */
async function expectShown(path: string, type: string): Promise<Event> {
  const shown = await world.send('GET', path);
  expect(shown.status).toBe(200);
  const [event] = await list(`limit=1&resource=${shown.body['id']}`);
  expect(event).toEqual({
    id: expect.stringMatching(/^evt_[0-9a-z]{26}$/),
    type,
    createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    operationId: expect.stringMatching(/^op_/),
    idempotencyKey: expect.any(String),
    resource: { type: type.split('.')[0], id: shown.body['id'], version: shown.body['version'] },
    data: shown.body,
  });
  // Member order too.
  expect(JSON.stringify(event?.data)).toBe(shown.text);
  return event as Event;
}

/** The event belongs to the request that was sent under the key. */
async function expectFrom(answer: TestResponse, key: string, type: string, path: string): Promise<void> {
  const event = await expectShown(path, type);
  expect([event.operationId, event.idempotencyKey]).toEqual([answer.headers.get('operation-id'), key]);
}

async function paid(source?: string): Promise<{ order: PlacedOrder; payment: string }> {
  const order = await world.placeOrder();
  const payment = String((await world.pay(order, source, { headers: WAIT })).body['id']);
  return { order, payment };
}

describe('each change writes one event, which shows what GET shows, under the operation and key of its request', () => {
  it('orders', async () => {
    const key = uuidv7();
    const placed = await world.send('POST', '/v1/orders', { key, body: { ...ORDER, metadata: { b: '1', a: '2' } } });
    const path = `/v1/orders/${placed.body['id']}`;
    await expectFrom(placed, key, 'order.created', path);
    const changed = await world.send('PATCH', path, { key: `${key}-2`, headers: { 'if-match': '"1"' }, body: { customerReference: 'x' } });
    await expectFrom(changed, `${key}-2`, 'order.updated', path);
    const cancelled = await world.cancel({ id: placed.body['id'] }, { key: `${key}-3` });
    await expectFrom(cancelled, `${key}-3`, 'order.cancelled', path);
    expect(await toldOf(placed.body['id'])).toEqual(['order.created 1', 'order.updated 2', 'order.cancelled 3']);
  });

  it('tickets', async () => {
    const key = uuidv7();
    const opened = await world.send('POST', '/v1/tickets', { key, body: TICKET });
    const path = `/v1/tickets/${opened.body['id']}`;
    await expectFrom(opened, key, 'ticket.created', path);
    const closed = await world.send('PATCH', path, { key: `${key}-2`, headers: { 'if-match': '"1"' }, body: { status: 'closed' } });
    await expectFrom(closed, `${key}-2`, 'ticket.updated', path);
    expect(await toldOf(opened.body['id'])).toEqual(['ticket.created 1', 'ticket.updated 2']);
  });

  it('products, which need no key', async () => {
    const [path, put] = [
      '/v1/products/lantern',
      (unitPrice: number) => world.send('PUT', '/v1/products/lantern', { body: { name: 'Lantern', unitPrice } }),
    ];
    for (const price of [100, 100, 200]) {
      await put(price);
      const { body } = await world.send('GET', path);
      const [event] = await list('limit=1&resource=lantern');
      expect([event?.data, event?.operationId, event?.idempotencyKey]).toEqual([body, null, null]);
      expect(event?.resource).toEqual({ type: 'product', id: 'lantern', version: body['version'] });
    }
    for (let n = 0; n < 2; n += 1) await world.send('DELETE', path);
    await put(200);
    const told = ['product.created 1', 'product.updated 2', 'product.deleted 3', 'product.created 4'];
    expect(await toldOf('lantern')).toEqual(told);
    await world.send('POST', `${path}/stock-changes`, { body: { change: 5 } });
    expect(await toldOf('lantern')).toEqual(told);
  });

  it('a payment, its order, and a refund', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const payment = await world.pay(order, 'tok_visa', { key, headers: WAIT });
    const path = `/v1/payments/${payment.body['id']}`;
    await expectFrom(payment, key, 'payment.succeeded', path);
    await expectFrom(payment, key, 'order.paid', `/v1/orders/${order.id}`);
    expect(await toldOf(payment.body['id'])).toEqual(['payment.processing 1', 'payment.succeeded 2']);
    const [, opened] = await list(`resource=${payment.body['id']}`);
    expect([opened?.data['status'], opened?.data['version'], opened?.idempotencyKey]).toEqual(['processing', 1, key]);
    const refund = await world.refund(payment.body['id'], { amount: 1 }, { key: `${key}-2`, headers: WAIT });
    await expectFrom(refund, `${key}-2`, 'refund.succeeded', `/v1/refunds/${refund.body['id']}`);
    expect(await toldOf(refund.body['id'])).toEqual(['refund.succeeded 2']);
    // Reserved, then given back: the payment shows another sum, and its version says so.
    const { body } = await world.send('GET', path);
    expect([body['amountRefunded'], body['version']]).toEqual([1, 4]);
  });

  it('a payment and a refund that the provider declines', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const declined = await world.pay(order, 'tok_insufficient_funds', { key, headers: WAIT });
    expectProblem(declined, 'payment-declined');
    await expectFrom(declined, key, 'payment.failed', `/v1/payments/${declined.body['payment'].id}`);
    expect(await toldOf(order.id)).toEqual(['order.created 1']);
    const { payment } = await paid('tok_refund_declined');
    const refused = await world.refund(payment, {}, { key: `${key}-2`, headers: WAIT });
    expectProblem(refused, 'refund-declined');
    await expectFrom(refused, `${key}-2`, 'refund.failed', `/v1/refunds/${refused.body['refund'].id}`);
  });

  it('a cancellation that gives money back', async () => {
    const { order, payment } = await paid();
    const key = uuidv7();
    expect((await world.cancel(order, { key, headers: WAIT })).status).toBe(200);
    expect(await toldOf(order.id)).toEqual(['order.created 1', 'order.paid 2', 'order.cancelled 3']);
    const [refund] = await world.database.query<{ id: string }>('SELECT id FROM refunds WHERE payment_id = $1', [uuidOf('pay', payment)]);
    const event = await expectShown(`/v1/refunds/${publicId('re', refund?.id ?? '')}`, 'refund.succeeded');
    expect(event.idempotencyKey).toBe(key);
  });

  it.each([
    ['happened', HAPPENED, 'payment.succeeded'],
    ['did not happen', DID_NOT, 'payment.failed'],
  ])('a charge of which a person decides that it %s', async (_, body, type) => {
    const order = await world.placeOrder();
    const { key, operation } = await flagPayment(world, order);
    expect((await decide(world, operation, body)).status).toBe(200);
    const [event] = await list(`type=${type}&limit=1`);
    expect([event?.data['orderId'], event?.operationId, event?.idempotencyKey]).toEqual([order.id, operation, key]);
    await expectShown(`/v1/payments/${event?.resource.id}`, type);
  });

  it('a payment that never reached the provider: nobody is left with one that is processing', async () => {
    const order = await world.placeOrder();
    await world.stopSandbox();
    try {
      expectProblem(await world.pay(order), 'provider-unavailable');
    } finally {
      await world.restartSandbox();
    }
    const [failed, processing] = await list('limit=2');
    expect([failed?.type, processing?.type]).toEqual(['payment.failed', 'payment.processing']);
    expect(failed?.resource).toEqual({ ...processing?.resource, version: 2 });
    expect(failed?.data).toMatchObject({ orderId: order.id, status: 'failed', failureCode: 'provider_not_reached', version: 2 });
    expectProblem(await world.send('GET', `/v1/payments/${failed?.resource.id}`), 'not-found');
  });
});

describe('no event is written', () => {
  const events = (): Promise<number> => countOf(world.database, 'events');

  it('by a replay, on any replica', async () => {
    const key = uuidv7();
    await world.send('POST', '/v1/orders', { key, body: ORDER });
    const before = await events();
    for (const on of [world, replica]) {
      expect((await on.send('POST', '/v1/orders', { key, body: ORDER })).headers.get('idempotent-replayed')).toBe('true');
    }
    expect(await events()).toBe(before);
  });

  it('more than one by 20 equal requests at once', async () => {
    const [key, before] = [uuidv7(), await events()];
    const answers = await atOnce(20, (n) => (n % 2 ? world : replica).send('POST', '/v1/orders', { key, headers: WAIT, body: ORDER }));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await events()).toBe(before + 1);
  });

  it('where the request is refused, with or without a stored answer', async () => {
    const order = await world.placeOrder();
    const before = await events();
    expectProblem(await world.send('POST', '/v1/orders', { body: { items: [{ productId: 'none', quantity: 1 }] } }), 'unknown-product');
    expectProblem(
      await world.send('POST', '/v1/orders', { body: { items: [{ productId: order.productId, quantity: 1_000 }] } }),
      'insufficient-stock',
    );
    const stale = { headers: { 'if-match': '"7"' }, body: { customerReference: 'x' } };
    expectProblem(await world.send('PATCH', `/v1/orders/${order.id}`, stale), 'precondition-failed');
    expectProblem(await world.pay(order, 'tok_visa', { amount: 1 }), 'amount-mismatch');
    expect(await events()).toBe(before);
  });

  it('by a payment whose outcome is unknown and that is asked for again', async () => {
    const order = await world.placeOrder();
    const provider = await world.sandbox.hold();
    const key = uuidv7();
    // The provider may be left alone for a while, for what it refused in tests before.
    const answer = await untilAsked(() => world.pay(order, 'tok_visa', { key }));
    expect(answer.status).toBe(202);
    expect(await toldOf(answer.body['id'])).toEqual(['payment.processing 1']);
    await provider.release();
    await eventually('the payment to be settled', async () => (await world.stateOf(order)).payments[0] === 'succeeded');
    expect(await toldOf(answer.body['id'])).toEqual(['payment.processing 1', 'payment.succeeded 2']);
  });
});

describe('GET /v1/events', () => {
  it('is newest first, in pages, and filtered by type', async () => {
    const tickets = [];
    for (let n = 0; n < 5; n += 1) tickets.push(String((await world.send('POST', '/v1/tickets', { body: TICKET })).body['id']));
    const first = await world.send('GET', '/v1/events?type=ticket.created&limit=3');
    const second = await world.send('GET', `/v1/events?type=ticket.created&limit=2&cursor=${first.body['nextCursor']}`);
    const seen = [first, second].flatMap(({ body }) => (body['data'] as Event[]).map(({ resource }) => resource.id));
    expect(seen).toEqual(tickets.toReversed());
    expect((await list('limit=100')).map(({ id }) => id)).toEqual(
      (await list('limit=100'))
        .map(({ id }) => id)
        .sort()
        .toReversed(),
    );
  });

  it('shows one by its id', async () => {
    const [event] = await list('limit=1');
    expect((await world.send('GET', `/v1/events/${event?.id}`)).body).toEqual(event);
    expectProblem(await world.send('GET', '/v1/events/evt_00000000000000000000000000'), 'not-found');
    expectProblem(await world.send('GET', '/v1/events/ord_1'), 'not-found');
  });

  it('shows nothing of another account, and takes none of its events to read after', async () => {
    const [event] = await list('limit=1');
    expect(await list('limit=100', { as: KEY_B })).toEqual([]);
    expectProblem(await world.send('GET', `/v1/events/${event?.id}`, { as: KEY_B }), 'not-found');
    expectProblem(await world.send('GET', `/v1/events?after=${event?.id}`, { as: KEY_B }), 'not-found');
    expect(await countOf(world.database, 'events', 'account_id = $1', [ACCOUNT_B])).toBe(0);
  });

  it('needs webhooks:read', async () => {
    const [reads, doesNot] = [await addApiKey(world.database, ['webhooks:read']), await addApiKey(world.database, ['webhooks:write'])];
    await list('limit=1', { as: reads });
    expectProblem(await world.send('GET', '/v1/events', { as: doesNot }), 'insufficient-scope');
    expectProblem(await world.send('GET', '/v1/events/evt_1', { as: doesNot }), 'insufficient-scope');
  });

  it.each(['type=order.eaten', 'type=*', 'limit=0', 'cursor=x'])('refuses %s', async (query) => {
    expectProblem(await world.send('GET', `/v1/events?${query}`), 'invalid-request');
  });

  it('has only types that are listed', async () => {
    const types = (await list('limit=100')).map(({ type }) => type);
    expect(types.filter((type) => !EVENT_TYPES.some((known) => known === type))).toEqual([]);
  });
});

describe('reading forward', () => {
  const place = async (): Promise<string> => String((await world.send('POST', '/v1/orders', { body: ORDER })).body['id']);
  const newest = async (): Promise<string> => (await list('limit=1'))[0]?.id ?? '';
  const forward = (after: string, more = ''): Promise<string[]> =>
    list(`after=${after}${more}`).then((events) => events.map(({ resource }) => resource.id));
  /** Transactions of other tests on the same server hold it back for a while. */
  const untilForward = async (after: string, expected: string[], more = ''): Promise<void> => {
    await eventually('the events to be read', async () => (await forward(after, more)).length >= expected.length);
    expect(await forward(after, more)).toEqual(expected);
  };

  it('is oldest first, goes on with the last id, and gives each event once', async () => {
    const start = await newest();
    const placed = [];
    for (let n = 0; n < 5; n += 1) placed.push(await place());
    await untilForward(start, placed);
    const answer = await world.send('GET', `/v1/events?after=${start}&limit=3`);
    expect(answer.body['nextCursor']).toBeNull();
    const first = answer.body['data'] as Event[];
    const second = await list(`after=${first.at(-1)?.id}`);
    expect([...first, ...second].map(({ resource }) => resource.id)).toEqual(placed);
    expect(await forward(second.at(-1)?.id ?? '')).toEqual([]);
    expect(await forward(start, '&type=order.paid')).toEqual([]);
    expect(await forward(start, `&type=order.created&resource=${placed[2]}`)).toEqual([placed[2]]);
  });

  it('never passes over what commits late', async () => {
    const start = await newest();
    const client = new Client(world.database.url);
    await client.connect();
    try {
      await client.query('BEGIN');
      // A transaction that began before the order's and ends after it.
      await client.query(
        `INSERT INTO events (account_id, id, transaction_id, type, created_at, resource_type, resource_id, resource_version, data)
         VALUES ($1, $2, pg_current_xact_id()::text::bigint, 'order.created', now(), 'order', 'late', 1, '{}')`,
        [ACCOUNT_A, uuidv7()],
      );
      const order = await place();
      // It is there, and whoever reads forward must not take it yet.
      expect((await list('limit=1'))[0]?.resource.id).toBe(order);
      expect(await forward(start)).toEqual([]);
      expect(await forward(await newest())).toEqual([]);
      await client.query('COMMIT');
      await untilForward(start, ['late', order]);
    } finally {
      await client.end();
    }
  });

  it('shows nothing of a transaction that rolls back', async () => {
    const start = await newest();
    const client = new Client(world.database.url);
    await client.connect();
    await client.query('BEGIN; SELECT pg_current_xact_id()');
    const order = await place();
    await client.query('ROLLBACK');
    await client.end();
    await untilForward(start, [order]);
    expect((await list('limit=1'))[0]?.resource.id).toBe(order);
  });

  it('refuses what is no event, and a cursor beside it', async () => {
    for (const after of ['evt_00000000000000000000000000', 'ord_1', '', await place()]) {
      expectProblem(await world.send('GET', `/v1/events?after=${after}`), 'not-found');
    }
    const { body } = await world.send('GET', '/v1/events?limit=1');
    expectProblem(await world.send('GET', `/v1/events?after=${await newest()}&cursor=${body['nextCursor']}`), 'invalid-request');
  });

  it('goes on after a restore into a server whose transaction ids are lower', async () => {
    const start = await newest();
    const before = await place();
    const endpoint = await world.send('POST', '/v1/webhook-endpoints', { body: { url: 'http://127.0.0.1:1/', types: ['order.paid'] } });
    await world.database.query('UPDATE events SET transaction_id = transaction_id + 1000000000000');
    await world.database.query('UPDATE webhook_endpoints SET position_transaction = position_transaction + 1000000000000');
    expect(await forward(start)).toEqual([]);
    await migrate(urlsOf(world.database.url));
    const after = await place();
    await untilForward(start, [before, after]);
    // The endpoint goes on too.
    const position = `SELECT position_event::text AS event FROM webhook_endpoints WHERE id = $1`;
    const [last] = await world.database.query<{ id: string }>('SELECT id::text FROM events ORDER BY transaction_id DESC, id DESC LIMIT 1');
    await eventually('the endpoint to reach the last event', async () => {
      const [at] = await world.database.query<{ event: string }>(position, [uuidOf('we', endpoint.body['id'])]);
      return at?.event === last?.id;
    });
    const order = `SELECT string_agg(id::text, ' ' ORDER BY transaction_id, id) AS ids FROM events`;
    const [known] = await world.database.query(order);
    await migrate(urlsOf(world.database.url));
    expect(await world.database.query(order)).toEqual([known]);
  });
});

it('events are purged after 30 days, and no others', async () => {
  const old = (days: number): string =>
    `(lpad(to_hex((extract(epoch FROM now() - interval '${days} days') * 1000)::bigint + n), 12, '0') || '7000' || '8000' || lpad(to_hex(n), 12, '0'))::uuid`;
  const insert = (account: string, days: number, count: number): Promise<unknown> =>
    world.database.query(
      `INSERT INTO events (account_id, id, transaction_id, type, created_at, resource_type, resource_id, resource_version, data)
       SELECT $1, ${old(days)}, 1, 'order.created', now() - interval '${days} days', 'order', 'ord_', 1, '{}' FROM generate_series(1, $2::int) AS n`,
      [account, count],
    );
  const before = await countOf(world.database, 'events');
  await insert(ACCOUNT_A, 31, 2_500);
  await insert(ACCOUNT_B, 40, 3);
  await insert(ACCOUNT_B, 29, 2);
  expect(await world.app.get(EventsPurger, { strict: false }).purge()).toBe(2_503);
  expect(await countOf(world.database, 'events')).toBe(before + 2);
});

describe('events of the orders of a batch', () => {
  it('have the operation and the key of their own item', async () => {
    const orders = [item('123'), item('123')];
    const results = resultsOf(await sendBatch(replica, orders));
    for (const [index, { order }] of results.entries()) {
      const key = orders[index]?.idempotencyKey ?? '';
      const [record] = await recordsOf(world.database, key);
      expect(await expectShown(`/v1/orders/${order?.['id']}`, 'order.created')).toMatchObject({
        operationId: publicOperationId(record?.operation_id ?? ''),
        idempotencyKey: key,
      });
    }
  });

  it('are none where the batch was rolled back', async () => {
    const orders = [item('123'), item('no-such')];
    const before = await countOf(world.database, 'events');
    expect(statusesOf(await sendBatch(world, orders, { atomic: true }))).toEqual([424, 422]);
    expect(await countOf(world.database, 'events')).toBe(before);
  });
});
