import { Body, ConflictException, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, Tx, reply, type Reply, type Transaction } from '../../src/idempotency/index.js';
import { atOnce, tally, type TestApp, type TestResponse } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { Note, TENANT, startLiftedApp } from '../support/lifted-app.js';
import { eventually } from '../support/eventually.js';
import { hold, untilBlocked } from '../support/locks.js';

const INSERT_NOTE = { name: 'test-insert-note', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)' };
const LOCK_NOTES = { name: 'test-lock-notes', text: 'SELECT pg_advisory_xact_lock(7)' };
const FAILS = { name: 'test-fails', text: 'SELECT 1 / 0 AS nothing' };

interface Wish {
  text: string;
}

/** Handlers that do what handlers should not do, and some that may. */
@Controller('bold')
class BoldController {
  constructor(@InjectRepository(Note) private readonly notes: Repository<Note>) {}

  /** Takes a lock that a test may hold, and makes light of every error. */
  @Post('careless')
  @Idempotent({ optimistic: true })
  async careless(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    await tx.run(LOCK_NOTES).catch(() => undefined);
    await tx.run(INSERT_NOTE, [TENANT, text]).catch(() => undefined);
    await tx
      .manager()
      .then((manager) => manager.insert(Note, { tenantId: TENANT, text }))
      .catch(() => undefined);
    return { careless: true };
  }

  /** Loses its claim and then throws something that would be stored. */
  @Post('spiteful')
  @Idempotent({ optimistic: true })
  async spiteful(@Tx() tx: Transaction): Promise<object> {
    await tx.run(LOCK_NOTES).catch(() => {
      throw new ConflictException('spite');
    });
    return { spiteful: false };
  }

  /** A failed statement in the middle, swallowed; PostgreSQL has given the transaction up by then. */
  @Post('swallows')
  @Idempotent()
  async swallows(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    await tx.run(INSERT_NOTE, [TENANT, `${text} before`]);
    await tx.run(FAILS).catch(() => undefined);
    tx.write(INSERT_NOTE, [TENANT, `${text} after`]);
    return { swallowed: true };
  }

  /** A first read that fails beside the handler's back. */
  @Post('never-looks')
  @Idempotent({ optimistic: true })
  async neverLooks(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    void tx.read(FAILS).catch(() => undefined);
    tx.write(INSERT_NOTE, [TENANT, text]);
    return { looked: false };
  }

  /** Ends the transaction under the engine's feet: what is queued would commit by itself. */
  @Post('ends-it')
  @Idempotent()
  async endsIt(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    await tx.run({ name: 'test-rollback', text: 'ROLLBACK' });
    tx.write(INSERT_NOTE, [TENANT, text]);
    return { ended: true };
  }

  @Post('second-connection')
  @Idempotent()
  async secondConnection(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    await tx.run(INSERT_NOTE, [TENANT, text]);
    return { notes: await this.notes.count() };
  }

  @Post('connection-before')
  @Idempotent({ optimistic: true })
  async connectionBefore(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    const notes = await this.notes.countBy({ text });
    tx.write(INSERT_NOTE, [TENANT, text]);
    return { notes };
  }

  /** `transaction()` inside: one that ends well, one that doesn't and is caught. */
  @Post('nested')
  @Idempotent()
  async nested(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    const manager = await tx.manager();
    await manager.save(Note, { tenantId: TENANT, text: `${text} outer` });
    await manager.transaction((inner) => inner.save(Note, { tenantId: TENANT, text: `${text} kept` }));
    await manager
      .transaction(async (inner) => {
        await inner.save(Note, { tenantId: TENANT, text: `${text} undone` });
        throw new Error('undo the inner one');
      })
      .catch(() => undefined);
    if (text.includes('in the end 500')) throw new Error('undo all of it');
    if (text.includes('in the end 409')) throw new ConflictException(text);
    if (text.includes('waits')) await tx.run(LOCK_NOTES);
    return { nested: text };
  }

  /** Writes queued before the manager is asked for are there when it reads. */
  @Post('mixed')
  @Idempotent()
  async mixed(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    tx.write(INSERT_NOTE, [TENANT, text]);
    tx.write(INSERT_NOTE, [TENANT, text]);
    return { notes: await (await tx.manager()).countBy(Note, { text }) };
  }

  @Post('thrown')
  @Idempotent()
  async thrown(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    await tx.run(INSERT_NOTE, [TENANT, text]);
    throw new ConflictException(text);
  }

  @Post('returned')
  @Idempotent()
  async returned(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<Reply> {
    tx.write(INSERT_NOTE, [TENANT, text]);
    return reply(409, { refused: text }, { link: '</x>; rel="related"' });
  }

  @Post('nothing')
  @HttpCode(200)
  @Idempotent({ windowMs: 5_000 })
  async nothing(): Promise<void> {}

  @Post('huge')
  @Idempotent()
  async huge(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    tx.write(INSERT_NOTE, [TENANT, text.slice(0, 10)]);
    return { text: 'x'.repeat(2 * 1024 * 1024) };
  }

  @Get('plain')
  plain(): object {
    return { plain: true };
  }
}

let database: TestDatabase;
let app: TestApp;
let replica: TestApp;
let narrow: TestApp;
beforeAll(async () => {
  database = await createDatabase();
  app = await startLiftedApp(database, { controllers: [BoldController] });
  replica = await startLiftedApp(database, { controllers: [BoldController] });
  narrow = await startLiftedApp(database, { controllers: [BoldController], poolSize: 1, connectionTimeoutMs: 20_000 });
});
afterAll(async () => {
  for (const started of [app, replica, narrow]) await started.close();
  await database.drop();
});

const post = (path: string, text: string, { key = uuidv7(), on = app, wait = 0 } = {}): Promise<TestResponse> =>
  on.send('POST', path, { key, body: { text }, headers: { prefer: `wait=${wait}` } });
const notes = (text: string) => countOf(database, 'notes', 'text LIKE $1', [`${text}%`]);

describe('the core in another application', () => {
  it('guards a handler that thinks in entities', async () => {
    const [key, text] = [uuidv7(), uuidv7()];
    const answers = await atOnce(20, (n) => post('/notes', text, { key, on: n % 2 ? app : replica, wait: 10 }));
    expect(tally(answers)).toEqual({ 201: 20 });
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers[0]?.body).toMatchObject({ tenantId: TENANT, text });
    expect(await notes(text)).toBe(1);
    expect(await recordsOf(database, key)).toMatchObject([{ account_id: TENANT, status: 'completed', operation: 'POST /notes' }]);
  });

  it('needs no pipelining: a driver that sends one statement after the other does', async () => {
    const plain = await startLiftedApp(database, { controllers: [BoldController], pipeline: false });
    const [key, text] = [uuidv7(), uuidv7()];
    const answers = await atOnce(10, (n) => post('/bold/mixed', text, { key, on: n % 2 ? plain : app, wait: 10 }));
    expect(new Set(answers.map((answer) => `${answer.status} ${answer.text}`))).toEqual(new Set(['201 {"notes":2}']));
    expect(await notes(text)).toBe(2);
    expect((await post('/bold/swallows', uuidv7(), { on: plain })).status).toBe(500);
    await plain.close();
  });

  it('answers its own refusals with their status where the application has no filter for them', async () => {
    const key = uuidv7();
    await post('/notes', 'first', { key });
    expect(await post('/notes', 'second', { key })).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
    const missing = await app.send('POST', '/notes', { key: null, body: { text: 'x' } });
    expect(missing).toMatchObject({ status: 400, body: { code: 'idempotency-key-missing' } });
  });

  it('stores a refusal that is thrown and undoes what the handler wrote; one that is returned keeps it', async () => {
    for (const [path, kept] of [
      ['/bold/thrown', 0],
      ['/bold/returned', 1],
    ] as const) {
      const [key, text] = [uuidv7(), uuidv7()];
      const first = await post(path, text, { key });
      const again = await post(path, text, { key, on: replica });
      expect([first.status, again.status]).toEqual([409, 409]);
      expect(again.text).toBe(first.text);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect(again.headers.get('link')).toBe(first.headers.get('link'));
      expect(await notes(text)).toBe(kept);
    }
  });

  it('stores an answer without a body, with the status and the window of its route', async () => {
    const key = uuidv7();
    const first = await post('/bold/nothing', 'x', { key });
    expect([first.status, first.text]).toEqual([200, '']);
    expect(await post('/bold/nothing', 'x', { key, on: replica })).toMatchObject({ status: 200, text: '' });
    const [record] = await recordsOf(database, key);
    expect(record && record.expires_at.getTime() - record.completed_at.getTime()).toBe(5_000);
  });

  it('stores no answer that is too large, and commits nothing with it', async () => {
    const [key, text] = [uuidv7(), 'huge'];
    expect((await post('/bold/huge', text, { key })).status).toBe(500);
    expect([await notes(text), await recordsOf(database, key)]).toEqual([0, []]);
  });

  it('leaves routes without @Idempotent() alone', async () => {
    expect(await app.send('GET', '/bold/plain')).toMatchObject({ status: 200, body: { plain: true } });
  });
});

describe('a lost claim writes nothing, whatever the handler makes of it', () => {
  it.each(['careless', 'spiteful'])('while the winner runs on another replica: %s', async (kind) => {
    const [key, text] = [uuidv7(), uuidv7()];
    const held = await hold(database, 'SELECT pg_advisory_xact_lock(7)');
    const winner = post(`/bold/${kind}`, text, { key });
    await untilBlocked(database);
    const lost = await post(`/bold/${kind}`, text, { key, on: replica });
    expect(lost).toMatchObject({ status: 409, body: { code: 'idempotency-request-in-progress' } });
    await held.release();
    expect((await winner).status).toBe(201);
    expect(await notes(text)).toBe(kind === 'careless' ? 2 : 0);
    expect(await recordsOf(database, key)).toHaveLength(1);
  });

  it('after the winner is done: the stored answer is replayed', async () => {
    const [key, text] = [uuidv7(), uuidv7()];
    const first = await post('/bold/careless', text, { key });
    const again = await post('/bold/careless', text, { key, on: replica });
    expect(again.text).toBe(first.text);
    expect(await notes(text)).toBe(2);
  });
});

describe('a failed statement commits nothing', () => {
  it.each([
    ['swallows it', 'swallows'],
    ['never looks at it', 'never-looks'],
    ['has ended the transaction itself', 'ends-it'],
  ])('also when the handler %s', async (_name, kind) => {
    const [key, text] = [uuidv7(), uuidv7()];
    expect((await post(`/bold/${kind}`, text, { key })).status).toBe(500);
    expect([await notes(text), await recordsOf(database, key)]).toEqual([0, []]);
  });
});

describe('tx.manager()', () => {
  it('never commits: save() and a nested transaction() stay invisible until the record is there', async () => {
    const [key, text] = [uuidv7(), `${uuidv7()} waits`];
    const held = await hold(database, 'SELECT pg_advisory_xact_lock(7)');
    const running = post('/bold/nested', text, { key });
    await untilBlocked(database);
    expect(await notes(text)).toBe(0);
    await held.release();
    expect((await running).status).toBe(201);
    expect(await notes(`${text} outer`)).toBe(1);
    expect(await notes(`${text} kept`)).toBe(1);
    expect(await notes(`${text} undone`)).toBe(0);
  });

  it.each(['500', '409'])('is undone with the rest when the handler throws in the end: %s', async (status) => {
    const [key, text] = [uuidv7(), `${uuidv7()} in the end ${status}`];
    expect((await post('/bold/nested', text, { key })).status).toBe(Number(status));
    expect(await notes(text)).toBe(0);
    expect(await recordsOf(database, key)).toHaveLength(status === '409' ? 1 : 0);
  });

  it('sees what was queued before, and a statement may be queued twice', async () => {
    const text = uuidv7();
    expect((await post('/bold/mixed', text)).body).toEqual({ notes: 2 });
    expect(await notes(text)).toBe(2);
  });
});

describe('a second connection inside a transaction', () => {
  it('is refused, so that a full pool can never wait for itself', async () => {
    for (const on of [app, narrow]) {
      const [key, text] = [uuidv7(), uuidv7()];
      expect((await post('/bold/second-connection', text, { key, on })).status).toBe(500);
      expect([await notes(text), await recordsOf(database, key)]).toEqual([0, []]);
    }
  });

  it('is allowed before the transaction begins, as an optimistic handler may find it, and after it ended', async () => {
    const text = uuidv7();
    expect((await post('/bold/connection-before', text, { on: narrow })).body).toEqual({ notes: 0 });
    expect((await post('/bold/connection-before', text, { on: narrow })).body).toEqual({ notes: 1 });
  });
});

describe('a pool of one connection', () => {
  it('serves twenty different requests at once', async () => {
    const text = uuidv7();
    expect(tally(await atOnce(20, () => post('/notes', text, { on: narrow })))).toEqual({ 201: 20 });
    expect(await notes(text)).toBe(20);
  });

  it('serves refusals, failures and duplicates mixed with them', async () => {
    const [key, text] = [uuidv7(), uuidv7()];
    const paths = ['/bold/thrown', '/bold/swallows', '/notes', '/bold/second-connection', '/bold/nested'];
    const answers = await atOnce(40, (n) =>
      n % 5 === 2 ? post('/notes', text, { key, on: narrow, wait: 20 }) : post(paths[n % 5] ?? '', uuidv7(), { on: narrow }),
    );
    expect(tally(answers)).toEqual({ 201: 16, 409: 8, 500: 16 });
    expect(await notes(text)).toBe(1);
  });
});

it('the spelling of a tenant does not matter, any other text is another tenant, and none is refused', async () => {
  const key = uuidv7();
  const post = (tenant: string) => app.send('POST', '/notes', { key, body: { text: 'spelled' }, headers: { 'x-tenant': tenant } });
  const first = await post(TENANT.toUpperCase());
  const again = await post(TENANT);
  expect([first.status, again.status, again.headers.get('idempotent-replayed'), again.text]).toEqual([201, 201, 'true', first.text]);
  expect((await post('')).status).toBe(500);
  expect(await recordsOf(database, key)).toHaveLength(1);
});

it('a claim that fails for a moment is tried again over the only connection', async () => {
  const url = new URL(database.url);
  url.searchParams.set('options', '-c lock_timeout=1s');
  const narrow = await startLiftedApp({ url: url.href }, { poolSize: 1 });
  const held = await hold(database, 'LOCK TABLE idempotency_archive IN ACCESS EXCLUSIVE MODE');
  try {
    const answer = narrow.send('POST', '/notes', { body: { text: 'tried again' } });
    await untilBlocked(database);
    // A wait that began later is another one: the first was refused.
    const [{ since } = { since: null }] = await database.query('SELECT clock_timestamp() AS since');
    await eventually('another wait', async () => {
      const waits = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND xact_start > $1`;
      return (await database.query(waits, [since])).length > 0;
    });
    await held.release();
    expect((await answer).status).toBe(201);
  } finally {
    await held.release();
    await narrow.close();
  }
});
