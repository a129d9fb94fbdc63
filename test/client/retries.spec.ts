import { setTimeout as sleep } from 'node:timers/promises';
import { IdempotentClient, memoryStore, type ClientOptions, type Store } from '../../client/src/index.js';
import { problem, scriptedServer, type Reaction, type ScriptedServer } from './support/server.js';

const BODY = { amount: 2500 };
const DONE = { status: 201, body: { id: 'one' } };
const servers: ScriptedServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

interface Setup {
  client: IdempotentClient;
  server: ScriptedServer;
  store: Store;
}

/** A client that doesn't wait long, of a server that reacts as told. */
async function setUp(reactions: Reaction[], options: Partial<ClientOptions> = {}): Promise<Setup> {
  const server = await scriptedServer(...reactions);
  servers.push(server);
  const store = memoryStore();
  const backoff = { baseMs: 1, capMs: 5 };
  return { server, store, client: new IdempotentClient({ baseUrl: server.url, store, backoff, ...options }) };
}

const wanted = (more: { headers?: Record<string, string>; key?: string } = {}) => ({
  method: 'POST',
  path: '/payments',
  body: BODY,
  ...more,
});
const keysOf = ({ received }: ScriptedServer): unknown[] => [...new Set(received.map(({ headers }) => headers['idempotency-key']))];

describe('a request without an answer', () => {
  it.each([
    ['is cut off', 'cut', 'connection'],
    ['is answered too late', 'silence', 'timeout'],
    ['fails inside the server', { status: 500 }, 'server-error'],
    ['is answered by a proxy alone', { status: 502, text: '<h1>Bad Gateway</h1>' }, 'server-error'],
    ['is turned away for now', { status: 429, headers: { 'retry-after': '0' } }, 'rate-limited'],
    ['came too slowly', { status: 408, headers: { 'retry-after': '0' } }, 'timeout'],
    ['has an answer that is cut off', { status: 201, headers: { 'content-length': '99' }, text: '{"id":' }, 'timeout'],
    ['has an answer that is no JSON', { status: 201, headers: { 'content-type': 'application/json' }, text: '<h1>Login' }, 'connection'],
    ['is in progress', problem(409, 'idempotency-request-in-progress', 'same-key'), 'in-progress'],
    ['is accepted', { status: 202, headers: { 'retry-after': '0' }, body: { status: 'processing' } }, 'in-progress'],
  ] as [string, Reaction, string][])('that %s is sent again as it was, and says why', async (_name, reaction, reason) => {
    const { client, server } = await setUp([reaction, DONE], reason === 'timeout' ? { attemptTimeoutMs: 500 } : {});
    const outcome = await client.place(wanted({ headers: { 'Request-Deadline': '60' } }));
    expect(outcome).toMatchObject({ kind: 'done', status: 201, body: { id: 'one' } });
    const [first, second] = server.received;
    expect(server.received).toHaveLength(2);
    expect([second?.method, second?.path, second?.body]).toEqual(['POST', '/payments', JSON.stringify(BODY)]);
    expect([first?.headers['retry-attempt'], first?.headers['retry-reason']]).toEqual([undefined, undefined]);
    expect([second?.headers['retry-attempt'], second?.headers['retry-reason']]).toEqual(['2', reason]);
    expect(keysOf(server)).toHaveLength(1);
    expect(server.received.map(({ headers }) => headers['request-deadline'])).toEqual(['60', '60']);
  });

  it.each([
    ['503', { status: 503, headers: { 'retry-after': '0' } }],
    ['a cut connection', 'cut'],
    ['silence', 'silence'],
    ['429', problem(429, 'rate-limited', 'same-key')],
    ['409 in progress', problem(409, 'idempotency-request-in-progress', 'same-key')],
    ['202', { status: 202, headers: { 'retry-after': '0' }, body: {} }],
  ] as [string, Reaction][])('is one request on the wire where retries are off: %s', async (_name, reaction) => {
    const { client, server } = await setUp([reaction], { attempts: 1, attemptTimeoutMs: 100 });
    expect(await client.place(wanted())).toMatchObject({ kind: 'unknown', reason: 'attempts', next: 'send-again' });
    expect(server.received).toHaveLength(1);
  });

  it('is tried as often as allowed, and is kept', async () => {
    const { client, server, store } = await setUp([{ status: 503 }], { attempts: 3 });
    expect(await client.place(wanted())).toMatchObject({ kind: 'unknown', reason: 'attempts', mayHaveHappened: true });
    expect(server.received).toHaveLength(3);
    expect(await store.list()).toHaveLength(1);
  });

  it('says that it is a retry only where it may', async () => {
    const { client, server } = await setUp(['cut', DONE], { retryHeaders: false });
    await client.place(wanted());
    expect(Object.keys(server.received[1]?.headers ?? {}).filter((name) => name.startsWith('retry'))).toEqual([]);
  });
});

describe('the verdict', () => {
  it.each([
    ['never', 503, 'never', { kind: 'refused', newKeyMakesSense: false, resendable: false }],
    ['new-key', 409, 'new-key', { kind: 'refused', newKeyMakesSense: true, resendable: false }],
  ])('%s ends it, whatever the status', async (_name, status, retry, expected) => {
    const { client, server, store } = await setUp([problem(status, 'some-problem', retry)]);
    expect(await client.place(wanted())).toMatchObject({ ...expected, status, problem: { code: 'some-problem' } });
    expect(server.received).toHaveLength(1);
    expect(await store.list()).toEqual([]);
  });

  it('same-key goes on, whatever the status', async () => {
    const { client } = await setUp([problem(404, 'some-problem', 'same-key'), DONE]);
    expect(await client.place(wanted())).toMatchObject({ kind: 'done' });
  });
});

describe('Retry-After', () => {
  it.each([
    ['seconds', () => '3600'],
    ['a date', () => new Date(Date.now() + 3_600_000).toUTCString()],
  ])('beyond the deadline ends the wait at once: %s', async (_name, value) => {
    const { client, server } = await setUp([() => ({ status: 503, headers: { 'retry-after': value() } })]);
    const outcome = await client.place(wanted());
    expect(outcome).toMatchObject({ kind: 'unknown', reason: 'deadline', next: 'send-again' });
    const { retryAfterMs = 0 } = outcome as { retryAfterMs?: number };
    expect(retryAfterMs).toBeGreaterThan(3_590_000);
    expect(retryAfterMs).toBeLessThanOrEqual(3_600_000);
    expect(server.received).toHaveLength(1);
  });

  it('is waited for', async () => {
    const { client, server } = await setUp([{ status: 503, headers: { 'retry-after': '1' } }, DONE]);
    expect(await client.place(wanted())).toMatchObject({ kind: 'done' });
    const [first, second] = server.received.map(({ at }) => at);
    // Timers may be a millisecond early.
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThan(995);
  });
});

describe('what is under way', () => {
  it('is asked for with the same key, waiting in the server, and takes no attempt', async () => {
    const underWay = { status: 202, headers: { 'retry-after': '0', 'operation-id': 'op_1' }, body: { status: 'processing' } };
    const busy = problem(409, 'idempotency-request-in-progress', 'same-key');
    const { client, server } = await setUp([underWay, busy, underWay, busy, DONE], { attempts: 2, attemptTimeoutMs: 12_000 });
    expect(await client.place(wanted({ headers: { prefer: 'handling=lenient' } }))).toMatchObject({ kind: 'done' });
    expect(server.received.map(({ headers }) => headers.prefer)).toEqual([
      'handling=lenient',
      ...Array.from({ length: 4 }, () => 'handling=lenient, wait=10'),
    ]);
    expect(keysOf(server)).toHaveLength(1);
  });

  it('is unknown at the deadline, with its operation', async () => {
    const { client } = await setUp([{ status: 202, headers: { 'retry-after': '9', 'operation-id': 'op_1' }, body: {} }], {
      deadlineMs: 5_000,
    });
    expect(await client.place(wanted())).toMatchObject({
      kind: 'unknown',
      reason: 'deadline',
      operationId: 'op_1',
      mayHaveHappened: true,
      retryAfterMs: 9_000,
      advice: 'It is under way. In 9 s send the same intent: its key makes that harmless. Do not do it another way before you know.',
    });
  });

  it('is not waited for in the server where the attempt has no time for it', async () => {
    const { client, server } = await setUp([problem(409, 'x', 'same-key'), DONE], { attemptTimeoutMs: 2_500 });
    await client.place(wanted());
    expect(server.received.map(({ headers }) => headers.prefer)).toEqual([undefined, undefined]);
  });
});

describe('whoever stops waiting', () => {
  it('at the deadline knows that it may have happened', async () => {
    const { client } = await setUp(['silence'], { deadlineMs: 150, attemptTimeoutMs: 60_000 });
    expect(await client.place(wanted())).toMatchObject({ kind: 'unknown', reason: 'deadline', mayHaveHappened: true });
  });

  it('by a signal knows that it may have happened', async () => {
    const { client, server, store } = await setUp(['silence']);
    const stop = new AbortController();
    const outcome = client.place(wanted(), { signal: stop.signal });
    await server.request(1);
    stop.abort();
    expect(await outcome).toMatchObject({ kind: 'unknown', reason: 'aborted', mayHaveHappened: true, next: 'send-again' });
    expect(await store.list()).toMatchObject([{ attempts: 1 }]);
  });

  it('before anything has left knows that nothing happened', async () => {
    const { client, server, store } = await setUp([DONE]);
    const outcome = await client.place(wanted(), { signal: AbortSignal.abort() });
    expect(outcome).toMatchObject({ kind: 'unknown', reason: 'aborted', mayHaveHappened: false });
    expect(server.received).toEqual([]);
    expect(await store.list()).toMatchObject([{ attempts: 0 }]);
  });

  it('in a pause is not kept in it', async () => {
    const { client, server } = await setUp([{ status: 503, headers: { 'retry-after': '50' } }]);
    const stop = new AbortController();
    const outcome = client.place(wanted(), { signal: stop.signal });
    await server.request(1);
    await sleep(20);
    stop.abort();
    expect(await outcome).toMatchObject({ reason: 'aborted', retryAfterMs: 50_000 });
  });
});

describe('a server that is not there', () => {
  it('has done nothing, and the next attempt is a first one', async () => {
    const { client, server, store } = await setUp([DONE], { attempts: 2 });
    await server.close();
    const intent = await client.prepare(wanted());
    expect(await intent.send()).toMatchObject({ kind: 'unknown', reason: 'attempts', mayHaveHappened: false });
    expect(await store.list()).toMatchObject([{ key: intent.key, attempts: 0 }]);
    expect((await store.list())[0]).not.toHaveProperty('expiresAt');
  });

  it('is left alone by all requests once the circuit is open, and tried by one of them later', async () => {
    const { client, server } = await setUp([{ status: 503 }, { status: 503 }, DONE], {
      attempts: 2,
      deadlineMs: 1_000,
      circuitBreaker: { failures: 2, openMs: 2_000 },
    });
    expect(await client.place(wanted())).toMatchObject({ reason: 'attempts' });
    expect(await client.place(wanted())).toMatchObject({ reason: 'circuit-open', mayHaveHappened: false });
    expect(server.received).toHaveLength(2);
    const later = await Promise.all([1, 2, 3].map(() => client.place(wanted(), { deadlineMs: 20_000 })));
    expect(later.map(({ kind }) => kind)).toEqual(['done', 'done', 'done']);
    expect(server.received).toHaveLength(5);
  });
});

describe('the retry budget', () => {
  it('is one for all requests', async () => {
    const { client, server } = await setUp([{ status: 503 }], {
      retryBudget: { burst: 3, perSecond: 0, perRequest: 0 },
      circuitBreaker: { failures: Infinity, openMs: 0 },
    });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => client.place(wanted())));
    expect(outcomes.map((outcome) => outcome.kind === 'unknown' && outcome.reason)).toEqual(Array.from({ length: 10 }, () => 'budget'));
    expect(server.received).toHaveLength(13);
  });

  it('lets a retry wait for its token', async () => {
    const { client } = await setUp([{ status: 503 }, { status: 503 }, { status: 503 }, DONE], {
      retryBudget: { burst: 1, perSecond: 10, perRequest: 0 },
    });
    expect(await client.place(wanted())).toMatchObject({ kind: 'done' });
  });
});

describe('the authorization', () => {
  it('is asked at each attempt, and never stored', async () => {
    const tokens = ['old-secret', 'new-secret'];
    const { client, server, store } = await setUp([{ status: 503 }], { attempts: 2, authorization: () => `Bearer ${tokens.shift()}` });
    await client.place(wanted());
    expect(server.received.map(({ headers }) => headers.authorization)).toEqual(['Bearer old-secret', 'Bearer new-secret']);
    const stored = JSON.stringify(await store.list());
    expect(stored).toContain('/payments');
    expect(stored).not.toContain('secret');
  });

  it('that could not be had is asked again, and nothing has left', async () => {
    let asked = 0;
    const authorization = async (): Promise<Record<string, string>> => {
      asked += 1;
      if (asked < 3) throw new Error('no token');
      return { authorization: 'Bearer a', 'x-tenant': 'b' };
    };
    const { client, server } = await setUp([DONE], { authorization, attempts: 2 });
    const intent = await client.prepare(wanted());
    expect(await intent.send()).toMatchObject({ kind: 'unknown', mayHaveHappened: false, cause: new Error('no token') });
    expect(await intent.send()).toMatchObject({ kind: 'done' });
    expect(server.received.map(({ headers }) => [headers.authorization, headers['x-tenant']])).toEqual([['Bearer a', 'b']]);
  });

  it('that is refused leaves the intent as it was', async () => {
    const { client, server, store } = await setUp([problem(401, 'unauthenticated', 'never'), DONE]);
    const intent = await client.prepare(wanted());
    expect(await intent.send()).toMatchObject({ kind: 'refused', status: 401, resendable: true, newKeyMakesSense: false });
    expect(await store.list()).toMatchObject([{ attempts: 0 }]);
    expect(await intent.send()).toMatchObject({ kind: 'done' });
    expect(keysOf(server)).toEqual([intent.key]);
  });

  it('that is refused behind a lost attempt tells nothing of that one', async () => {
    const { client } = await setUp(['cut', problem(403, 'insufficient-scope', 'never')]);
    expect(await client.place(wanted())).toMatchObject({
      kind: 'unknown',
      reason: 'unauthorized',
      mayHaveHappened: true,
      next: 'send-again',
      problem: { code: 'insufficient-scope' },
    });
  });
});

it.each([301, 302, 303, 307, 308])('a redirect is not followed: %i', async (status) => {
  const elsewhere = await setUp([DONE]);
  const { client } = await setUp([{ status, headers: { location: `${elsewhere.server.url}/payments` } }]);
  expect(await client.place(wanted())).toMatchObject({ kind: 'unknown', reason: 'redirected', next: 'look-up', mayHaveHappened: true });
  expect(elsewhere.server.received).toEqual([]);
});

it('a request without a key is as patient, and stores nothing', async () => {
  const { client, server, store } = await setUp(['cut', { status: 200, body: [1] }]);
  expect(await client.request({ method: 'GET', path: '/payments?limit=1' })).toMatchObject({ kind: 'done', body: [1] });
  expect(server.received.map(({ headers }) => headers['idempotency-key'])).toEqual([undefined, undefined]);
  expect(await store.list()).toEqual([]);
});
