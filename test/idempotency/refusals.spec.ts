import { Body, Controller, Post } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { v7 as uuidv7 } from 'uuid';
import { PROBLEMS, type ProblemCode } from '../../src/http/problem-table.js';
import { Idempotency, Idempotent, IdempotencyRefusal, Tx, reply, type Reply, type Transaction } from '../../src/idempotency/index.js';
import type { TestApp, TestResponse } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startLiftedApp } from '../support/lifted-app.js';
import { hold, untilBlocked } from '../support/locks.js';

const LOCK = { name: 'refusals-lock', text: 'SELECT pg_advisory_xact_lock(7)' };

@Controller('refused')
class Refused {
  /** Waits while a test holds the lock. */
  @Post()
  @Idempotent()
  async make(@Tx() tx: Transaction, @Body() { text }: { text: string }): Promise<Reply> {
    await tx.run(LOCK);
    return reply(201, { text }, { location: '/notes/one' });
  }
}

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

describe.each([
  ['Fastify', () => new FastifyAdapter(), false],
  ['Express', () => new ExpressAdapter(), false],
  ['Fastify', () => new FastifyAdapter(), true],
  ['Express', () => new ExpressAdapter(), true],
] as const)('what the core refuses, on %s, in an application without a filter', (_, adapter, problemJson) => {
  let app: TestApp;
  let replica: TestApp;
  beforeAll(async () => {
    const options = { controllers: [Refused], core: { problemJson, background: false } };
    app = await startLiftedApp(database, { ...options, adapter: adapter() });
    replica = await startLiftedApp(database, { ...options, adapter: adapter() });
  });
  afterAll(async () => {
    await replica.close();
    await app.close();
  });
  const post = (on: TestApp, key: string | null, text = 'one'): Promise<TestResponse> =>
    on.send('POST', '/refused', { key, body: { text } });

  it(`says what to do next, ${problemJson ? 'as application/problem+json' : 'in the form of Nest'}`, async () => {
    const expectRefusal = ({ status, headers, body }: TestResponse, code: string, more: object = {}): void => {
      const { retry, status: of } = PROBLEMS[code as ProblemCode];
      expect([status, headers.get('retry-after')]).toEqual([of, retry === 'same-key' ? '1' : null]);
      expect(headers.get('content-type')).toMatch(problemJson ? /^application\/problem\+json/ : /^application\/json/);
      const form = problemJson
        ? { status, title: expect.any(String), detail: expect.any(String) }
        : { statusCode: status, message: expect.any(String) };
      expect(body).toEqual({ ...form, code, retry, ...more });
    };
    const operation = { operationId: expect.stringMatching(/^op_/) };
    const key = uuidv7();

    expectRefusal(await post(app, null), 'idempotency-key-missing');
    const held = await hold(database, 'SELECT pg_advisory_xact_lock(7)');
    const first = post(app, key);
    await untilBlocked(database);
    expectRefusal(await post(app, key), 'idempotency-request-in-progress');
    expectRefusal(await post(replica, key), 'idempotency-request-in-progress');
    await held.release();
    expect((await first).status).toBe(201);
    expectRefusal(await post(app, key, 'another'), 'idempotency-key-reused', operation);

    await database.query("UPDATE idempotency_records SET expires_at = now() - interval '1 second' WHERE key = $1", [key]);
    await app.app.get(Idempotency, { strict: false }).purgeDue();
    const late = await post(replica, key);
    expectRefusal(late, 'idempotency-key-expired', operation);
    expect(late.headers.get('link')).toBe('</notes/one>; rel="related"');
  });
});

it('the core and the service mean the same by their codes', () => {
  const shared = Object.entries(PROBLEMS).filter(
    ([code]) => code.startsWith('idempotency-') || ['possible-duplicate', 'rate-limited', 'service-unavailable'].includes(code),
  );
  for (const [code, { status, retry }] of shared) {
    const refusal = new IdempotencyRefusal(code as never);
    expect([code, refusal.getStatus(), refusal.retry]).toEqual([code, status, retry]);
  }
});
