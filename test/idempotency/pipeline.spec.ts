import { Client, type ClientConfig, type PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import { sendPipeline, type PipelineEnd } from '../../src/idempotency/postgres/pipeline.js';
import { toCall, type Statement } from '../../src/idempotency/postgres/statement.js';
import { BatchedReader } from '../../src/idempotency/postgres/batched-reader.js';
import { createDatabase, type TestDatabase } from '../support/database.js';

const HALF: Statement = { name: 'pipeline-half', text: 'SELECT 10 / $1::int AS half' };
const NAP: Statement = { name: 'pipeline-nap', text: 'SELECT pg_sleep($1::float8) IS NULL AS slept' };
const NUMBER: Statement = { name: 'pipeline-number', text: 'SELECT $1::int AS number' };
const SAVE: Statement = { name: 'pipeline-save', text: 'SAVEPOINT here' };
const GO_BACK: Statement = { name: 'pipeline-go-back', text: 'ROLLBACK TO SAVEPOINT here' };
const BEGIN: Statement = { name: 'pipeline-begin', text: 'BEGIN' };
const UUID: Statement = { name: 'pipeline-uuid', text: 'SELECT $1::uuid AS id' };

let database: TestDatabase;
const clients: Client[] = [];
beforeAll(async () => {
  database = await createDatabase();
});
afterEach(() => Promise.all(clients.splice(0).map((client) => client.end())));
afterAll(() => database.drop());

async function connect(config: ClientConfig = {}): Promise<PoolClient> {
  const client = new Client({ connectionString: database.url, ...config });
  clients.push(client);
  await client.connect();
  return client as unknown as PoolClient;
}

const rowsOf = ({ results }: PipelineEnd) => results.map(({ rows }) => rows);
const send = (client: PoolClient, statement: Statement, ...values: unknown[]) => sendPipeline(client, [toCall(statement, values)]);

it.each([true, false])(
  'a row that a type parser refuses is an error of its flight, and the connection lives on: pipeline %s',
  async (pipeline) => {
    const client = await connect({ pipeline });
    let refuses = true;
    (client as unknown as Client).setTypeParser(23, (text: string) => {
      if (refuses) throw new Error(`no ${text}`);
      return Number(text);
    });
    const end = await sendPipeline(client, [toCall(UUID, [null]), toCall(NUMBER, [7]), toCall(HALF, [2])]);
    expect([rowsOf(end), String(end.error)]).toEqual([[[{ id: null }]], 'Error: no 7']);
    refuses = false;
    for (let again = 0; again < 2; again += 1) {
      const { error, ...good } = await sendPipeline(client, [toCall(NUMBER, [7]), toCall(HALF, [2])]);
      expect([rowsOf(good), error]).toEqual([[[{ number: 7 }], [{ half: 5 }]], undefined]);
    }
  },
);

it('a statement that failed in front of another use of it gives true rows or an error, never empty ones', async () => {
  const client = await connect({ pipeline: true });
  await sendPipeline(client, [toCall(BEGIN), toCall(SAVE)]);
  const [failed, , behind] = await Promise.all([send(client, HALF, 0), send(client, GO_BACK), send(client, HALF, 2)]);
  expect(String(failed.error)).toMatch(/division by zero/);
  expect(behind.error ? [] : rowsOf(behind)).toEqual(behind.error ? [] : [[{ half: 5 }]]);
  await send(client, GO_BACK);
  for (let again = 0; again < 2; again += 1) expect(rowsOf(await send(client, HALF, 5))).toEqual([[{ half: 2 }]]);
});

it.each([
  ['known', 0.001],
  ['new', undefined],
])('what comes after a time limit is nobody else’s: a %s statement', async (_which, before) => {
  const client = await connect({ pipeline: false, query_timeout: 200 });
  if (before !== undefined) await send(client, NAP, before);
  expect(String((await send(client, NAP, 0.4)).error)).toMatch(/Query read timeout/);
  for (let tries = 0; tries < 50; tries += 1) {
    const { error, ...end } = await sendPipeline(client, [toCall(NAP, [0.001]), toCall(NUMBER, [3])]);
    if (!error) return expect(rowsOf(end)).toEqual([[{ slept: false }], [{ number: 3 }]]);
  }
  throw new Error('the connection never answered again');
});

it('a look that the server refuses takes none of the others along', async () => {
  const dataSource = await new DataSource({ type: 'postgres', url: database.url, poolSize: 2 }).initialize();
  try {
    const reader = new BatchedReader(dataSource);
    const id = '018bcfe5-6800-7000-8000-0000000000ff';
    const look = (value: string) =>
      reader.fetch(id, { ...UUID, values: [value] }).then(
        ({ rows }) => rows,
        (error: unknown) => String(error),
      );
    const looks = await Promise.all([id, 'a', id, 'b', id].map(look));
    expect(looks).toEqual([[{ id }], expect.stringMatching(/uuid: "a"/), [{ id }], expect.stringMatching(/uuid: "b"/), [{ id }]]);
  } finally {
    await dataSource.destroy();
  }
});
