import { Body, ConflictException, Controller, Post } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, Tx, reply, type ItemOutcome, type Reply, type Transaction } from '../../src/idempotency/index.js';
import type { TestApp, TestResponse } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { Note, TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = { name: 'items-insert', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)' };
const INSERT_AT_ONCE = { name: 'items-insert-at-once', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2) RETURNING text' };
const DIVIDE = { name: 'items-divide', text: 'SELECT 1 / $1::int AS result' };

/** How an item writes its note, and what becomes of it then. */
interface Wish {
  key: string;
  text: string;
  by: 'write' | 'run' | 'manager' | 'doubtful write';
  end?: 'refused' | 'refused by reply' | 'broken';
}

async function write(tx: Transaction, { text, by }: Wish): Promise<void> {
  const values = [TENANT, text];
  if (by === 'write') tx.write(INSERT, values);
  if (by === 'run') await tx.run(INSERT_AT_ONCE, values);
  if (by === 'manager') await (await tx.manager()).save(Note, { tenantId: TENANT, text });
  if (by === 'doubtful write') tx.write(INSERT, values, { notes_text_key: () => new ConflictException('there is such a note') });
}

@Controller('several')
class SeveralController {
  @Post()
  @Idempotent()
  async several(@Tx() tx: Transaction, @Body() { atomic, wishes }: { atomic: boolean; wishes: Wish[] }): Promise<Reply> {
    tx.write(INSERT, [TENANT, 'by the batch itself']);
    const outcomes = await tx.items(
      wishes.map(({ key, ...body }) => ({ key, method: 'POST', path: '/notes', body: { text: body.text } })),
      {
        atomic,
        prepare: async (fresh) => tx.write(INSERT, [TENANT, `prepared ${fresh.join(' ')}`]),
        work: async (own, index) => {
          const wish = wishes[index] as Wish;
          await write(own, wish);
          if (wish.end === 'refused') throw new ConflictException('refused');
          if (wish.end === 'broken') await own.run(DIVIDE, [0]);
          return wish.end === 'refused by reply' ? reply(402, { text: wish.text }) : reply(201, { text: wish.text });
        },
      },
    );
    return reply(200, outcomes.map(wordOf));
  }
}

function wordOf(outcome: ItemOutcome): string | number {
  return outcome.kind === 'answered' ? outcome.response.status : outcome.kind;
}

let database: TestDatabase;
let app: TestApp;
beforeAll(async () => {
  database = await createDatabase();
  app = await startLiftedApp(database, { controllers: [SeveralController] });
  await database.query(`CREATE UNIQUE INDEX notes_text_key ON notes (text) WHERE text NOT LIKE '% %'`);
});
beforeEach(() => database.query('DELETE FROM notes').then(() => undefined));
afterAll(async () => {
  await app.close();
  await database.drop();
});

const send = (wishes: Wish[], atomic = false): Promise<TestResponse> =>
  app.send('POST', '/several', { as: null, headers: { 'x-tenant': TENANT }, body: { atomic, wishes } });
const texts = async (): Promise<string[]> => {
  const rows = await database.query<{ text: string }>('SELECT text FROM notes ORDER BY text');
  return rows.map(({ text }) => text);
};
const wish = (text: string, by: Wish['by'], end?: Wish['end']): Wish => ({ key: uuidv7(), text, by, ...(end && { end }) });

describe.each(['write', 'run', 'manager', 'doubtful write'] as const)('what an item wrote by %s', (by) => {
  it('is undone when it is refused, and what the others wrote is not', async () => {
    const wishes = [wish('a', by), wish('b', by, 'refused'), wish('c', by)];
    expect((await send(wishes)).body).toEqual([201, 409, 201]);
    expect(await texts()).toEqual(['a', 'by the batch itself', 'c', 'prepared 0 1 2']);
    for (const { key } of wishes) expect(await recordsOf(database, key)).toHaveLength(1);
  });

  it('stays with a refusal that is returned', async () => {
    expect((await send([wish('a', by, 'refused by reply')])).body).toEqual([402]);
    expect(await texts()).toEqual(['a', 'by the batch itself', 'prepared 0']);
  });

  it('is undone for all of an atomic batch when one is refused, and what was written before the items is not', async () => {
    const wishes = [wish('a', by), wish('b', by), wish('c', by, 'refused'), wish('d', by)];
    expect((await send(wishes, true)).body).toEqual(['rolled-back', 'rolled-back', 409, 'rolled-back']);
    expect(await texts()).toEqual(['by the batch itself', 'prepared 0 1 2 3']);
    for (const { key } of wishes) expect(await recordsOf(database, key)).toEqual([]);
  });

  it('is undone with everything else when something breaks', async () => {
    const wishes = [wish('a', by), wish('b', by, 'broken')];
    expect((await send(wishes)).status).toBe(500);
    expect(await texts()).toEqual([]);
    expect(await countOf(database, 'idempotency_records', 'key = ANY ($1)', [wishes.map(({ key }) => key)])).toBe(0);
  });
});

it('a violation that was declared refuses its own item alone', async () => {
  const wishes = [wish('a', 'write'), wish('a', 'doubtful write'), wish('b', 'doubtful write')];
  expect((await send(wishes)).body).toEqual([201, 409, 201]);
  expect(await texts()).toEqual(['a', 'b', 'by the batch itself', 'prepared 0 1 2']);
  const atomic = await send([wish('c', 'doubtful write'), wish('a', 'doubtful write')], true);
  expect(atomic.body).toEqual(['rolled-back', 409]);
  expect(await texts()).toEqual(['a', 'b', 'by the batch itself', 'by the batch itself', 'prepared 0 1', 'prepared 0 1 2']);
});

it('items whose statements leave with COMMIT cost no savepoint and one packet', async () => {
  const wishes = Array.from({ length: 20 }, (_, at) => wish(`n-${at}`, 'write'));
  expect((await send(wishes)).body).toEqual(wishes.map(() => 201));
  expect(await countOf(database, 'notes', `text LIKE 'n-%'`)).toBe(20);
  const ids = await database.query<{ xmin: string }>(`SELECT DISTINCT xmin::text FROM notes WHERE text LIKE 'n-%'`);
  expect(ids).toHaveLength(1);
});
