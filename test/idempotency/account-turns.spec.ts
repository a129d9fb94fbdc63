import { randomUUID } from 'node:crypto';
import { Body, Controller, Headers, Post } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import {
  Idempotent,
  RecoverableStep,
  Tx,
  next,
  park,
  reply,
  type Step,
  type StepEnd,
  type Transaction,
} from '../../src/idempotency/index.js';
import { AccountTurns } from '../../src/idempotency/requests/account-turns.js';
import { tally, type TestApp, type TestResponse } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { recordsOf } from '../support/ledger.js';
import { TENANT, startLiftedApp } from '../support/lifted-app.js';
import { blockedBackends, hold, untilBlocked } from '../support/locks.js';

/** Work that ends when the test says so; who began is written down. */
function watch(turns: AccountTurns) {
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const start = (accountId: string, name: string): Promise<void> =>
    turns.inTurn(accountId, () => {
      began.push(name);
      return new Promise<void>((resolve) => ends.set(name, resolve));
    });
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { began, start, end };
}

describe('turns', () => {
  it('one account alone has all places, and the rest of its requests in their order', async () => {
    const { began, start, end } = watch(new AccountTurns({ places: 2, share: 0.5, queue: 10, waitMs: 0 }));
    const all = ['a1', 'a2', 'a3', 'a4'].map((name) => start('A', name));
    expect(began).toEqual(['a1', 'a2']);
    await end('a2');
    expect(began).toEqual(['a1', 'a2', 'a3']);
    for (const name of ['a1', 'a3', 'a4']) await end(name);
    await Promise.all(all);
    expect(began).toEqual(['a1', 'a2', 'a3', 'a4']);
  });

  it('an account that is alone leaves one place in eight to the next one that comes', async () => {
    const { began, start } = watch(new AccountTurns({ places: 8, share: 0.5, queue: 100, waitMs: 0 }));
    for (let at = 1; at <= 20; at += 1) void start('A', `a${at}`);
    expect(began).toHaveLength(7);
    void start('B', 'b1');
    expect(began.at(-1)).toBe('b1');
  });

  it('beside an account that was there a moment ago it has its share alone, and all again when that one stays away', async () => {
    jest.useFakeTimers({ doNotFake: ['setImmediate'] });
    try {
      const { began, start, end } = watch(new AccountTurns({ places: 10, share: 0.2, queue: 100, waitMs: 0 }));
      void start('B', 'b1');
      await end('b1');
      for (let at = 1; at <= 20; at += 1) void start('A', `a${at}`);
      expect(began).toEqual(['b1', 'a1', 'a2']);
      await end('a1');
      expect(began).toEqual(['b1', 'a1', 'a2', 'a3']);
      jest.advanceTimersByTime(2_000);
      void start('A', 'a21');
      await end('a2');
      expect(began).toHaveLength(1 + 2 + 9);
    } finally {
      jest.useRealTimers();
    }
  });

  it('the first free place goes to an account that waits beside one that has its share', async () => {
    const { began, start, end } = watch(new AccountTurns({ places: 4, share: 0.5, queue: 10, waitMs: 0 }));
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5', 'a6']) void start('A', name);
    for (const name of ['b1', 'b2', 'b3']) void start('B', name);
    await end('a1');
    await end('a2');
    expect(began.slice(4)).toEqual(['b1', 'b2']);
    // Each has its share now: they go on in rotation.
    await end('a3');
    await end('b1');
    expect(began.slice(6).sort()).toEqual(['a5', 'b3']);
  });

  it('a newcomer never passes those of its account that wait', async () => {
    const { began, start, end } = watch(new AccountTurns({ places: 1, share: 1, queue: 10, waitMs: 0 }));
    for (const name of ['a1', 'a2', 'b1']) void start(name.slice(0, 1), name);
    await end('a1');
    void start('A', 'a3');
    await end('b1');
    await end('a2');
    await end('b1');
    expect(began.filter((name) => name.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
  });

  it('work that fails gives its place back', async () => {
    const turns = new AccountTurns({ places: 1, share: 1, queue: 10, waitMs: 0 });
    await expect(turns.inTurn('A', () => Promise.reject(new Error('on purpose')))).rejects.toThrow('on purpose');
    await expect(turns.inTurn('A', () => Promise.resolve('done'))).resolves.toBe('done');
  });

  it('a turn that does not come is given up after its time, and those behind it move up', async () => {
    const { began, start, end } = watch(new AccountTurns({ places: 1, share: 1, queue: 10, waitMs: 20 }));
    void start('A', 'a1');
    await expect(start('B', 'b1')).rejects.toMatchObject({ code: 'service-unavailable' });
    void start('B', 'b2');
    await end('a1');
    expect(began).toEqual(['a1', 'b2']);
  });

  it('a full queue refuses, and other accounts still queue', async () => {
    const { start, end, began } = watch(new AccountTurns({ places: 1, share: 1, queue: 1, waitMs: 0 }));
    void start('A', 'a1');
    void start('A', 'a2');
    await expect(start('A', 'a3')).rejects.toMatchObject({ code: 'rate-limited' });
    void start('B', 'b1');
    await end('a1');
    await end('a2');
    expect(began).toEqual(['a1', 'a2', 'b1']);
  });
});

describe('over two connections', () => {
  const LOCK = { name: 'turns-lock', text: 'SELECT pg_advisory_xact_lock(7)' };
  const OTHER = '018bcfe5-6800-7000-8000-0000000000ee';
  const QUEUE = 3;
  const began: string[] = [];

  @Controller('turns')
  class TurnsController {
    @Post()
    @Idempotent()
    async take(@Tx() tx: Transaction, @Headers('x-tenant') tenant: string, @Body() { name }: { name: string }): Promise<object> {
      began.push(tenant);
      await tx.run(LOCK);
      return { name };
    }
  }

  let database: TestDatabase;
  let app: TestApp;
  beforeAll(async () => {
    database = await createDatabase();
    app = await startLiftedApp(database, { controllers: [TurnsController], poolSize: 2, core: { accountQueue: QUEUE } });
  });
  afterAll(async () => {
    await app.close();
    await database.drop();
  });

  const take = (tenant: string, key: string): Promise<TestResponse> =>
    app.send('POST', '/turns', { key, body: { name: key }, headers: { 'x-tenant': tenant } });

  /** Sends one more than may wait; those that wait, and the key of the one that is refused. */
  async function fillQueue(tenant: string): Promise<{ waiting: Promise<TestResponse>[]; refused: string }> {
    const keys = Array.from({ length: QUEUE + 1 }, () => uuidv7());
    const answers = keys.map((key) => take(tenant, key));
    // Whoever waits is not answered before the lock is released.
    const { at, status } = await Promise.race(answers.map(async (answer, at) => ({ at, status: (await answer).status })));
    expect(status).toBe(429);
    return { waiting: answers.filter((_, index) => index !== at), refused: keys[at] ?? '' };
  }

  it('an account that fills them lets another one pass, and what is beyond its queue leaves its key unused', async () => {
    const held = await hold(database, 'SELECT pg_advisory_xact_lock(7)');
    const executing = [take(TENANT, uuidv7()), take(TENANT, uuidv7())];
    await eventually('both connections to be taken', async () => (await blockedBackends(database)).length === 2);
    const mine = await fillQueue(TENANT);
    const others = await fillQueue(OTHER);
    expect(await recordsOf(database, mine.refused)).toEqual([]);
    await held.release();
    expect(tally(await Promise.all([...executing, ...mine.waiting, ...others.waiting]))).toEqual({ 201: 2 + 2 * QUEUE });
    // The first free place was the other one's, though all of this one's had waited longer. Whose handler begins first is a race of
    // two connections; had they come in the order of their waiting, the other one's would be behind all of them.
    expect(began.slice(0, 2)).toEqual([TENANT, TENANT]);
    expect(began.slice(2, 2 + QUEUE)).toContain(OTHER);
    expect((await take(TENANT, mine.refused)).status).toBe(201);
  });
});

describe('while the queue of the account is full', () => {
  const LOCK = { name: 'full-turns-lock', text: 'SELECT pg_advisory_xact_lock(8)' };
  const QUEUE = 3;
  // Of eight connections an account that is alone has seven.
  const PLACES = 7;
  let hasPaper = false;

  @RecoverableStep('turns.print')
  class PrintStep implements Step<boolean> {
    call(): Promise<boolean> {
      return Promise.resolve(hasPaper);
    }

    settle(_tx: Transaction, subjectId: string, printed: boolean): Promise<StepEnd> {
      return Promise.resolve(printed ? reply(201, { printed: subjectId }) : park('no paper'));
    }
  }

  @Controller('full')
  class FullController {
    @Post()
    @Idempotent()
    async take(@Tx() tx: Transaction, @Body() { name, waits }: { name: string; waits?: boolean }): Promise<object> {
      if (waits) await tx.run(LOCK);
      return { name };
    }

    @Post('prints')
    @Idempotent()
    async print(@Tx() tx: Transaction): Promise<ReturnType<typeof next>> {
      await tx.now();
      return next(PrintStep, uuidv7(), reply(202, { printed: null }));
    }
  }

  let database: TestDatabase;
  let [app, other] = [] as unknown as [TestApp, TestApp];
  beforeAll(async () => {
    database = await createDatabase();
    // Nobody but a retry takes over.
    const options = { controllers: [FullController], providers: [PrintStep], poolSize: 8, connectionTimeoutMs: 20_000 };
    const core = { accountQueue: QUEUE, recoveryIntervalMs: 3_600_000 };
    app = await startLiftedApp(database, { ...options, core });
    other = await startLiftedApp(database, { ...options, core });
  });
  afterAll(async () => {
    await Promise.all([app.close(), other.close()]);
    await database.drop();
  });

  const take = (on: TestApp, key: string, waits = false): Promise<TestResponse> =>
    on.send('POST', '/full', { key, body: { name: key, ...(waits && { waits }) } });
  const print = (on: TestApp, key: string): Promise<TestResponse> => on.send('POST', '/full/prints', { key, body: {} });

  it.each([
    ['random', () => randomUUID()],
    ['of a minute ago', () => uuidv7({ msecs: Date.now() - 60_000 })],
  ])('retries that don’t say so have their answers, and their operations taken over, without a turn: keys %s', async (_kind, newKey) => {
    const [stored, parked, interrupted, fresh] = [newKey(), newKey(), newKey(), newKey()];
    const first = await take(other, stored);
    hasPaper = false;
    for (const key of [parked, interrupted]) expect((await print(other, key)).status).toBe(202);
    await database.query('UPDATE idempotency_records SET resumable_at = clock_timestamp() WHERE key = $1', [interrupted]);
    hasPaper = true;
    const held = await hold(database, 'SELECT pg_advisory_xact_lock(8)');
    const executing = Array.from({ length: PLACES }, () => take(app, uuidv7(), true));
    let queued: Promise<TestResponse>[] = [];
    try {
      await untilBlocked(database, PLACES);
      // One more than may wait: the queue is full when that one is refused.
      queued = Array.from({ length: QUEUE + 1 }, () => take(app, uuidv7()));
      expect((await Promise.race(queued)).status).toBe(429);
      const replay = await take(app, stored);
      expect([replay.status, replay.text, replay.headers.get('idempotent-replayed')]).toEqual([201, first.text, 'true']);
      expect((await print(app, parked)).status).toBe(202);
      expect(await app.send('POST', '/full', { key: stored, body: { name: 'another' } })).toMatchObject({ status: 422 });
      expect((await print(app, interrupted)).status).toBe(201);
      expect((await take(app, fresh)).status).toBe(429);
      expect(await recordsOf(database, fresh)).toEqual([]);
    } finally {
      await held.release();
    }
    expect(tally(await Promise.all([...executing, ...queued]))).toEqual({ 201: PLACES + QUEUE, 429: 1 });
  });
});
