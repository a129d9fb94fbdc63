import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { v7 as uuidv7 } from 'uuid';
import { Operations } from '../../src/idempotency/index.js';
import { ProviderEventsPurger } from '../../src/payments/provider-events.purger.js';
import { KEY_A, atOnce, tally, type TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { countOf } from '../support/ledger.js';
import { open } from '../support/raw-http.js';
import { startPaymentWorld, WEBHOOK_SECRET, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
beforeAll(async () => {
  world = await startPaymentWorld({ TRUST_PROXY: '127.0.0.1' });
});
afterEach(() => world.faults({}));
afterAll(() => world.close());

const PAID = { order: 'paid', payments: ['succeeded'], amountRefunded: 0, charges: 1, refunded: 0 };
const events = (): Promise<number> => countOf(world.database, 'provider_events');

interface Sent {
  id?: string;
  at?: Date;
  secret?: string;
  without?: string;
  /** What is sent, where that isn't what was signed. */
  instead?: string;
  /** Address that it comes from. */
  from?: string;
}

/** Sends an event as the provider does, or with something wrong. */
function deliver(
  body: unknown,
  { id = `evt_${uuidv7()}`, at = new Date(), secret = WEBHOOK_SECRET, without, instead, from }: Sent = {},
): Promise<TestResponse> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, text),
  };
  delete headers[without ?? ''];
  if (from !== undefined) headers['x-forwarded-for'] = from;
  return world.send('POST', '/v1/provider/webhooks', { as: null, key: null, headers, body: instead ?? text });
}

/** The event of a charge, as the sandbox words it. */
async function chargeEvent(order: PlacedOrder, type = 'charge.succeeded'): Promise<{ type: string; data: object }> {
  const [payment] = await world.database.query<{ reference: string }>('SELECT reference FROM payments WHERE amount = $1', [order.total]);
  const [charge] = await world.chargesOf(order);
  return { type, data: { ...charge, reference: payment?.reference ?? 'hf_unknown', status: 'succeeded' } };
}

describe('an event is taken', () => {
  it('with a valid signature: 204, and once', async () => {
    const before = await events();
    const id = `evt_${uuidv7()}`;
    for (let n = 0; n < 3; n += 1) {
      const answer = await deliver({ type: 'charge.succeeded', data: {} }, { id });
      expect([answer.status, answer.text]).toEqual([204, '']);
    }
    expect(await events()).toBe(before + 1);
  });

  it('without an API key, an idempotency key or a look at other headers', async () => {
    expect((await deliver({ type: 'anything.at.all' })).status).toBe(204);
  });

  it.each<[string, Sent]>([
    ['signed with another secret', { secret: `whsec_${Buffer.from('somebody else entirely, not us').toString('base64')}` }],
    ['whose bytes are not those that were signed', { instead: '{"type":"charge.succeeded", "data":{}}' }],
    ['without a signature', { without: 'webhook-signature' }],
    ['without a time', { without: 'webhook-timestamp' }],
    ['without an id', { without: 'webhook-id' }],
    ['from more than five minutes ago', { at: new Date(Date.now() - 5.2 * 60_000) }],
    ['from more than five minutes ahead', { at: new Date(Date.now() + 5.2 * 60_000) }],
  ])('never %s: 401, and nothing is stored', async (_what, sent) => {
    const before = await events();
    expectProblem(await deliver({ type: 'charge.succeeded', data: {} }, sent), 'invalid-signature');
    expect(await events()).toBe(before);
  });

  it.each([
    'not json',
    '',
    '[]',
    '"text"',
    'null',
    '{}',
    '{"type":7}',
    '{"type":"charge.succeeded","data":"x"}',
    '{"type":"a","data":{"reference":9}}',
    '{"type":"a\\u0000b","data":{"reference":"\\ud800"}}',
    '{"type":"a","type":"b","__proto__":{}}',
    `{"type":"${'x'.repeat(10_000)}","data":{"reference":"${'y'.repeat(10_000)}"}}`,
    `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
    JSON.stringify({ type: 'wide', data: { list: Array.from({ length: 20_000 }, (_, n) => n) } }),
  ])('whatever is signed, as far as it is understood: 204 for %.60p', async (garbage) => {
    const before = await events();
    expect((await deliver(garbage)).status).toBe(204);
    expect(await events()).toBe(before + 1);
  });

  it('with an id of any length, once', async () => {
    const before = await events();
    const id = `evt_${'9'.repeat(8_000)}`;
    for (let n = 0; n < 2; n += 1) expect((await deliver({ type: 'a' }, { id })).status).toBe(204);
    expect(await events()).toBe(before + 1);
  });

  it('whatever its media type says', async () => {
    const text = JSON.stringify({ type: 'charge.succeeded' });
    const at = new Date();
    const headers = {
      'content-type': 'text/plain',
      'webhook-id': `evt_${uuidv7()}`,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    };
    const signature = new Webhook(WEBHOOK_SECRET).sign(headers['webhook-id'], at, text);
    const sent = { as: null, key: null, headers: { ...headers, 'webhook-signature': signature }, body: text };
    expect((await world.send('POST', '/v1/provider/webhooks', sent)).status).toBe(204);
  });

  it('only up to 1 MiB: 413', async () => {
    expectProblem(await deliver({ type: 'a', data: 'x'.repeat(1024 * 1024) }), 'payload-too-large');
  });
});

describe('whoever can sign nothing is a stranger', () => {
  const now = (): string => String(Math.floor(Date.now() / 1_000));
  const signature = `v1,${Buffer.alloc(32).toString('base64')}`;

  /** The status that a client hears which has sent headers, and nothing of the body that they announce; null where it hears nothing. */
  async function heardBeforeTheBody(headers: Record<string, string>): Promise<number | null> {
    const socket = open(world.url);
    let answer = '';
    socket.on('data', (chunk) => (answer += chunk.toString('latin1')));
    const lines = { host: 'x', 'content-length': '1000', ...headers };
    socket.write(
      `POST /v1/provider/webhooks HTTP/1.1\r\n${Object.entries(lines)
        .map((line) => `${line.join(': ')}\r\n`)
        .join('')}\r\n`,
    );
    // What answers without the body has answered before a request that comes later and reads the database.
    for (let n = 0; n < 5; n += 1) await world.send('GET', '/v1/orders');
    socket.destroy();
    return answer === '' ? null : Number(answer.split(' ')[1]);
  }

  it.each<[string, Record<string, string>]>([
    ['without anything', {}],
    ['without a signature', { 'webhook-id': 'evt_1', 'webhook-timestamp': now() }],
    [
      'with a signature of another version',
      { 'webhook-id': 'evt_1', 'webhook-timestamp': now(), 'webhook-signature': `v9${signature.slice(2)}` },
    ],
    ['with one that is too short', { 'webhook-id': 'evt_1', 'webhook-timestamp': now(), 'webhook-signature': 'v1,AAAA' }],
    ['without a time', { 'webhook-id': 'evt_1', 'webhook-signature': signature }],
    ['of a time that is none', { 'webhook-id': 'evt_1', 'webhook-timestamp': 'now', 'webhook-signature': signature }],
    ['of a day ago', { 'webhook-id': 'evt_1', 'webhook-timestamp': String(Number(now()) - 86_400), 'webhook-signature': signature }],
    ['without an id', { 'webhook-timestamp': now(), 'webhook-signature': signature }],
  ])('%s: it is refused before its body comes', async (_what, headers) => {
    expect(await heardBeforeTheBody(headers)).toBe(401);
  });

  it('with headers that might be right: its body is waited for', async () => {
    expect(await heardBeforeTheBody({ 'webhook-id': 'evt_1', 'webhook-timestamp': now(), 'webhook-signature': signature })).toBeNull();
  });

  it('and its failures count for its address: after 300 it is answered 429, with a right signature and with an API key as well', async () => {
    const secret = `whsec_${Buffer.from('somebody else entirely, not us').toString('base64')}`;
    const wrong: Sent[] = [{ secret }, { without: 'webhook-signature' }, { at: new Date(0) }];
    const answers = await atOnce(300, (n) => deliver({ type: 'a' }, { ...wrong[n % wrong.length], from: '192.0.2.1' }));
    expect(tally(answers)).toEqual({ 401: 300 });
    const before = await events();
    expectProblem(await deliver({ type: 'a' }, { from: '192.0.2.1' }), 'rate-limited');
    expectProblem(await world.send('GET', '/v1/orders', { as: KEY_A, headers: { 'x-forwarded-for': '192.0.2.1' } }), 'rate-limited');
    expect(await events()).toBe(before);
    expect((await deliver({ type: 'a' }, { from: '192.0.2.2' })).status).toBe(204);
  });
});

describe('whatever is told, the payment ends in the same state', () => {
  it('told twice, twenty times at once, after its end', async () => {
    const order = await world.placeOrder();
    await world.pay(order);
    const event = await chargeEvent(order);
    await Promise.all([deliver(event), deliver(event)]);
    const id = `evt_${uuidv7()}`;
    const answers = await atOnce(20, () => deliver(event, { id }));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([204]));
    await sleep(300);
    expect(await world.stateOf(order)).toEqual(PAID);
  });

  it('told before the provider has answered the request', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.faults({ latencyMs: 350 });
    const paying = world.pay(order, 'tok_visa', { key });
    await eventually('the charge to be made', async () => (await world.chargesOf(order)).length === 1);
    await atOnce(3, async () => deliver(await chargeEvent(order)));
    const answer = await paying;
    expect([answer.status, answer.body['status']]).toEqual([201, 'succeeded']);
    expect(await world.stateOf(order)).toEqual(PAID);
  });

  it('told while it waits for the recoverer, which then comes at once', async () => {
    const order = await world.placeOrder();
    expect((await world.pay(order, 'tok_hang_after')).status).toBe(202);
    await world.database.query(
      `UPDATE idempotency_records SET next_run_at = clock_timestamp() + interval '1 hour' WHERE status = 'running' AND lease_until IS NULL`,
    );
    if ((await world.stateOf(order)).order === 'pending') await deliver(await chargeEvent(order));
    await eventually('the payment to succeed', async () => (await world.stateOf(order)).order === 'paid');
    expect(await world.stateOf(order)).toEqual(PAID);
  });

  it('told while the operation could not be woken: it is not taken, and told again it wakes', async () => {
    const order = await world.placeOrder();
    await world.pay(order);
    const [event, id, before] = [await chargeEvent(order), `evt_${uuidv7()}`, await events()];
    const wake = jest.spyOn(Operations.prototype, 'wake').mockRejectedValueOnce(new Error('the connection was lost'));
    expect((await deliver(event, { id })).status).toBe(500);
    expect(await events()).toBe(before);
    for (let n = 0; n < 3; n += 1) expect((await deliver(event, { id })).status).toBe(204);
    expect([wake.mock.calls.length, await events()]).toEqual([2, before + 1]);
    wake.mockRestore();
  });

  it('told in reversed order, the refund before the charge', async () => {
    const order = await world.placeOrder();
    const payment = await world.pay(order, 'tok_visa');
    await world.refund(String(payment.body['id']), { amount: 10 });
    const [refund] = await world.refundsOf(order);
    await deliver({ type: 'refund.succeeded', data: refund });
    await deliver(await chargeEvent(order));
    await sleep(300);
    expect(await world.stateOf(order)).toEqual({ ...PAID, amountRefunded: 10, refunded: 10 });
  });

  it('told a lie: an event is a hint, the provider is asked', async () => {
    const [order, declined] = [await world.placeOrder(), await world.placeOrder()];
    const held = await world.sandbox.hold();
    try {
      expect((await world.pay(order, 'tok_visa')).status).toBe(202);
      expect((await world.pay(declined, 'tok_declined')).status).toBe(202);
      await deliver(await chargeEvent(order, 'charge.declined'));
      await deliver(await chargeEvent(declined, 'charge.succeeded'));
      await sleep(300);
      expect(await world.stateOf(order)).toMatchObject({ order: 'pending', payments: ['processing'] });
      expect(await world.stateOf(declined)).toMatchObject({ order: 'pending', payments: ['processing'] });
    } finally {
      await held.release();
    }
    await eventually('the truth to be known', async () => (await world.stateOf(order)).order === 'paid');
    await eventually('the other truth to be known', async () => (await world.stateOf(declined)).payments[0] === 'failed');
    expect(await world.stateOf(order)).toEqual(PAID);
    expect(await world.stateOf(declined)).toMatchObject({ order: 'pending', charges: 0 });
  });

  it('told of a payment that nobody knows: 204, and nothing changes', async () => {
    const payments = await countOf(world.database, 'payments');
    const answer = await deliver({ type: 'charge.succeeded', data: { id: 'ch_1', reference: 'hf_nobody', amount: 1, currency: 'EUR' } });
    expect([answer.status, await countOf(world.database, 'payments')]).toEqual([204, payments]);
  });

  it('told by the provider itself, of charges, declines and refunds under faults', async () => {
    await world.restartSandbox({ webhooks: true });
    const orders = await atOnce(5, () => world.placeOrder());
    const before = await events();
    const sources = ['tok_visa', 'tok_drop_after', 'tok_hang_after', 'tok_declined', 'tok_error_500'];
    await Promise.all(orders.map((order, n) => world.pay(order, sources[n], { headers: { prefer: 'wait=20' } })));
    const [first] = orders;
    if (first) await world.cancel(first);
    await eventually('six events to arrive', async () => (await events()) === before + 6);
    const states = await Promise.all(orders.map((order) => world.stateOf(order)));
    const total = first?.total ?? 0;
    expect(states).toEqual([
      { order: 'cancelled', payments: ['succeeded'], amountRefunded: total, charges: 1, refunded: total },
      PAID,
      PAID,
      { order: 'pending', payments: ['failed'], amountRefunded: 0, charges: 0, refunded: 0 },
      PAID,
    ]);
  });
});

describe('the inbox is purged', () => {
  const purge = (on: Pick<PaymentWorld, 'app'> = world): Promise<number> => on.app.get(ProviderEventsPurger).purge();
  const insert = (prefix: string, age: string, count: number) =>
    world.database.query(
      `INSERT INTO provider_events (id, type, received_at) SELECT $1::text || n, 'charge.succeeded', now() - $2::interval FROM generate_series(1, $3::int) n`,
      [prefix, age, count],
    );
  const left = (prefix: string): Promise<number> => countOf(world.database, 'provider_events', 'starts_with(id, $1)', [prefix]);

  it('of what is older than 30 days, and of nothing else', async () => {
    await insert('evt_old_', '30 days 1 second', 3);
    await insert('evt_young_', '29 days 23 hours', 3);
    expect(await purge()).toBe(3);
    expect([await left('evt_old_'), await left('evt_young_'), await purge()]).toEqual([0, 3, 0]);
  });

  it('in several batches, by two replicas at once, each event by one of them', async () => {
    const replica = await world.secondApp();
    await insert('evt_many_', '31 days', 2_500);
    const [one, other] = await Promise.all([purge(), purge(replica)]);
    expect(one + other).toBe(2_500);
    expect(await left('evt_many_')).toBe(0);
  });

  it('and an event that comes again after that is taken again, once', async () => {
    await insert('evt_late_', '31 days', 1);
    await purge();
    for (let n = 0; n < 2; n += 1) expect((await deliver({ type: 'charge.succeeded' }, { id: 'evt_late_1' })).status).toBe(204);
    expect(await left('evt_late_')).toBe(1);
  });
});
