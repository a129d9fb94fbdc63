import { v7 as uuidv7 } from 'uuid';
import { ORDER, startApp, type TestApp, type TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';
import { ReplicatedDatabase } from '../support/replication.js';

let servers: ReplicatedDatabase;
let [first, second]: TestApp[] = [];
beforeAll(async () => {
  servers = await ReplicatedDatabase.start();
  [first, second] = await Promise.all([startApp(servers.database), startApp(servers.database)]);
}, 60_000);
afterAll(async () => {
  await Promise.all([first?.close(), second?.close()]);
  await servers.close();
});

const place = (on: TestApp | undefined, key: string): Promise<TestResponse> => {
  if (!on) throw new Error('no replica');
  return on.send('POST', '/v1/orders', { key, body: ORDER });
};
/** Until then 503: the connections of the old server break, one after the other. */
const untilPlaced = (on: TestApp | undefined, key: string): Promise<TestResponse> =>
  eventually('an order', async () => {
    const answer = await place(on, key);
    return answer.status !== 503 && answer;
  });
const reasonOf = async (on: TestApp | undefined): Promise<string> => {
  const { status, body } = await (on as TestApp).send('GET', '/health/ready', { as: null });
  return `${status} ${(body['error'] as { database?: { reason?: string } } | undefined)?.database?.reason}`;
};

const key = uuidv7();
let answer: TestResponse;

it('an answer that a failover lost is given no more: the key has one answer, on every replica, and one order', async () => {
  await servers.cutReplication();
  const lost = await place(first, key);
  expect(lost.status).toBe(201);
  const replayed = await place(first, key);
  expect([replayed.text, replayed.headers.get('idempotent-replayed')]).toEqual([lost.text, 'true']);

  await servers.failOver();
  const answers = await Promise.all([untilPlaced(first, key), untilPlaced(second, key)]);
  answers.push(await untilPlaced(first, key), await untilPlaced(second, key));
  expect(answers.map(({ status }) => status).filter((status) => status !== 409)).toEqual(expect.arrayContaining([201, 201]));
  const texts = new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text));
  expect([...texts]).toHaveLength(1);
  expect([...texts]).not.toContain(lost.text);
  answer = answers.at(-1) as TestResponse;
  expect((await (first as TestApp).send('GET', `/v1/orders/${String(answer.body['id'])}`)).status).toBe(200);
  expect(await countOf(servers.database, 'orders')).toBe(1);
  expect(await recordsOf(servers.database, key)).toMatchObject([{ status: 'completed', response_status: 201 }]);
});

it('a former primary that comes back is not ready, and nothing is written there', async () => {
  await servers.bringBack();
  const [fresh, orders] = [uuidv7(), await countOf(servers.database, 'orders')];
  for (const replica of [first, second]) {
    const reason = '503 the database is a former primary: it is on timeline 1, and this process has seen 2';
    await eventually(reason, async () => (await reasonOf(replica)) === reason);
    // Not even what is remembered: it is not known whether the server that gave it is there.
    for (const asked of [key, fresh]) expectProblem(await place(replica, asked), 'service-unavailable');
  }
  expect(await countOf(servers.database, 'orders')).toBe(orders);
  expect(await recordsOf(servers.database, fresh)).toEqual([]);

  servers.returnToPromoted();
  for (const replica of [first, second]) {
    await eventually('readiness', async () => (await reasonOf(replica)).startsWith('200'));
    expect((await place(replica, key)).text).toBe(answer.text);
  }
});
