import { setTimeout as sleep } from 'node:timers/promises';
import { Body, ConflictException, Controller, Post } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, Tx, type Transaction } from '../../src/idempotency/index.js';
import type { TestApp } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { Note, TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = { name: 'escape-insert', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)' };
const NEXT = { name: 'escape-next', text: `SELECT nextval('turns')::int AS turn` };
const NEXT_AGAIN = { name: 'escape-next-again', text: `SELECT nextval('turns')::int AS turn` };
const DIVIDE = { name: 'escape-divide', text: `SELECT 1 / $1::int AS result` };
const NEXT_TOO = { name: 'escape-next-too', text: `SELECT nextval('turns')::int AS turn` };

interface Wish {
  text: string;
}

@Controller('escapes')
class EscapesController {
  constructor(private readonly dataSource: DataSource) {}

  /** Gives a connection back with a transaction on it that nobody ends. */
  @Post('leaves-open')
  async leavesOpen(): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.query(INSERT.text, [TENANT, 'of nobody']);
    await runner.release();
  }

  @Post('writes')
  @Idempotent()
  writes(@Tx() tx: Transaction, @Body() { text }: Wish): object {
    tx.write(INSERT, [TENANT, text]);
    return { written: true };
  }

  @Post('writes-optimistically')
  @Idempotent({ optimistic: true })
  writesOptimistically(@Tx() tx: Transaction, @Body() wish: Wish): object {
    return this.writes(tx, wish);
  }

  /** Work goes on beside a check that refuses. */
  @Post('beside')
  @Idempotent()
  async beside(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<void> {
    const manager = await tx.manager();
    const work = async (): Promise<void> => {
      for (let note = 0; note < 20; note += 1) await manager.insert(Note, { tenantId: TENANT, text });
    };
    const check = async (): Promise<void> => {
      await sleep(2);
      throw new ConflictException(text);
    };
    await Promise.all([work(), check()]);
  }

  /** A value that has no form in SQL. */
  @Post('unwritable')
  @Idempotent()
  unwritable(@Tx() tx: Transaction, @Body() { text }: Wish): object {
    tx.write(INSERT, [TENANT, { text, number: 1n }]);
    return { written: true };
  }

  /** Another text under a name that is taken. */
  @Post('same-name')
  @Idempotent()
  sameName(@Tx() tx: Transaction, @Body() { text }: Wish): object {
    tx.write(INSERT, [TENANT, text]);
    tx.write({ ...INSERT, text: `${INSERT.text} ` }, [TENANT, text]);
    return { written: true };
  }

  @Post('in-turn')
  @Idempotent()
  async inTurn(@Tx() tx: Transaction): Promise<object> {
    const [[first], [second]] = await Promise.all([tx.run<{ turn: number }>(NEXT), tx.run<{ turn: number }>(NEXT_TOO)]);
    return { turns: [first?.turn, second?.turn] };
  }

  @Post('same-at-once')
  @Idempotent()
  async sameAtOnce(@Tx() tx: Transaction): Promise<object> {
    const rows = await Promise.all([1, 2, 3].map(() => tx.run<{ turn: number }>(NEXT_AGAIN)));
    return { turns: rows.map(([row]) => row?.turn) };
  }

  /** The one that fails stands behind others, which the failed flights before have prepared or not. */
  @Post('divide')
  @Idempotent()
  divide(@Tx() tx: Transaction, @Body() { text }: Wish): object {
    tx.write(NEXT, []);
    tx.write(DIVIDE, [Number(text)]);
    tx.write(NEXT_TOO, []);
    return { divided: true };
  }
}

let database: TestDatabase;
let app: TestApp;
let narrow: TestApp;
beforeAll(async () => {
  database = await createDatabase();
  app = await startLiftedApp(database, { controllers: [EscapesController] });
  narrow = await startLiftedApp(database, { controllers: [EscapesController], poolSize: 1 });
  await database.query('CREATE SEQUENCE turns');
});
afterAll(async () => {
  for (const started of [app, narrow]) await started.close();
  await database.drop();
});

it('what a handler left running when it refused writes nothing', async () => {
  for (let round = 0; round < 15; round += 1) {
    expect((await app.send('POST', '/escapes/beside', { body: { text: 'left running' } })).status).toBe(409);
  }
  await sleep(100);
  expect(await countOf(database, 'notes')).toBe(0);
});

it.each(['unwritable', 'same-name'])('a write that only the client would notice commits nothing: %s', async (route) => {
  const key = uuidv7();
  expect((await app.send('POST', `/escapes/${route}`, { key, body: { text: route } })).status).toBe(500);
  expect(await recordsOf(database, key)).toEqual([]);
  expect(await countOf(database, 'notes')).toBe(0);
});

it('statements leave in the order in which they were asked for, the first ones too', async () => {
  const { body } = await app.send('POST', '/escapes/in-turn', { body: {} });
  expect(body['turns'][0]).toBeLessThan(body['turns'][1]);
});

it('one statement may leave several times at once, also the first time that a connection meets it', async () => {
  const { body } = await app.send('POST', '/escapes/same-at-once', { body: {} });
  expect(body['turns']).toHaveLength(3);
  expect(new Set(body['turns'] as number[]).size).toBe(3);
});

it('a statement that fails is prepared anew, and works on the same connection', async () => {
  for (const fails of [true, true, false, true, false]) {
    const { status } = await narrow.send('POST', '/escapes/divide', { body: { text: fails ? '0' : '1' } });
    expect(status).toBe(fails ? 500 : 201);
  }
});

it.each(['writes', 'writes-optimistically'])('a connection on which somebody left a transaction open is not used: %s', async (route) => {
  const key = uuidv7();
  const write = () => narrow.send('POST', `/escapes/${route}`, { key, body: { text: route } });
  await narrow.send('POST', '/escapes/leaves-open');
  expect((await write()).status).toBe(201);
  expect(await recordsOf(database, key)).toHaveLength(1);
  expect(await countOf(database, 'notes', 'text = $1', [route])).toBe(1);
  expect(await countOf(database, 'notes', 'text = $1', ['of nobody'])).toBe(0);
});
