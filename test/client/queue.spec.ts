import { IdempotentClient, memoryStore, type ClientOptions, type QueueSnapshot, type Store } from '../../client/src/index.js';
import { eventually } from '../support/eventually.js';
import { problem, scriptedServer, type Reaction, type ScriptedServer } from './support/server.js';

const servers: ScriptedServer[] = [];
const clients: IdempotentClient[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.queue.stop()));
  await Promise.all(servers.splice(0).map((server) => server.close()));
  network(true);
  jest.useRealTimers();
});

async function serverThat(...reactions: Reaction[]): Promise<ScriptedServer> {
  const server = await scriptedServer(...reactions);
  servers.push(server);
  return server;
}

function clientOf(server: ScriptedServer, options: Partial<ClientOptions> = {}): IdempotentClient {
  const client = new IdempotentClient({ baseUrl: server.url, backoff: { baseMs: 1, capMs: 5 }, attempts: 2, ...options });
  clients.push(client);
  return client;
}

/** What a browser tells of its network. */
function network(online: boolean): void {
  Object.defineProperty(globalThis, 'navigator', { value: { onLine: online }, configurable: true });
  target.dispatchEvent(new Event(online ? 'online' : 'offline'));
}
const target = new EventTarget();
Object.assign(globalThis, {
  addEventListener: target.addEventListener.bind(target),
  removeEventListener: target.removeEventListener.bind(target),
});

const OK: Reaction = { status: 201, body: {} };
const order = (number: number) => ({ method: 'POST', path: '/orders', body: { number } });
const numbers = ({ received }: ScriptedServer): number[] => received.map(({ body }) => (JSON.parse(body) as { number: number }).number);
const states = ({ entries }: QueueSnapshot): string[] => entries.map(({ state }) => state);

/** Waits until the queue's entries have these states. */
async function reaches(client: IdempotentClient, expected: string[]): Promise<QueueSnapshot> {
  const { queue } = client;
  return new Promise((resolve) => {
    const look = (): void => {
      const snapshot = queue.getSnapshot();
      if (JSON.stringify(states(snapshot)) !== JSON.stringify(expected)) return;
      unsubscribe();
      resolve(snapshot);
    };
    const unsubscribe = queue.subscribe(look);
    look();
  });
}

it('sends one lane in the order in which it was filled, each behind the end of the one before it', async () => {
  let inside = 0;
  const slow: Reaction = async () => {
    expect((inside += 1)).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside -= 1;
    return OK;
  };
  const server = await serverThat(slow, 'cut', slow);
  const client = clientOf(server);
  for (let number = 0; number < 10; number += 1) await client.queue.add(order(number));
  expect(states(client.queue.getSnapshot())).toEqual(Array.from({ length: 10 }, () => 'waiting'));
  expect(server.received).toEqual([]);
  await client.queue.start();
  await reaches(
    client,
    Array.from({ length: 10 }, () => 'done'),
  );
  expect(numbers(server)).toEqual([0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

it('lets no lane wait for another one', async () => {
  const server = await serverThat((request) => (request.body.includes('"number":1}') ? 'silence' : OK));
  const client = clientOf(server);
  await client.queue.start();
  const [stuck, free] = [await client.queue.add(order(1), { lane: 'a' }), await client.queue.add(order(2), { lane: 'b' })];
  await reaches(client, ['sending', 'done']);
  expect([stuck.lane, free.lane]).toEqual(['a', 'b']);
});

it('waits while there is no network, and sends with the first keys when it is back', async () => {
  const server = await serverThat(OK);
  const client = clientOf(server);
  network(false);
  await client.queue.start();
  const keys = [(await client.queue.add(order(1))).key, (await client.queue.add(order(2))).key];
  expect(client.queue.getSnapshot()).toMatchObject({ online: false, running: true, entries: [{ state: 'waiting' }, { state: 'waiting' }] });
  network(true);
  await reaches(client, ['done', 'done']);
  expect(server.received.map(({ headers }) => headers['idempotency-key'])).toEqual(keys);
  expect(client.queue.getSnapshot().online).toBe(true);
});

it('says that it sends again because the network was gone', async () => {
  const server = await serverThat('cut', 'cut', OK);
  const client = clientOf(server);
  await client.queue.start();
  const entry = await client.queue.add(order(1));
  await eventually('its first outcome', () => client.queue.getSnapshot().entries[0]?.outcome);
  network(false);
  network(true);
  await reaches(client, ['done']);
  expect(server.received.map(({ headers }) => [headers['idempotency-key'], headers['retry-attempt'], headers['retry-reason']])).toEqual([
    [entry.key, undefined, undefined],
    [entry.key, '2', 'connection'],
    [entry.key, expect.any(String), 'offline'],
  ]);
});

it('goes on after a refusal, and shows it until it is forgotten', async () => {
  const server = await serverThat(problem(409, 'insufficient-stock', 'new-key'), OK);
  const client = clientOf(server);
  const first = await client.queue.add(order(1));
  await client.queue.add(order(2));
  await client.queue.start();
  const { entries } = await reaches(client, ['refused', 'done']);
  expect(entries[0]?.outcome).toMatchObject({ kind: 'refused', newKeyMakesSense: true, problem: { code: 'insufficient-stock' } });
  await client.queue.forget(first.key);
  expect(states(client.queue.getSnapshot())).toEqual(['done']);
});

it('holds a lane up where somebody is needed, until it is woken', async () => {
  const server = await serverThat(problem(401, 'unauthenticated', 'never'), OK);
  const client = clientOf(server);
  await client.queue.add(order(1));
  await client.queue.add(order(2));
  await client.queue.start();
  await reaches(client, ['stuck', 'waiting']);
  expect(numbers(server)).toEqual([1]);
  await client.queue.wake();
  await reaches(client, ['done', 'done']);
  expect(numbers(server)).toEqual([1, 1, 2]);
});

it('holds a lane up behind what cannot be known, until that is forgotten', async () => {
  const server = await serverThat(problem(410, 'idempotency-key-expired', 'never', { operationId: 'op_1' }), OK);
  const client = clientOf(server);
  const first = await client.queue.add(order(1));
  await client.queue.add(order(2));
  await client.queue.start();
  const { entries } = await reaches(client, ['stuck', 'waiting']);
  expect(entries[0]?.outcome).toMatchObject({ kind: 'unknown', next: 'look-up', operationId: 'op_1' });
  await client.queue.forget(first.key);
  await reaches(client, ['done']);
  expect(numbers(server)).toEqual([1, 2]);
});

describe('another tab or process on the same store', () => {
  const two = async (reaction: Reaction, store: Store = memoryStore()): Promise<[ScriptedServer, IdempotentClient, IdempotentClient]> => {
    const server = await serverThat(reaction);
    return [server, clientOf(server, { store }), clientOf(server, { store })];
  };

  it('sends nothing twice, and keeps the order with it', async () => {
    const [server, one, other] = await two(OK);
    for (let number = 0; number < 20; number += 1) await (number % 2 ? one : other).queue.add(order(number));
    await Promise.all([one.queue.start(), other.queue.start()]);
    await Promise.all(
      [one, other].map((client) =>
        reaches(
          client,
          Array.from({ length: 20 }, () => 'done'),
        ),
      ),
    );
    expect(numbers(server)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  it('finds at its start what is left of the first', async () => {
    const [server, one, other] = await two(OK);
    const { key } = await one.queue.add(order(1));
    await other.queue.start();
    await reaches(other, ['done']);
    expect(server.received.map(({ headers }) => headers['idempotency-key'])).toEqual([key]);
    expect(states(one.queue.getSnapshot())).toEqual(['waiting']);
    await one.queue.refresh();
    expect(states(one.queue.getSnapshot())).toEqual(['done']);
  });

  it.each([
    ['when it is woken', (other: IdempotentClient) => other.queue.wake()],
    ['when the network comes back', async () => network(true)],
    ['when it is told to read', (other: IdempotentClient) => other.queue.refresh()],
    ['by itself, after half a minute', async () => jest.advanceTimersByTime(30_000)],
  ])('sends %s, once, what one that has ended left in lanes that it had not heard of', async (_when, happen) => {
    jest.useFakeTimers({ doNotFake: ['Date', 'performance', 'nextTick', 'queueMicrotask', 'setImmediate', 'setTimeout', 'clearTimeout'] });
    const [server, one, other] = await two(OK);
    await other.queue.start();
    const keys = [(await one.queue.add(order(1), { lane: 'a' })).key, (await one.queue.add(order(2), { lane: 'a' })).key];
    expect(other.queue.getSnapshot().entries).toEqual([]);
    await happen(other);
    await reaches(other, ['done', 'done']);
    await one.queue.start();
    await reaches(one, ['done', 'done']);
    expect(server.received.map(({ headers }) => headers['idempotency-key'])).toEqual(keys);
  });

  it('reads what is new without sending again what is stuck', async () => {
    const [server, one, other] = await two(problem(401, 'unauthenticated', 'never'));
    await one.queue.add(order(1), { lane: 'a' });
    await other.queue.start();
    await reaches(other, ['stuck']);
    await one.queue.add(order(2), { lane: 'a' });
    await other.queue.refresh();
    // A lane that had been begun would be at its end before this one.
    await one.queue.add(order(3), { lane: 'b' });
    await other.queue.refresh();
    await reaches(other, ['stuck', 'waiting', 'stuck']);
    expect(numbers(server)).toEqual([1, 3]);
  });

  it('takes over what a stopped queue was sending', async () => {
    let first = true;
    const [server, one, other] = await two(() => {
      if (!first) return OK;
      first = false;
      return 'silence';
    });
    await one.queue.start();
    const { key } = await one.queue.add(order(1));
    await server.request(1);
    await one.queue.stop();
    expect(one.queue.getSnapshot()).toMatchObject({ running: false, entries: [{ state: 'waiting', outcome: { reason: 'aborted' } }] });
    await other.queue.start();
    await reaches(other, ['done']);
    expect(server.received.map(({ headers }) => headers['idempotency-key'])).toEqual([key, key]);
  });

  it('has no part in what is pending without a lane, nor that in it', async () => {
    const [, one, other] = await two(OK);
    const intent = await one.prepare(order(1));
    await one.queue.add(order(2));
    await other.queue.start();
    await reaches(other, ['done']);
    expect((await other.pending()).map(({ key }) => key)).toEqual([intent.key]);
  });
});

it('has one snapshot between two changes, another one after each, and tells only who listens', async () => {
  const client = clientOf(await serverThat(OK));
  const { subscribe, getSnapshot } = client.queue;
  const seen: QueueSnapshot[] = [];
  const unsubscribe = subscribe(() => seen.push(getSnapshot()));
  expect(getSnapshot()).toBe(getSnapshot());
  await client.queue.start();
  await client.queue.add(order(1));
  const last = await reaches(client, ['done']);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.at(-1)).toBe(last);
  expect(seen.map((snapshot) => states(snapshot).join())).toEqual(expect.arrayContaining(['', 'waiting', 'sending', 'done']));
  unsubscribe();
  const count = seen.length;
  await client.queue.stop();
  expect(seen).toHaveLength(count);
});
