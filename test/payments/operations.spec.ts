import { Logger } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Operations } from '../../src/idempotency/index.js';
import { publicId } from '../../src/kernel/ids.js';
import { Purger } from '../../src/idempotency/records/purger.js';
import { KEY_B, ORDER, type TestApp, type TestResponse } from '../support/app.js';
import { addApiKey } from '../support/api-keys.js';
import { eventually } from '../support/eventually.js';
import { startPaymentWorld, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { ACCOUNT_A, countOf } from '../support/ledger.js';
import { hold, untilBlocked } from '../support/locks.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
let replica: TestApp;
beforeAll(async () => {
  // Nothing is recovered by itself here: what is interrupted stays so until a test resumes it.
  world = await startPaymentWorld({ IDEMPOTENCY_RECOVERY_INTERVAL: '1h' });
  replica = await world.secondApp();
});
afterEach(() => world.faults({}));
afterAll(() => world.close());

const operationOf = async (answer: TestResponse): Promise<TestResponse['body']> => {
  const found = await world.send('GET', `/v1/operations/${answer.headers.get('operation-id')}`);
  expect(found.status).toBe(200);
  return found.body;
};
const resume = (id: unknown, as?: string): Promise<TestResponse> =>
  world.send('POST', `/v1/operations/${String(id)}/resume`, { key: null, ...(as && { as }) });
const eventsOf = (operation: TestResponse['body']): string[] => (operation['timeline'] as { event: string }[]).map(({ event }) => event);

const idsOf = async (key: string): Promise<{ accountId: string; operationId: string }> => {
  const [row] = await world.database.query<{ accountId: string; operationId: string }>(
    `SELECT account_id AS "accountId", operation_id AS "operationId" FROM idempotency_records WHERE key = $1`,
    [key],
  );
  if (!row) throw new Error('there is no such record');
  return row;
};

describe('an operation tells its story', () => {
  it('of local work: claimed and settled', async () => {
    const order = await world.send('POST', '/v1/orders', { body: ORDER });
    const operation = await operationOf(order);
    expect(operation).toEqual({
      id: order.headers.get('operation-id'),
      operation: 'POST /v1/orders',
      status: 'completed',
      recoveryPoint: null,
      attempts: 1,
      resource: `/v1/orders/${order.body['id']}`,
      response: { status: 201 },
      replays: 0,
      createdAt: expect.any(String),
      completedAt: expect.any(String),
      expiresAt: expect.any(String),
      timeline: [
        { at: operation['createdAt'], event: 'claimed', detail: 'POST /v1/orders' },
        { at: operation['completedAt'], event: 'settled', detail: '201' },
      ],
    });
  });

  it('of a payment: claimed, step started, provider answered, settled, in this order', async () => {
    const payment = await world.pay(await world.placeOrder());
    const operation = await operationOf(payment);
    expect(operation).toMatchObject({ status: 'completed', resource: `/v1/payments/${payment.body['id']}`, response: { status: 201 } });
    expect(eventsOf(operation)).toEqual(['claimed', 'step-started', 'provider-answered', 'settled']);
    const times = (operation['timeline'] as { at: string }[]).map(({ at }) => at);
    expect(times).toEqual([...times].sort());
  });

  it('of a payment whose answer was lost: interrupted and parked with its reason, then resumed by whom, then settled', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const first = await world.pay(order, 'tok_hang_after', { key });
    const waiting = await operationOf(first);
    expect(waiting).toMatchObject({
      status: 'interrupted',
      recoveryPoint: 'payments.charge',
      response: null,
      completedAt: null,
      expiresAt: null,
    });
    expect(eventsOf(waiting).at(-1)).toBe('parked');
    await world.passInterval();
    await world.pay(order, 'tok_hang_after', { key });
    const done = await operationOf(first);
    expect(done).toMatchObject({ status: 'completed', attempts: 2, response: { status: 201 } });
    expect(eventsOf(done).slice(-3)).toEqual(['resumed', 'provider-answered', 'settled']);
    expect(JSON.stringify(done['timeline'])).toMatch(/by a retry, attempt 2/);
  });

  it('of one that was asked for hundreds of times: how it began and what came last, in a bounded number of lines', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const other = await world.pay(await world.placeOrder());
    await world.faults({ refuse: 1 });
    const first = await world.pay(order, 'tok_visa', { key });
    const { accountId, operationId } = await idsOf(key);
    await world.database.query(
      `INSERT INTO idempotency_timeline (account_id, operation_id, at, event, detail)
       SELECT $1, $2, clock_timestamp(), event, 'attempt ' || n
         FROM generate_series(2, 300) AS n, unnest(ARRAY['resumed', 'parked']) WITH ORDINALITY AS e (event, place) ORDER BY n, place`,
      [accountId, operationId],
    );
    await world.database.query(`UPDATE idempotency_records SET attempt = 300 WHERE key = $1`, [key]);
    const countLines = (): Promise<number> => countOf(world.database, 'idempotency_timeline', 'operation_id = $1', [operationId]);
    for (let attempt = 301; attempt <= 303; attempt += 1) {
      await world.passInterval();
      await resume(first.headers.get('operation-id'));
      expect([await countLines(), (await operationOf(first))['attempts']]).toEqual([81, attempt]);
    }
    const story = await operationOf(first);
    expect(eventsOf(story)).toHaveLength(81);
    expect(eventsOf(story).slice(0, 4)).toEqual(['claimed', 'step-started', 'parked', 'resumed']);
    const resumed = (story['timeline'] as { event: string; detail: string }[]).filter(({ event }) => event === 'resumed');
    const from = (attempt: number, to: number): number[] => Array.from({ length: to - attempt + 1 }, (_, n) => attempt + n);
    expect(resumed.map(({ detail }) => Number(/attempt (\d+)$/.exec(detail)?.[1]))).toEqual([...from(2, 10), ...from(274, 303)]);
    expect(eventsOf(story).slice(-2)).toEqual(['resumed', 'parked']);
    expect(eventsOf(await operationOf(other))).toEqual(['claimed', 'step-started', 'provider-answered', 'settled']);
    await world.faults({});
    await world.passInterval();
    expect((await resume(first.headers.get('operation-id'))).body).toMatchObject({ status: 'completed', attempts: 304 });
  });

  it('of a cancelled paid order: with the step that refunds', async () => {
    const order = await world.placeOrder();
    await world.pay(order);
    const operation = await operationOf(await world.cancel(order));
    expect(operation).toMatchObject({ status: 'completed', resource: `/v1/orders/${order.id}`, response: { status: 200 } });
    expect(JSON.stringify(operation['timeline'])).toMatch(/orders\.cancel\.refund/);
  });

  it('with how often it was replayed, and why', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const first = await world.pay(order, 'tok_visa', { key });
    for (const reason of ['timeout', 'timeout', 'connection', 'nonsense']) {
      await world.pay(order, 'tok_visa', { key, on: replica, headers: { 'retry-reason': reason, 'retry-attempt': '2' } });
    }
    const operation = await eventually('the replays to be counted', async () => {
      const found = await operationOf(first);
      return found['replays'] === 4 && found;
    });
    const replayed = (operation['timeline'] as { event: string; detail: string }[]).filter(({ event }) => event === 'replayed');
    expect(replayed.map(({ detail }) => detail).sort()).toEqual([
      '2 times: timeout, up to attempt 2',
      'once, up to attempt 2',
      'once: connection, up to attempt 2',
    ]);
  });

  it('with the retries that came before its answer: told that it runs, answered 202, or first to arrive', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const said = (reason: string, attempt: string): Record<string, string> => ({ 'retry-reason': reason, 'retry-attempt': attempt });
    const held = await hold(world.database, 'LOCK TABLE payments IN EXCLUSIVE MODE');
    const first = world.pay(order, 'tok_visa', { key, headers: said('offline', '2') });
    await untilBlocked(world.database);
    // Nothing of the first one is committed, so neither replica knows its operation.
    for (const on of [world, replica]) {
      expectProblem(await world.pay(order, 'tok_visa', { key, on, headers: said('in-progress', '7') }), 'idempotency-request-in-progress');
    }
    expectProblem(await world.pay(order, 'tok_visa', { key, on: replica }), 'idempotency-request-in-progress');
    await held.release();
    const paid = await first;
    expect(paid.status).toBe(201);
    await world.pay(order, 'tok_visa', { key, headers: said('in-progress', '5') });
    const timeline = await eventually('all of it to be counted', async () => {
      const found = await operationOf(paid);
      const told = found['timeline'] as { event: string; detail: string }[];
      return found['replays'] === 1 && told.length === 7 && JSON.stringify(told).includes('2 times') && told;
    });
    // Each where it happened, however late it was written down: the one reason has tries and a replay, with times of their own.
    expect(timeline.map(({ event, detail }) => (event.startsWith('re') ? `${event} ${detail}` : event))).toEqual([
      'claimed',
      'retried once: offline, up to attempt 2',
      'retried 2 times: in-progress, up to attempt 7',
      'step-started',
      'provider-answered',
      'settled',
      'replayed once: in-progress, up to attempt 7',
    ]);
  });

  it('with no more of its retries than a row for each reason, whatever their client says', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const first = await world.pay(order, 'tok_visa', { key });
    for (const attempt of ['0', '-1', 'x'.repeat(500), '9999999999', '3.5', '999999999']) {
      await world.pay(order, 'tok_visa', { key, headers: { 'retry-reason': `made up ${attempt}`, 'retry-attempt': attempt } });
    }
    await eventually('the replays to be counted', async () => (await operationOf(first))['replays'] === 6);
    // A count at its end holds nothing up.
    await world.database.query(`UPDATE idempotency_replays SET count = 200000000`);
    await world.pay(order, 'tok_visa', { key });
    await world.pay(order, 'tok_visa', { key, headers: { 'retry-reason': 'manual' } });
    const rows = await eventually('the next ones to be counted', async () => {
      const found = await world.database.query(
        `SELECT reason, p.count, tries, highest_attempt FROM idempotency_replays p JOIN idempotency_records r USING (account_id, operation_id)
          WHERE r.key = $1 ORDER BY reason`,
        [key],
      );
      return found.length === 2 && found;
    });
    expect(rows).toEqual([
      { reason: '', count: 200_000_000, tries: 0, highest_attempt: 999_999_999 },
      { reason: 'manual', count: 1, tries: 0, highest_attempt: null },
    ]);
  });
});

describe('operations are found', () => {
  it('by their key, bare and quoted, and only that one', async () => {
    const [order, key] = [await world.placeOrder(), `a "key" ${uuidv7()}`.replaceAll(' ', '-')];
    const payment = await world.pay(order, 'tok_visa', { key });
    for (const form of [key, `"${key.replaceAll('"', '\\"')}"`]) {
      const { status, body } = await world.send('GET', `/v1/operations?idempotencyKey=${encodeURIComponent(form)}`);
      expect([status, body['nextCursor'], body['data'].length]).toEqual([200, null, 1]);
      expect(body['data'][0].id).toBe(payment.headers.get('operation-id'));
    }
    expect((await world.send('GET', `/v1/operations?idempotencyKey=${uuidv7()}`)).body).toEqual({ data: [], nextCursor: null });
    expectProblem(await world.send('GET', '/v1/operations?idempotencyKey=%22open'), 'idempotency-key-invalid');
  });

  it('in pages, newest first', async () => {
    const made = [await world.pay(await world.placeOrder()), await world.pay(await world.placeOrder())].map((answer) =>
      answer.headers.get('operation-id'),
    );
    const page = await world.send('GET', '/v1/operations?limit=1');
    expect(page.body['data'].map(({ id }: { id: string }) => id)).toEqual([made[1]]);
    const second = await world.send('GET', `/v1/operations?limit=2&cursor=${page.body['nextCursor']}`);
    expect(second.body['data'].map(({ id }: { id: string }) => id)).toContain(made[0]);
  });

  it('by their own account alone', async () => {
    const key = uuidv7();
    const payment = await world.pay(await world.placeOrder(), 'tok_visa', { key });
    const id = payment.headers.get('operation-id');
    expectProblem(await world.send('GET', `/v1/operations/${id}`, { as: KEY_B }), 'not-found');
    expectProblem(await resume(id, KEY_B), 'not-found');
    expect((await world.send('GET', `/v1/operations?idempotencyKey=${key}`, { as: KEY_B })).body['data']).toEqual([]);
    expectProblem(await world.send('GET', '/v1/operations/op_nonsense'), 'not-found');
    expectProblem(await world.send('GET', `/v1/operations/${String(id).toUpperCase()}`), 'not-found');
  });

  it('also when their record is in the archive, with their replays', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const payment = await world.pay(order, 'tok_visa', { key });
    await world.pay(order, 'tok_visa', { key, on: replica });
    await eventually('the replay to be counted', async () => (await operationOf(payment))['replays'] === 1);
    await world.database.query(`UPDATE idempotency_records SET expires_at = now() WHERE key = $1`, [key]);
    await world.app.get(Purger).purge();
    const operation = await operationOf(payment);
    expect(operation).toMatchObject({ status: 'completed', attempts: 1, replays: 1, resource: `/v1/payments/${payment.body['id']}` });
    expect(eventsOf(operation)).toEqual(['claimed', 'settled']);
    expect((await world.send('GET', `/v1/operations?idempotencyKey=${key}`)).body['data']).toEqual([operation]);
    // The two replicas remember the answer in memory until its time is over; one that doesn't asks the database.
    const late = await world.pay(order, 'tok_visa', { key, on: await world.secondApp() });
    expectProblem(late, 'idempotency-key-expired');
    expect([late.body['operationId'], late.headers.get('link')]).toEqual([
      operation['id'],
      `</v1/payments/${payment.body['id']}>; rel="related"`,
    ]);
  });

  it('never purged while they are unfinished, however old', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await world.pay(order, 'tok_hang_after', { key });
    await world.database.query(
      `UPDATE idempotency_records SET created_at = now() - interval '2 years', expires_at = now() WHERE key = $1`,
      [key],
    );
    await world.app.get(Purger).purge();
    expect((await world.send('GET', `/v1/operations?idempotencyKey=${key}`)).body['data']).toMatchObject([{ status: 'interrupted' }]);
    await world.passInterval();
    expect((await world.pay(order, 'tok_hang_after', { key })).status).toBe(201);
    expect(await world.chargesOf(order)).toHaveLength(1);
  });
});

describe('an operation whose outcome is unknown', () => {
  const asked = async (): Promise<number> => (await world.ledger()).requests.length;
  const running = async (order: PlacedOrder, key: string) => {
    await world.faults({ hangAfter: 1 });
    const first = await world.pay(order, 'tok_visa', { key });
    expect(first.status).toBe(202);
    return first;
  };

  it('is asked for once in a recovery interval, however often it is resumed and its key sent again', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const first = await running(order, key);
    const before = await asked();
    const askALot = () =>
      Promise.all([
        ...Array.from({ length: 20 }, () => resume(first.headers.get('operation-id'))),
        ...Array.from({ length: 20 }, (_, n) => world.pay(order, 'tok_visa', { key, on: n % 2 ? world : replica })),
      ]);
    for (const answer of await askALot()) {
      expect([200, 202]).toContain(answer.status);
      expect(answer.body['status']).toBe(answer.status === 200 ? 'interrupted' : 'processing');
    }
    expect(await asked()).toBe(before);
    await world.passInterval();
    const answers = await askALot();
    // While one of them asks, the others are told that it runs.
    for (const answer of answers.filter(({ status }) => status === 409)) expect(answer.body['retry']).toBe('same-key');
    expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    for (let n = 0; n < 20; n += 1) await resume(first.headers.get('operation-id'));
    for (let n = 0; n < 20; n += 1) await world.pay(order, 'tok_visa', { key });
    expect(await asked()).toBe(before + 1);
    expect(await operationOf(first)).toMatchObject({ status: 'interrupted', attempts: 2 });
    await world.faults({});
    await world.passInterval();
    expect((await world.pay(order, 'tok_visa', { key })).status).toBe(201);
    expect(await world.chargesOf(order)).toHaveLength(1);
  });

  it('answers a retry within the interval as the first time, and says when to come again', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const first = await running(order, key);
    const again = await world.pay(order, 'tok_visa', { key, on: replica });
    expect([again.status, again.text]).toEqual([202, first.text]);
    for (const name of ['location', 'operation-id', 'content-type']) expect(again.headers.get(name)).toBe(first.headers.get(name));
    expect(first.headers.get('retry-after')).toBe('3600');
    const seconds = Number(again.headers.get('retry-after'));
    expect([seconds > 3_500, seconds <= 3_600, again.headers.has('idempotent-replayed')]).toEqual([true, true, false]);
    expectProblem(await world.pay(order, 'tok_visa', { key, amount: order.total + 1 }), 'idempotency-key-reused');
    expect((await operationOf(first))['attempts']).toBe(1);
  });

  it('is taken over at once after a crash, when the lease has run out', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    await running(order, key);
    await world.faults({});
    // What a process leaves that took it over and died.
    await world.database.query(`UPDATE idempotency_records SET attempt = attempt + 1, lease_until = now() WHERE key = $1`, [key]);
    expect((await world.pay(order, 'tok_visa', { key })).status).toBe(201);
    expect(await world.chargesOf(order)).toHaveLength(1);
  });

  it('may be asked for at once when there is news of it', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const first = await running(order, key);
    await world.faults({});
    const { accountId, operationId } = await idsOf(key);
    await world.app.get(Operations).wake(accountId, operationId);
    expect((await resume(first.headers.get('operation-id'))).body).toMatchObject({ status: 'completed', attempts: 2 });
  });
});

describe('resuming', () => {
  it('finishes an interrupted operation without doing anything twice, and its key then replays the outcome', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const first = await world.pay(order, 'tok_hang_after', { key });
    const id = first.headers.get('operation-id');
    await world.passInterval();
    const logged = jest.spyOn(Logger.prototype, 'log');
    const resumed = await resume(id);
    expect(resumed.status).toBe(200);
    expect(resumed.body).toMatchObject({ id, status: 'completed', attempts: 2, response: { status: 201 } });
    const acts = logged.mock.calls.map(([line]) => line as Record<string, unknown>).filter(({ act }) => act === 'operation.resumed');
    logged.mockRestore();
    const who = { accountId: publicId('acct', ACCOUNT_A), keyId: `key_${'a'.repeat(26)}`, address: '127.0.0.1' };
    expect(acts).toEqual([{ act: 'operation.resumed', ...who, operationId: id, requestId: resumed.headers.get('x-request-id') }]);
    expect(JSON.stringify(resumed.body['timeline'])).toMatch(/by request of key_a{26}, attempt/);
    expect(await world.stateOf(order)).toEqual({ order: 'paid', payments: ['succeeded'], amountRefunded: 0, charges: 1, refunded: 0 });
    const replay = await world.pay(order, 'tok_hang_after', { key });
    expect([replay.status, replay.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
    expect(replay.text).toBe((await world.send('GET', `/v1/payments/${first.body['id']}`)).text);
  });

  it('a completed operation answers it as it is', async () => {
    const payment = await world.pay(await world.placeOrder());
    const resumed = await resume(payment.headers.get('operation-id'));
    expect([resumed.status, resumed.body]).toEqual([200, await operationOf(payment)]);
  });

  it('one that runs at this moment is 409, and leaves it alone', async () => {
    const [order, key] = [await world.placeOrder(), uuidv7()];
    const held = await world.sandbox.hold();
    const paying = world.pay(order, 'tok_visa', { key });
    try {
      const operation = await eventually('the operation to run', async () => {
        const { body } = await world.send('GET', `/v1/operations?idempotencyKey=${key}`);
        return body['data'][0] as TestResponse['body'] | undefined;
      });
      expect(operation['status']).toBe('running');
      expectProblem(await resume(operation['id']), 'operation-running');
    } finally {
      await held.release();
    }
    expect((await paying).status).toBe(201);
    expect(await world.chargesOf(order)).toHaveLength(1);
  });

  it('one whose outcome is still unknown leaves it interrupted', async () => {
    const order = await world.placeOrder();
    await world.faults({ refuse: 1 });
    const first = await world.pay(order);
    await world.passInterval();
    const resumed = await resume(first.headers.get('operation-id'));
    expect([resumed.status, resumed.body['status'], resumed.body['attempts']]).toEqual([200, 'interrupted', 2]);
    expect(await world.stateOf(order)).toMatchObject({ order: 'pending', payments: ['processing'], charges: 0 });
    await world.faults({});
    await world.passInterval();
    expect((await resume(first.headers.get('operation-id'))).body).toMatchObject({ status: 'completed' });
    expect(await world.chargesOf(order)).toHaveLength(1);
  });

  it('twenty times at once takes it over once', async () => {
    const order = await world.placeOrder();
    const first = await world.pay(order, 'tok_hang_after');
    await world.passInterval();
    const answers = await Promise.all(Array.from({ length: 20 }, () => resume(first.headers.get('operation-id'))));
    for (const answer of answers) if (answer.status !== 200) expectProblem(answer, 'operation-running');
    const operation = await operationOf(first);
    expect(operation).toMatchObject({ status: 'completed', attempts: 2 });
    expect(eventsOf(operation).filter((event) => event === 'resumed')).toHaveLength(1);
    expect(await world.chargesOf(order)).toHaveLength(1);
  });

  it('needs the scope for it', async () => {
    const payment = await world.pay(await world.placeOrder());
    const id = payment.headers.get('operation-id');
    const reader = await addApiKey(world.database, ['operations:read']);
    expect((await world.send('GET', `/v1/operations/${id}`, { as: reader })).status).toBe(200);
    expectProblem(await resume(id, reader), 'insufficient-scope');
  });
});
