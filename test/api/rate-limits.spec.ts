import { setTimeout as sleep } from 'node:timers/promises';
import { getDataSourceToken } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { SharedCounters } from '../../src/accounts/shared-counters.js';
import { networkOf } from '../../src/accounts/rate-limits.js';
import { AUTHENTICATION } from '../../src/database/data-source.js';
import { addApiKey } from '../support/api-keys.js';
import { KEY_A, KEY_B, ORDER, atOnce, startApp, startWorld, tally, type TestApp } from '../support/app.js';
import { ACCOUNT_A, countOf, recordsOf } from '../support/ledger.js';
import { hold } from '../support/locks.js';
import { expectProblem } from '../support/problems.js';

const REQUESTS = 6;
const WINDOW_MS = 3_000;

let world: Awaited<ReturnType<typeof startWorld>>;
let limited: TestApp;
beforeAll(async () => {
  world = await startWorld({ TRUST_PROXY: '127.0.0.1' });
});
beforeEach(async () => {
  // Its counters are its own: each test begins with all of the quota.
  limited = await startApp(world.database, { RATE_LIMIT: `${REQUESTS}/${WINDOW_MS}ms` });
});
afterEach(() => limited.close());
afterAll(() => world.close());

describe('an account', () => {
  it('is told its quota and what is left of it on every answer that its key was read for', async () => {
    const narrow = await addApiKey(world.database, ['tickets:read']);
    const answers = [
      await limited.send('POST', '/v1/orders', { body: ORDER }),
      await limited.send('POST', '/v1/orders', { body: {} }),
      await limited.send('GET', '/v1/orders/nothing'),
      await limited.send('GET', '/v1/orders', { as: narrow }),
    ];
    expect(tally(answers)).toEqual({ 201: 1, 400: 1, 404: 1, 403: 1 });
    for (const [index, { headers }] of answers.entries()) {
      expect(headers.get('ratelimit-policy')).toBe(`"default";q=${REQUESTS};w=3`);
      expect(headers.get('ratelimit')).toMatch(new RegExp(`^"default";r=${REQUESTS - 1 - index};t=[123]$`));
    }
    for (const answer of [await limited.send('GET', '/health/live'), await limited.send('GET', '/v1/orders', { as: null })]) {
      expect(answer.headers.has('ratelimit')).toBe(false);
    }
  });

  it('has 60 000 requests a minute unless RATE_LIMIT says otherwise', async () => {
    expect((await world.send('GET', '/v1/orders')).headers.get('ratelimit-policy')).toBe('"default";q=60000;w=60');
  });

  it('is answered 429 beyond it, whatever it asks; nothing is stored, and after Retry-After the same key does it', async () => {
    const stored = uuidv7();
    await limited.send('POST', '/v1/orders', { key: stored, body: ORDER });
    for (let n = 1; n < REQUESTS; n += 1) expect((await limited.send('POST', '/v1/orders', { key: stored, body: ORDER })).status).toBe(201);
    const [key, before] = [uuidv7(), await countOf(world.database, 'orders')];
    const refused = await limited.send('POST', '/v1/orders', { key, body: ORDER });
    for (const answer of [
      refused,
      await limited.send('POST', '/v1/orders', { key: stored, body: ORDER }),
      await limited.send('GET', '/v1/orders'),
    ]) {
      expectProblem(answer, 'rate-limited');
      expect(answer.headers.get('ratelimit')).toMatch(/;r=0;t=[123]$/);
    }
    expect(await recordsOf(world.database, key)).toEqual([]);
    expect(await countOf(world.database, 'orders')).toBe(before);
    await sleep(Number(refused.headers.get('retry-after')) * 1_000);
    expect((await limited.send('POST', '/v1/orders', { key, body: ORDER })).status).toBe(201);
  });

  it('shares it among its keys, and takes none of another account’s', async () => {
    const other = await addApiKey(world.database, ['orders:read']);
    const answers = await atOnce(REQUESTS * 2, (n) => limited.send('GET', '/v1/orders', { as: n % 2 ? KEY_A : other }));
    expect(tally(answers)).toEqual({ 200: REQUESTS, 429: REQUESTS });
    expect((await limited.send('GET', '/v1/orders', { as: KEY_B })).status).toBe(200);
  });

  it('is refused for its scope before it is for its number', async () => {
    const narrow = await addApiKey(world.database, ['tickets:read']);
    const answers = await atOnce(REQUESTS + 2, () => limited.send('GET', '/v1/orders', { as: narrow }));
    for (const answer of answers) expectProblem(answer, 'insufficient-scope');
    expectProblem(await limited.send('GET', '/v1/orders'), 'rate-limited');
  });
});

describe('an address', () => {
  const from = (app: TestApp, address: string, as: string) =>
    app.send('GET', '/v1/orders', { as, headers: { 'x-forwarded-for': address } });

  it('that has failed 300 times in a minute is answered 429 before anybody looks at its key; others are not', async () => {
    const answers = await atOnce(300, () => from(world, '192.0.2.1', 'nonsense'));
    expect(tally(answers)).toEqual({ 401: 300 });
    for (const as of ['nonsense', KEY_A]) {
      const refused = await from(world, '192.0.2.1', as);
      expectProblem(refused, 'rate-limited');
      expect(refused.headers.has('ratelimit')).toBe(false);
    }
    expect((await from(world, '192.0.2.2', KEY_A)).status).toBe(200);
    expectProblem(await from(world, '192.0.2.2', 'nonsense'), 'unauthenticated');
  });

  it('counts failures alone: hundreds of good requests block nobody', async () => {
    // In four waves: all at once, the last of them would wait for a connection longer than anybody may, on a busy machine.
    for (const wave of [1, 2, 3, 4]) {
      expect({ wave, ...tally(await atOnce(100, () => from(world, '192.0.2.3', KEY_A))) }).toEqual({ wave, 200: 100 });
    }
  });

  it('is the one of the connection where no proxy is trusted, whatever X-Forwarded-For says', async () => {
    const answers = await atOnce(300, (n) => from(limited, `198.51.100.${n % 250}`, 'nonsense'));
    expect(tally(answers)).toEqual({ 401: 300 });
    expectProblem(await from(limited, '198.51.100.251', KEY_A), 'rate-limited');
  });

  it('of IPv6 stands for its network of 64 bits, and one that is IPv4 for itself', () => {
    expect(networkOf('192.0.2.1')).toBe('192.0.2.1');
    expect(networkOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
    for (const address of ['2001:db8:1:2::1', '2001:db8:1:2:3:4:5:6', '2001:db8:1:2:ffff::'])
      expect(networkOf(address)).toBe('2001:db8:1:2');
    expect(networkOf('2001:db8::1')).toBe('2001:db8:0:0');
    expect(networkOf('::1')).toBe('0:0:0:0');
  });
});

describe('RATE_LIMIT_STORE=postgres', () => {
  const SHARED = { RATE_LIMIT_STORE: 'postgres', RATE_LIMIT: `${REQUESTS}/1h`, TRUST_PROXY: '127.0.0.1' };
  let replicas: [TestApp, TestApp];
  beforeEach(async () => {
    await world.database.query('TRUNCATE rate_limits');
    replicas = [await startApp(world.database, SHARED), await startApp(world.database, SHARED)];
  });
  afterEach(async () => {
    for (const replica of replicas) await replica.close();
  });
  const replica = (n: number): TestApp => replicas[n % 2] ?? replicas[0];
  const rowsOf = (key: string) => world.database.query<{ points: number }>('SELECT points FROM rate_limits WHERE key = $1', [key]);

  it('an account has its requests once, however many replicas there are, and after a restart as well', async () => {
    // One on each replica at a time: what waits for its count for half a second, on a machine with other things to do, is counted in memory.
    const answers = [];
    for (let wave = 0; wave < REQUESTS * 1.5; wave += 1) answers.push(...(await atOnce(2, (n) => replica(n).send('GET', '/v1/orders'))));
    expect(tally(answers)).toEqual({ 200: REQUESTS, 429: REQUESTS * 2 });
    expect((await replica(1).send('GET', '/v1/orders', { as: KEY_B })).headers.get('ratelimit')).toMatch(/;r=5;/);
    const restarted = await startApp(world.database, SHARED);
    expectProblem(await restarted.send('GET', '/v1/orders'), 'rate-limited');
    await restarted.close();
  });

  it('a replay counts like any other request, and what is beyond the limit costs no statement', async () => {
    const key = uuidv7();
    for (let n = 0; n < REQUESTS; n += 1) expect((await replica(0).send('POST', '/v1/orders', { key, body: ORDER })).status).toBe(201);
    expect(await rowsOf(`account:${ACCOUNT_A}`)).toEqual([{ points: REQUESTS }]);
    for (const answer of await atOnce(20, () => replica(0).send('POST', '/v1/orders', { key, body: ORDER }))) {
      expectProblem(answer, 'rate-limited');
    }
    expect(await rowsOf(`account:${ACCOUNT_A}`)).toEqual([{ points: REQUESTS }]);
  });

  it('failed authentications of an address add up across replicas', async () => {
    const fail = (n: number) => replica(n).send('GET', '/v1/orders', { as: 'nonsense', headers: { 'x-forwarded-for': '192.0.2.77' } });
    for (let round = 0; round < 10; round += 1) expect(tally(await atOnce(30, fail))).toEqual({ 401: 30 });
    expect(await rowsOf('address:192.0.2.77')).toEqual([{ points: 300 }]);
    // A replica that has not seen the 300th itself learns of it by the next one.
    for (const n of [0, 1]) await fail(n);
    for (const n of [0, 1]) expectProblem(await fail(n), 'rate-limited');
  });

  it('while the store does not answer, each replica counts for itself: nobody is refused for that, and its own limit holds', async () => {
    const held = await hold(world.database, 'LOCK TABLE rate_limits IN ACCESS EXCLUSIVE MODE');
    try {
      const answers = await atOnce(REQUESTS * 4, (n) => replica(n).send('GET', '/v1/orders'));
      expect(tally(answers)).toEqual({ 200: REQUESTS * 2, 429: REQUESTS * 2 });
    } finally {
      await held.release();
    }
  });

  it('what has expired is removed, and nothing else', async () => {
    await world.database.query(`INSERT INTO rate_limits VALUES ('address:old', 1, $1), ('address:new', 1, $2)`, [
      Date.now() - 1,
      Date.now() + 60_000,
    ]);
    const counters = new SharedCounters(replicas[0].app.get<DataSource>(getDataSourceToken(AUTHENTICATION)));
    await counters.clear();
    await counters.close();
    expect([await rowsOf('address:old'), await rowsOf('address:new')]).toEqual([[], [{ points: 1 }]]);
  });
});
