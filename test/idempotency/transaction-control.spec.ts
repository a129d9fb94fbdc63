import { Body, Controller, Post } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, Tx, type Transaction } from '../../src/idempotency/index.js';
import { PostgresTransaction } from '../../src/idempotency/postgres/postgres-transaction.js';
import { controlsTransaction } from '../../src/idempotency/postgres/transaction-control.js';
import type { TestApp } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { Note, TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = { name: 'control-insert', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)' };

/** Ways in which a handler may want to end its transaction by itself. */
const ENDINGS: Record<string, (tx: Transaction, manager: EntityManager) => unknown> = {
  'tx.run': (tx) => tx.run({ name: 'control-commit', text: 'COMMIT' }),
  'tx.read': (tx) => tx.read({ name: 'control-end', text: ' /* now */ end' }),
  'tx.write': (tx) => tx.write({ name: 'control-prepare', text: `PREPARE TRANSACTION 'mine'` }, []),
  'manager.query': (_tx, manager) => manager.query('commit and chain'),
  'a second statement': (_tx, manager) => manager.query('SELECT 1; -- and then\nCOMMIT'),
  rollback: (_tx, manager) => manager.query('ROLLBACK'),
  'the query runner': (_tx, manager) => manager.queryRunner?.commitTransaction(),
  'the driver': async (_tx, manager) => {
    const client = (await manager.queryRunner?.connect()) as { query(text: string): Promise<unknown> };
    await client.query('ABORT');
  },
};

@Controller('endings')
class EndingsController {
  @Post('tries')
  @Idempotent()
  async tries(@Tx() tx: Transaction, @Body() { how, text, careless }: { how: string; text: string; careless?: boolean }): Promise<object> {
    const manager = await tx.manager();
    await manager.insert(Note, { tenantId: TENANT, text });
    try {
      await ENDINGS[how]?.(tx, manager);
    } catch (error) {
      if (!careless) throw error;
    }
    await manager.insert(Note, { tenantId: TENANT, text });
    return { how };
  }
}

let database: TestDatabase;
let app: TestApp;
beforeAll(async () => {
  database = await createDatabase();
  app = await startLiftedApp(database, { controllers: [EndingsController] });
});
afterAll(async () => {
  await app.close();
  await database.drop();
});

const written = (text: string): Promise<number> => countOf(database, 'notes', 'text = $1', [text]);

describe.each(Object.keys(ENDINGS))('a handler that ends its transaction by %s', (how) => {
  it('is refused: nothing stays behind without its record, however often it is sent', async () => {
    const key = uuidv7();
    for (let time = 0; time < 2; time += 1) {
      expect((await app.send('POST', '/endings/tries', { key, body: { how, text: key } })).status).toBe(500);
      expect([await written(key), await recordsOf(database, key)]).toEqual([0, []]);
    }
  });

  it('has lost nothing when it makes light of the refusal', async () => {
    const key = uuidv7();
    for (let time = 0; time < 2; time += 1) {
      expect((await app.send('POST', '/endings/tries', { key, body: { how, text: key, careless: true } })).status).toBe(201);
      expect(await written(key)).toBe(2);
      expect(await recordsOf(database, key)).toHaveLength(1);
    }
  });
});

it('a handler has no verb that commits', async () => {
  let handed: Transaction | undefined;
  ENDINGS['look'] = (tx) => (handed = tx);
  await app.send('POST', '/endings/tries', { key: uuidv7(), body: { how: 'look', text: 'look' } });
  // @ts-expect-error neither by its type
  const typed: unknown = handed?.commit;
  expect(typed).toBeUndefined();
  // nor at run time, on the object or what it inherits.
  const verbs = ['begin', 'commit', 'commitAtOnce', 'release', 'enqueue', 'connection', 'queue'];
  expect(verbs.filter((verb) => handed !== undefined && verb in handed)).toEqual([]);
});

it('where the text does not show it, the error names the handler, and no record says that all is well', async () => {
  const dataSource = app.app.get(DataSource);
  const tx = new PostgresTransaction(
    dataSource,
    { calls: () => [], evaluate: () => ({ won: true, now: new Date(), found: 'mine' }) },
    'POST /endings',
    false,
  );
  const manager = await tx.manager();
  await manager.query('SET LOCAL standard_conforming_strings = off');
  await manager.query(`SELECT '\\''; COMMIT; SELECT ''`);
  await expect(tx.commit([{ ...INSERT, values: [TENANT, 'hidden'] }])).rejects.toThrow('POST /endings ended its transaction by SQL');
  await tx.release();
  expect(await written('hidden')).toBe(0);
});

it.each([
  ['BEGIN', true],
  ['start  transaction', true],
  ['COMMIT WORK', true],
  ['commit prepared $1', true],
  ['ROLLBACK', true],
  ['rollback work', true],
  ['ROLLBACK TO SAVEPOINT a', false],
  ['rollback work to a', false],
  ['SAVEPOINT begin_here', false],
  ['RELEASE SAVEPOINT a', false],
  ['PREPARE p AS SELECT 1', false],
  [`PREPARE TRANSACTION 'x'`, true],
  [`INSERT INTO notes (text) VALUES ('x; COMMIT')`, false],
  [`SELECT 'it''s; COMMIT'`, false],
  [`SELECT "a; COMMIT" FROM t`, false],
  [`SELECT $$; COMMIT $$`, false],
  [`SELECT $a$; COMMIT $a$; COMMIT`, true],
  [`SELECT E'\\'; COMMIT; --'`, false],
  [`SELECT 1 -- ; COMMIT`, false],
  [`/* hm */ COMMIT`, true],
  [`SELECT CASE WHEN true THEN 1 END`, false],
  [`UPDATE t SET "end" = 1 WHERE start < 2`, false],
])('%s controls a transaction: %s', (text, controls) => {
  expect(controlsTransaction(text)).toBe(controls);
});
