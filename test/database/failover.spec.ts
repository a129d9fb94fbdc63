import { v7 as uuidv7 } from 'uuid';
import { ServerTimeline } from '../../src/idempotency/postgres/server-timeline.js';
import { ORDER, startApp, type TestApp, type TestResponse } from '../support/app.js';
import { envOf } from '../support/database.js';
import { leftOut } from '../support/debian.js';
import { eventually } from '../support/eventually.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { startPgBouncer, whyNoPgBouncer } from '../support/pgbouncer.js';
import type { Pooler } from '../support/pooler.js';
import { expectProblem } from '../support/problems.js';
import { ReplicatedDatabase } from '../support/replication.js';

const missing = whyNoPgBouncer();
const WAYS = [
  { name: 'directly', describe_: describe, pooled: false },
  {
    name: `through PgBouncer${leftOut(missing)}`,
    describe_: missing === null ? describe : describe.skip,
    pooled: true,
  },
];

describe.each(WAYS)('$name', ({ describe_, pooled }) => {
  describe_('after a failover', () => afterFailover(pooled));
});

function afterFailover(pooled: boolean): void {
  let servers: ReplicatedDatabase;
  let pooler: Pooler | undefined;
  let replicas: [TestApp, TestApp];
  beforeAll(async () => {
    servers = await ReplicatedDatabase.start();
    pooler = pooled ? await startPgBouncer(servers.database.url) : undefined;
    const direct = servers.database;
    const database = pooler ? { ...direct, url: pooler.url, env: { ...envOf(pooler.url), DATABASE_OWNER_URL: direct.url } } : direct;
    replicas = [await startApp(database), await startApp(database)];
  }, 60_000);
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.close()));
    await pooler?.close();
    await servers.close();
  });

  const place = (on: TestApp, key: string): Promise<TestResponse> => on.send('POST', '/v1/orders', { key, body: ORDER });
  /** Until then 503: the connections of the old server break, one after the other. */
  const untilPlaced = (on: TestApp, key: string): Promise<TestResponse> =>
    eventually('an order', async () => {
      const answer = await place(on, key);
      return answer.status !== 503 && answer.status !== 409 && answer;
    });

  /** PgBouncer keeps the connections open, so that nothing shows before the next reading. */
  const noticed = async (): Promise<void> => {
    if (pooled) for (const replica of replicas) await replica.app.get(ServerTimeline, { strict: false }).read();
  };

  const key = uuidv7();
  let answer: TestResponse;

  it('what it lost is answered no more: the key has one answer, on every replica, and one order', async () => {
    const [first, second] = replicas;
    await servers.cutReplication();
    const lost = await place(first, key);
    expect(lost.status).toBe(201);
    const replayed = await place(first, key);
    expect([replayed.text, replayed.headers.get('idempotent-replayed')]).toEqual([lost.text, 'true']);

    await servers.failOver();
    await noticed();
    const answers = await Promise.all([untilPlaced(first, key), untilPlaced(second, key)]);
    answers.push(await untilPlaced(first, key), await untilPlaced(second, key));
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const texts = [...new Set(answers.map(({ text }) => text))];
    expect(texts).toHaveLength(1);
    expect(texts).not.toContain(lost.text);
    [answer = lost] = answers;
    expect((await first.send('GET', `/v1/orders/${String(answer.body['id'])}`)).status).toBe(200);
    expect(await countOf(servers.database, 'orders')).toBe(1);
    expect(await recordsOf(servers.database, key)).toMatchObject([{ status: 'completed', response_status: 201 }]);
  });

  it('a former primary that comes back is not ready, and nothing is written there', async () => {
    await servers.bringBack();
    await noticed();
    const [fresh, orders] = [uuidv7(), await countOf(servers.database, 'orders')];
    for (const replica of replicas) {
      await expectState(replica, '503 the database is a former primary: it is on timeline 1, and this process has seen 2');
      // Not even what is remembered: it is not known whether the server that gave it is there.
      for (const asked of [key, fresh]) expectProblem(await place(replica, asked), 'service-unavailable');
    }
    expect(await countOf(servers.database, 'orders')).toBe(orders);
    expect(await recordsOf(servers.database, fresh)).toEqual([]);

    servers.returnToPromoted();
    for (const replica of replicas) {
      await expectState(replica, '200 undefined');
      expect((await untilPlaced(replica, key)).text).toBe(answer.text);
    }
  });
}

/** Waits for what readiness answers: its status, and why. */
async function expectState(on: TestApp, state: string): Promise<void> {
  await eventually(state, async () => {
    const { status, body } = await on.send('GET', '/health/ready', { as: null });
    const { database } = (body['error'] ?? {}) as { database?: { reason: string } };
    return `${status} ${database?.reason}` === state;
  });
}
