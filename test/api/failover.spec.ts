import { v7 as uuidv7 } from 'uuid';
import { ORDER, atOnce, startWorld, type TestRequest, type TestResponse } from '../support/app.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { expectProblem } from '../support/problems.js';

const POOL_SIZE = 3;
const TICKET = { subject: 'Lamp is dark', description: 'It came without a bulb.', priority: 'normal' };

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld({ DB_POOL_SIZE: String(POOL_SIZE) });
});
afterAll(() => world.close());

type Send = (key: string) => Promise<TestResponse>;
const send =
  (method: string, path: string, request: TestRequest): Send =>
  (key) =>
    world.send(method, path, { ...request, key });
const change = async (path: string, made: object, update: object): Promise<Send> => {
  const { status, body } = await world.send('POST', path, { body: made });
  expect(status).toBe(201);
  return send('PATCH', `${path}/${String(body['id'])}`, { headers: { 'if-match': '"1"' }, body: update });
};

/** Each of them writes in another way: in one flight, behind its reads, or through TypeORM. */
const WRITES: [name: string, done: number, prepare: () => Promise<Send>][] = [
  ['POST /v1/orders', 201, async () => send('POST', '/v1/orders', { body: ORDER })],
  ['POST /v1/tickets', 201, async () => send('POST', '/v1/tickets', { body: TICKET })],
  ['PATCH /v1/orders/{id}', 200, () => change('/v1/orders', ORDER, { customerReference: 'x' })],
  ['PATCH /v1/tickets/{id}', 200, () => change('/v1/tickets', TICKET, { status: 'closed' })],
];

it.each(WRITES)('a server that became read-only is unavailable, and its connections are not used again: %s', async (_, done, prepare) => {
  const [write, key] = [await prepare(), uuidv7()];
  const before = await written();
  await setReadOnly('on');
  await endSessions();
  for (let round = 1; round <= 3; round += 1) {
    for (const answer of await atOnce(POOL_SIZE, () => write(uuidv7()))) expectProblem(answer, 'service-unavailable');
    expectProblem(await write(key), 'service-unavailable');
  }
  expect(await written()).toEqual(before);
  // From here on new sessions may write; those that the pool still has may not, and nobody ends them from outside.
  await setReadOnly('off');
  let answer = await write(key);
  for (let tries = 1; answer.status === 503 && tries <= POOL_SIZE; tries += 1) answer = await write(key);
  expect([answer.status, answer.headers.has('idempotent-replayed')]).toEqual([done, false]);
  expect(await recordsOf(world.database, key)).toMatchObject([{ status: 'completed', response_status: done }]);
  expect(await written()).toEqual({ records: before.records + 1, versions: before.versions + 1 });
  expect((await write(key)).text).toBe(answer.text);
});

/** Each of the writes stores one record, and adds one version to what it makes or changes. */
async function written(): Promise<{ records: number; versions: number }> {
  const [row] = await world.database.query<{ versions: number }>(
    'SELECT sum(version)::int AS versions FROM (SELECT version FROM orders UNION ALL SELECT version FROM tickets) rows',
  );
  return { records: await countOf(world.database, 'idempotency_records'), versions: row?.versions ?? 0 };
}

/** For sessions that begin from now on. */
async function setReadOnly(value: 'on' | 'off'): Promise<void> {
  const name = new URL(world.database.url).pathname.slice(1);
  await world.database.query(`BEGIN READ WRITE; ALTER DATABASE ${name} SET default_transaction_read_only = ${value}; COMMIT`);
}

/** As the old server's end does it. */
async function endSessions(): Promise<void> {
  const ours = `datname = current_database() AND application_name = 'holdfast'`;
  await world.database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${ours}`);
}
