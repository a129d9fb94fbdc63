import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldfastClient, memoryStore, type ClientOptions, type Store, type StoredIntent } from '../../client/src/index.js';
import { fileStore } from '../../client/src/node.js';
import { KEY_A, KEY_B, ORDER } from '../support/app.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';

let world: PaymentWorld;
beforeAll(async () => {
  world = await startPaymentWorld({ IDEMPOTENCY_WINDOW: '2h' });
});
afterAll(() => world.close());

/** A client of the service, which tells what it fetches. */
function clientOf(options: Partial<ClientOptions> = {}): { client: HoldfastClient; keys: string[] } {
  const keys: string[] = [];
  const client = new HoldfastClient({
    baseUrl: world.url,
    authorization: () => `Bearer ${KEY_A}`,
    backoff: { baseMs: 5, capMs: 50 },
    fetch: (url, init) => {
      keys.push(new Headers(init?.headers).get('idempotency-key') ?? '');
      return fetch(url, init);
    },
    ...options,
  });
  return { client, keys };
}

/** The network loses the answers of the first `count` requests that carry a key. */
function losing(count: number): typeof fetch {
  return async (url, init) => {
    const answer = await fetch(url, init);
    if (!new Headers(init?.headers).has('idempotency-key') || (count -= 1) < 0) return answer;
    await answer.text();
    throw new TypeError('fetch failed');
  };
}

const recordsOf = (key: string): Promise<{ status: string }[]> =>
  world.database.query('SELECT status, response_status FROM idempotency_records WHERE key = $1', [key]);
const ordersNow = async (): Promise<number> => (await world.database.query('SELECT FROM orders')).length;

describe('an intent', () => {
  it('is kept before anything leaves, and sent under its key', async () => {
    const store = memoryStore();
    const { client, keys } = clientOf({ store });
    const before = await ordersNow();
    const intent = await client.orders.prepare(ORDER);
    expect(await store.list()).toMatchObject([
      { key: intent.key, method: 'POST', path: '/v1/orders', body: JSON.stringify(ORDER), attempts: 0 },
    ]);
    expect([keys, await ordersNow()]).toEqual([[], before]);
    const outcome = await intent.send();
    expect(outcome).toMatchObject({ kind: 'done', status: 201, replayed: false, body: { status: 'pending' } });
    expect(outcome).toMatchObject({ operationId: expect.stringMatching(/^op_/), headers: { etag: expect.any(String) } });
    expect([keys, await ordersNow()]).toEqual([[intent.key], before + 1]);
  });

  it('happens once when its answers are lost, and the caller learns that it had happened', async () => {
    const { client } = clientOf({ fetch: losing(2) });
    const before = await ordersNow();
    expect(await client.orders.place(ORDER)).toMatchObject({ kind: 'done', status: 201, replayed: true });
    expect(await ordersNow()).toBe(before + 1);
  });

  it('is found and finished by whoever has the store after a crash', async () => {
    const store = memoryStore();
    const before = await ordersNow();
    // What is left is what a crash leaves: the answer was lost, and nobody sent again.
    const first = await clientOf({ store, fetch: losing(1), attempts: 1 }).client.orders.prepare(ORDER);
    expect(await first.send()).toMatchObject({ kind: 'unknown', mayHaveHappened: true, next: 'send-again' });
    const { client, keys } = clientOf({ store });
    const [found, ...others] = await client.pending();
    expect([found?.key, found?.attempts, found?.body, others]).toEqual([first.key, 1, ORDER, []]);
    expect(await found?.send()).toMatchObject({ kind: 'done', replayed: true });
    expect([keys, await ordersNow()]).toEqual([[first.key], before + 1]);
  });

  it('keeps its end until it is forgotten, and is not sent for it again', async () => {
    const store = memoryStore();
    const { client, keys } = clientOf({ store });
    const outcome = await (await client.orders.prepare(ORDER)).send();
    const [found] = await clientOf({ store }).client.pending();
    expect(found?.outcome).toEqual(outcome);
    expect(await found?.send()).toEqual(outcome);
    expect(keys).toHaveLength(1);
    await found?.forget();
    expect(await client.pending()).toEqual([]);
  });

  it('that is placed is forgotten with its end, and kept without one', async () => {
    const store = memoryStore();
    expect(await clientOf({ store }).client.orders.place(ORDER)).toMatchObject({ kind: 'done' });
    expect(await store.list()).toEqual([]);
    await clientOf({ store, fetch: losing(1), attempts: 1 }).client.orders.place(ORDER);
    expect(await store.list()).toHaveLength(1);
  });

  it('that is refused says so, and whether another key may do', async () => {
    const { client } = clientOf();
    expect(await client.orders.place({ items: [{ productId: 'none-such', quantity: 1 }] })).toMatchObject({
      kind: 'refused',
      status: 422,
      newKeyMakesSense: false,
      problem: { code: 'unknown-product' },
      operationId: expect.stringMatching(/^op_/),
    });
    expect(await client.orders.place({ items: [{ productId: '123', quantity: 0 }] })).toMatchObject({
      kind: 'refused',
      status: 400,
      problem: { code: 'invalid-request', errors: [{ pointer: '/items/0/quantity' }] },
    });
    const order = await world.placeOrder();
    const payment = { orderId: order.id, amount: order.total, currency: order.currency, source: 'tok_declined' };
    expect(await client.place({ method: 'POST', path: '/v1/payments', body: payment })).toMatchObject({
      kind: 'refused',
      status: 402,
      newKeyMakesSense: true,
      problem: { code: 'payment-declined' },
    });
  });

  it('that the provider leaves open is followed to its end by the same key', async () => {
    const order = await world.placeOrder();
    const provider = await world.sandbox.hold();
    const statuses: number[] = [];
    const { client } = clientOf({
      attemptTimeoutMs: 20_000,
      fetch: async (url, init) => {
        const answer = await fetch(url, init);
        statuses.push(answer.status);
        if (statuses.length === 1) await provider.release();
        return answer;
      },
    });
    const body = { orderId: order.id, amount: order.total, currency: order.currency, source: 'tok_visa' };
    const outcome = await client.place({ method: 'POST', path: '/v1/payments', body });
    expect(outcome).toMatchObject({ kind: 'done', status: 201, body: { status: 'succeeded' } });
    expect([statuses[0], statuses.at(-1)]).toEqual([202, 201]);
    expect(await world.chargesOf(order)).toHaveLength(1);
  });
});

describe('one intent, twice', () => {
  it.each([
    ['in memory', () => memoryStore()],
    ['in files', () => fileStore(mkdtempSync(join(tmpdir(), 'holdfast-intents-')))],
  ])('is one request and one end for all who send it at once: %s', async (_name, open) => {
    const store = open();
    const { client, keys } = clientOf({ store });
    const intent = await client.orders.prepare(ORDER);
    const others = await Promise.all([1, 2, 3].map(async () => (await clientOf({ store }).client.pending())[0]));
    const outcomes = await Promise.all([intent, ...others].map(async (each) => each?.send()));
    expect(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size).toBe(1);
    expect([keys.length, await recordsOf(intent.key)]).toMatchObject([1, [{ status: 'completed' }]]);
  });

  it('is unknown to whoever doesn’t wait for the other one', async () => {
    const store = memoryStore();
    let began = (): void => undefined;
    const sending = new Promise<void>((resolve) => (began = resolve));
    const hanging: typeof fetch = (_url, init) => {
      began();
      return new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    };
    const stop = new AbortController();
    const intent = await clientOf({ store, fetch: hanging }).client.orders.prepare(ORDER);
    const first = intent.send({ signal: stop.signal });
    await sending;
    const [other] = await clientOf({ store }).client.pending();
    expect(await other?.send({ deadlineMs: 20 })).toMatchObject({ kind: 'unknown', reason: 'deadline', mayHaveHappened: true });
    stop.abort();
    await first;
  });

  it('by a key of your own is the first intent again, and never another one', async () => {
    const store = memoryStore();
    const { client, keys } = clientOf({ store });
    const key = 'cart-7-of-customer-12';
    const [one, other] = await Promise.all([
      client.orders.prepare(ORDER, { key }),
      clientOf({ store }).client.orders.prepare(ORDER, { key }),
    ]);
    expect([(await one.send()).kind, (await other.send()).kind, keys]).toEqual(['done', 'done', [key]]);
    expect((await client.orders.prepare(ORDER, { key })).outcome?.kind).toBe('done');
    const another = client.orders.prepare({ items: [{ productId: '123', quantity: 2 }] }, { key });
    await expect(another).rejects.toThrow(`the key ${key} belongs to another intent`);
    await expect(client.orders.prepare(ORDER, { key: 'two words' })).rejects.toThrow(TypeError);
  });
});

describe('the window', () => {
  const HOUR = 3_600_000;

  it('that the server keeps answers ends the intent before, here', async () => {
    const store = memoryStore();
    const intent = await clientOf({ store, windowMs: 1_000, fetch: losing(1), attempts: 1 }).client.orders.prepare(ORDER);
    await intent.send();
    const [stored] = await store.list();
    expect((stored?.expiresAt ?? 0) - Date.now()).toBeLessThanOrEqual(900);
    await store.write(intent.key, { ...stored, expiresAt: Date.now() } as StoredIntent);
    const { client, keys } = clientOf({ store });
    const [found] = await client.pending();
    expect(await found?.send()).toMatchObject({ kind: 'unknown', reason: 'expired', next: 'look-up', mayHaveHappened: true });
    expect(keys).toEqual([]);
  });

  it('ends what is kept of an end as well', async () => {
    const store = memoryStore();
    const { client } = clientOf({ store });
    const intent = await client.orders.prepare(ORDER);
    await intent.send();
    const [stored] = await store.list();
    await store.write(intent.key, { ...stored, expiresAt: Date.now() } as StoredIntent);
    expect([await client.pending(), await store.list()]).toEqual([[], []]);
  });

  it('begins when it is sent for the first time: what never left is sent however old', async () => {
    const store = memoryStore();
    const intent = await clientOf({ store, windowMs: 0 }).client.orders.prepare(ORDER);
    expect((await store.list())[0]).not.toHaveProperty('expiresAt');
    expect(await intent.send()).toMatchObject({ kind: 'done', replayed: false });
  });

  it('is learned from the server’s policy', async () => {
    const store = memoryStore();
    const { client } = clientOf({ store, fetch: losing(1), attempts: 1 });
    expect(await client.learnPolicy()).toBe(true);
    const now = Date.now();
    await (await client.orders.prepare(ORDER)).send();
    const [stored] = await store.list();
    expect(Math.abs((stored?.expiresAt ?? 0) - now - 1.8 * HOUR)).toBeLessThan(60_000);
  });

  it('is the one that an answer tells, for what is kept of it', async () => {
    const store = memoryStore();
    const { client } = clientOf({ store });
    const now = Date.now();
    await (await client.orders.prepare(ORDER)).send();
    const [stored] = await store.list();
    expect(Math.abs((stored?.expiresAt ?? 0) - now - 1.8 * HOUR)).toBeLessThan(60_000);
  });

  it('that has passed at the server is unknown, with the operation that tells', async () => {
    const store = memoryStore();
    const { client } = clientOf({ store });
    const intent = await client.orders.prepare(ORDER);
    await intent.send({ forget: true });
    await world.database.query(`UPDATE idempotency_records SET expires_at = clock_timestamp() - interval '1 s' WHERE key = $1`, [
      intent.key,
    ]);
    // Another replica, for this one has the answer in its memory.
    const { url: baseUrl } = await world.secondApp();
    const late = await clientOf({ baseUrl }).client.orders.prepare(ORDER, { key: intent.key });
    expect(await late.send()).toMatchObject({
      kind: 'unknown',
      reason: 'expired',
      next: 'look-up',
      mayHaveHappened: true,
      operationId: expect.stringMatching(/^op_/),
    });
  });
});

describe('what is stored', () => {
  it('holds no credential: those are refused among the headers, and the API key is asked for', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'holdfast-intents-'));
    const { client } = clientOf({ store: fileStore(directory) });
    await (await client.orders.prepare(ORDER, { headers: { Prefer: 'handling=lenient' } })).send();
    for (const name of ['Authorization', 'Cookie', 'X-Api-Key', 'x-auth-token'])
      await expect(client.orders.prepare(ORDER, { headers: { [name]: KEY_A } })).rejects.toThrow('would be stored with the intent');
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const texts = files.map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'));
    expect(texts.join('\n')).toContain('handling=lenient');
    expect(texts.join('\n')).not.toMatch(/hf_test_|authorization|set-cookie/i);
    rmSync(directory, { recursive: true });
  });

  it('is seen within its scope alone', async () => {
    const store = memoryStore();
    await clientOf({ store, scope: 'a' }).client.orders.prepare(ORDER);
    const other = clientOf({ store, scope: 'b', authorization: () => `Bearer ${KEY_B}` }).client;
    expect(await other.pending()).toEqual([]);
    expect(await clientOf({ store, scope: 'a' }).client.pending()).toHaveLength(1);
  });

  it('that could not be written is never sent', async () => {
    const full: Store = { ...memoryStore(), write: () => Promise.reject(new Error('the disk is full')) };
    const { client, keys } = clientOf({ store: full });
    await expect(client.orders.place(ORDER)).rejects.toThrow('the disk is full');
    expect(keys).toEqual([]);
  });

  it('lacks an end that could not be written; the caller has it all the same', async () => {
    const store = memoryStore();
    const errors: unknown[] = [];
    const failing: Store = {
      ...store,
      write: (key, intent) => (intent?.outcome ? Promise.reject(new Error('full')) : store.write(key, intent)),
    };
    const intent = await clientOf({ store: failing, onStoreError: (error) => errors.push(error) }).client.orders.prepare(ORDER);
    expect(await intent.send()).toMatchObject({ kind: 'done', replayed: false });
    expect(errors).toEqual([new Error('full')]);
    expect(await (await clientOf({ store }).client.pending())[0]?.send()).toMatchObject({ kind: 'done', replayed: true });
  });
});
