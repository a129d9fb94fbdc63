import { Body, Controller, Injectable, Post } from '@nestjs/common';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { pgTable, text as textColumn, uuid } from 'drizzle-orm/pg-core';
import { knex } from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, JoiningPool, outsideTransaction } from '../../src/idempotency/index.js';
import type { TestApp } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)';

const table = pgTable('notes', {
  id: uuid('id').defaultRandom(),
  tenantId: uuid('tenant_id').notNull(),
  text: textColumn('text').notNull(),
});

interface Tables {
  notes: { tenant_id: string; text: string };
}

let pool: JoiningPool;

/** Each way writes one note, one in a transaction of its own, and one in such that is undone. */
@Injectable()
class Ways {
  readonly heard: string[] = [];

  async pg(text: string): Promise<void> {
    await pool.query(INSERT, [TENANT, text]);
    const client = await pool.connect();
    for (const end of ['COMMIT', 'ROLLBACK']) {
      await client.query('BEGIN');
      await client.query({ text: INSERT, values: [TENANT, text] });
      await client.query(end);
    }
    client.release();
  }

  async callbacks(text: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      pool.query(INSERT, [TENANT, text], (error) => (error ? reject(error) : resolve()));
    });
    await new Promise<void>((resolve, reject) => {
      pool.connect((error, client, release) => {
        if (error || !client) return reject(error ?? new Error('no client'));
        client.query(INSERT, [TENANT, text], (failed) => {
          release();
          if (failed) reject(failed);
          else resolve();
        });
      });
    });
  }

  async drizzle(text: string): Promise<void> {
    const db = drizzle(pool);
    await db.insert(table).values({ tenantId: TENANT, text });
    await db.transaction((tx) => tx.insert(table).values({ tenantId: TENANT, text }));
    await db
      .transaction(async (tx) => {
        await tx.insert(table).values({ tenantId: TENANT, text });
        tx.rollback();
      })
      .catch(() => undefined);
    const [counted] = await db
      .select({ count: sql<string>`count(*)` })
      .from(table)
      .where(sql`text = ${text}`);
    if (counted?.count !== '2') throw new Error(`drizzle sees ${counted?.count}`);
  }

  async kysely(text: string): Promise<void> {
    const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
    const row = { tenant_id: TENANT, text };
    await db.insertInto('notes').values(row).execute();
    await db.transaction().execute((tx) => tx.insertInto('notes').values(row).execute());
    await db
      .transaction()
      .execute(async (tx) => {
        await tx.insertInto('notes').values(row).execute();
        throw new Error('undo');
      })
      .catch(() => undefined);
    const seen = await db.selectFrom('notes').select('text').where('text', '=', text).execute();
    if (seen.length !== 2) throw new Error(`kysely sees ${seen.length}`);
  }

  async knex(text: string): Promise<void> {
    const db = knex({ client: 'pg', connectionPool: pool });
    const row = { tenant_id: TENANT, text };
    await db('notes').insert(row);
    await db.transaction(async (trx) => {
      await trx('notes').insert(row);
      const nested = trx.transaction(async (inner) => {
        await inner('notes').insert(row);
        throw new Error('undo');
      });
      await nested.catch(() => undefined);
    });
    const undone = db.transaction(async (trx) => {
      await trx('notes').insert(row);
      throw new Error('undo');
    });
    await undone.catch(() => undefined);
    const seen = await db('notes').where({ text });
    if (seen.length !== 2) throw new Error(`knex sees ${seen.length}`);
  }
}

type Way = Exclude<keyof Ways, 'heard'>;
const WAYS: Way[] = ['pg', 'callbacks', 'drizzle', 'kysely', 'knex'];

@Controller('pool')
class PoolController {
  constructor(private readonly ways: Ways) {}

  @Post()
  @Idempotent()
  async go(@Body() { way, text, fails }: { way: Way; text: string; fails?: boolean }): Promise<object> {
    await this.ways[way](text);
    if (fails) throw new Error('undo all of it');
    return { way };
  }

  @Post('outside')
  @Idempotent()
  async outside(@Body() { text }: { text: string }): Promise<void> {
    await outsideTransaction(() => pool.query(INSERT, [TENANT, text]));
    throw new Error('undo what is inside');
  }

  @Post('outlives')
  @Idempotent()
  async outlives(@Body() { text }: { text: string }): Promise<void> {
    void new Promise((resolve) => setTimeout(resolve, 100))
      .then(() => pool.query(INSERT, [TENANT, text]))
      .catch((error: Error) => this.ways.heard.push(error.message));
  }
}

let database: TestDatabase;
let app: TestApp;
beforeAll(async () => {
  database = await createDatabase();
  pool = new JoiningPool({ connectionString: database.url });
  app = await startLiftedApp(database, { controllers: [PoolController], providers: [Ways] });
});
afterAll(async () => {
  await app.close();
  await pool.end();
  await database.drop();
});

const notes = (text: string) => countOf(database, 'notes', 'text = $1', [text]);

describe('inside a handler', () => {
  it.each(WAYS)('%s is in its transaction: written once, and its transactions are savepoints', async (way) => {
    const [key, text] = [uuidv7(), uuidv7()];
    for (const replayed of [null, 'true']) {
      const answer = await app.send('POST', '/pool', { key, body: { way, text } });
      expect(answer).toMatchObject({ status: 201, body: { way } });
      expect(answer.headers.get('idempotent-replayed')).toBe(replayed);
    }
    expect(await notes(text)).toBe(2);
  });

  it.each(WAYS)('%s is undone with it', async (way) => {
    const [key, text] = [uuidv7(), uuidv7()];
    expect((await app.send('POST', '/pool', { key, body: { way, text, fails: true } })).status).toBe(500);
    expect([await notes(text), await recordsOf(database, key)]).toEqual([0, []]);
  });

  it('outsideTransaction has the pool itself', async () => {
    const text = uuidv7();
    expect((await app.send('POST', '/pool/outside', { body: { text } })).status).toBe(500);
    expect(await notes(text)).toBe(1);
  });

  it('what outlives it is refused', async () => {
    const { heard } = app.app.get(Ways);
    await app.send('POST', '/pool/outlives', { body: { text: 'late' } });
    await eventually('it is refused', () => Promise.resolve(heard.length === 1));
    expect([heard[0], await notes('late')]).toEqual([expect.stringContaining('outlives the idempotent handler'), 0]);
  });
});

it.each(WAYS)('outside of any it is the pool that it was made as: %s', async (way) => {
  const text = uuidv7();
  await app.app.get(Ways)[way](text);
  expect(await notes(text)).toBe(2);
});
