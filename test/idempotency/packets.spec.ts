import { DataSource } from 'typeorm';
import { SQL, type SentStatements } from '../../src/idempotency/channels.js';
import type { OpeningCheck } from '../../src/idempotency/postgres/opening-check.js';
import { PostgresTransaction } from '../../src/idempotency/postgres/postgres-transaction.js';
import { toCall, type Call } from '../../src/idempotency/postgres/statement.js';
import { databaseOptions } from '../../src/database/data-source.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { countOf } from '../support/ledger.js';

const NUMBER = { name: 'packets-number', text: 'SELECT $1::int AS number' };
const HALF = { name: 'packets-half', text: 'SELECT 10 / $1::int AS half' };
const INSERT = { name: 'packets-insert', text: 'INSERT INTO marks (mark) VALUES ($1)' };
const number = (value: number): Call => toCall(NUMBER, [value]);
const half = (of: number): Call => toCall(HALF, [of]);
const insert = (mark: string): Call => toCall(INSERT, [mark]);

let database: TestDatabase;
let source: DataSource;
/** The packets that have left, each as the names of its statements; but for the end, which is not theirs. */
let packets: (readonly string[])[] = [];
const note = (sent: unknown): void => {
  const { statements } = sent as SentStatements;
  if (statements[0] !== 'ROLLBACK') packets.push(statements);
};

beforeAll(async () => {
  database = await createDatabase();
  await database.query('CREATE TABLE marks (mark text)');
  const options = databaseOptions(database.url, 1);
  source = await new DataSource({ ...options, extra: { ...(options.extra as object), connectionTimeoutMillis: 200 } }).initialize();
  SQL.start.subscribe(note);
});
beforeEach(() => (packets = []));
afterAll(async () => {
  SQL.start.unsubscribe(note);
  await source.destroy();
  await database.drop();
});

/** A check that is won. */
const WON: OpeningCheck<string> = { calls: () => [number(0)], evaluate: () => ({ won: true, now: new Date(0), found: 'won' }) };

async function within<T>(work: (tx: PostgresTransaction) => Promise<T>, check: OpeningCheck<string> = WON): Promise<T> {
  const tx = new PostgresTransaction(source, check, 'a test', false);
  try {
    return await work(tx);
  } finally {
    await tx.release();
  }
}

it('what is asked for at one moment leaves in one packet, in its order, behind what was queued before it', async () => {
  const rows = await within(async (tx) => {
    await tx.begin();
    const first = tx.run(number(1));
    tx.enqueue(insert('queued'));
    return Promise.all([first, tx.run(half(2)), tx.run(number(3))]);
  });
  expect(rows).toEqual([[{ number: 1 }], [{ half: 5 }], [{ number: 3 }]]);
  expect(packets).toEqual([
    ['BEGIN', NUMBER.name],
    [INSERT.name, NUMBER.name, HALF.name, NUMBER.name],
  ]);
});

it('reads leave with the check; what may wait for a lock does where the check holds one, and nowhere else', async () => {
  const ask = (tx: PostgresTransaction): Promise<unknown> => Promise.all([tx.read(number(1)), tx.read(number(2)), tx.run(half(5))]);
  expect(await within(ask)).toEqual([[{ number: 1 }], [{ number: 2 }], [{ half: 2 }]]);
  expect(packets).toEqual([['BEGIN', NUMBER.name, NUMBER.name, NUMBER.name], [HALF.name]]);
  packets = [];
  await within(ask, { ...WON, locks: true });
  expect(packets).toEqual([['BEGIN', NUMBER.name, NUMBER.name, NUMBER.name, HALF.name]]);
});

it('who stands in front of a statement that fails has its rows, and who stands behind it is told its error', async () => {
  const [before, failed, behind] = await within(async (tx) => {
    await tx.begin();
    return Promise.allSettled([tx.run(number(1)), tx.run(half(0)), tx.run(number(2))]);
  });
  expect(before).toEqual({ status: 'fulfilled', value: [{ number: 1 }] });
  for (const one of [failed, behind]) expect(one).toMatchObject({ status: 'rejected', reason: { code: '22012' } });
});

it('what left with a check that was lost is told so', async () => {
  const lost: OpeningCheck<string> = { ...WON, evaluate: () => ({ won: false, now: new Date(0), found: 'lost' }) };
  const ends = await within((tx) => Promise.allSettled([tx.read(number(1)), tx.read(number(2))]), lost);
  for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: { message: 'the claim was lost' } });
});

it('who asks again when no connection came is told so again', async () => {
  const runner = source.createQueryRunner();
  await runner.connect();
  try {
    await within(async (tx) => {
      for (let again = 0; again < 2; again += 1) await expect(tx.read(number(1))).rejects.toThrow('timeout');
      await expect(tx.run(number(1))).rejects.toThrow('timeout');
    });
  } finally {
    await runner.release();
  }
  expect(await within((tx) => tx.read(number(1)))).toEqual([{ number: 1 }]);
});

it('what nobody waits for leaves before COMMIT, and never behind a ROLLBACK', async () => {
  await within(async (tx) => {
    await tx.begin();
    void tx.run(insert('in front of COMMIT'));
    await tx.commit([number(1)]);
  });
  await within(async (tx) => {
    await tx.begin();
    tx.run(insert('behind a ROLLBACK')).catch(() => undefined);
  });
  const count = (mark: string): Promise<number> => countOf(database, 'marks', 'mark = $1', [mark]);
  expect([await count('in front of COMMIT'), await count('behind a ROLLBACK'), await count('queued')]).toEqual([1, 0, 0]);
});
