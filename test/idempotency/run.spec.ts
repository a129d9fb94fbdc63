import { spawn } from 'node:child_process';
import { Body, ConflictException, Controller, Injectable, Post } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import {
  Idempotency,
  IdempotencyRefusal,
  Idempotent,
  RecoverableStep,
  Tx,
  next,
  outsideTransaction,
  park,
  reply,
  type Reply,
  type StepEnd,
  type Step,
  type Task,
  type Transaction,
} from '../../src/idempotency/index.js';
import { atOnce, type TestApp } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { eventually } from '../support/eventually.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { hold, untilBlocked } from '../support/locks.js';
import { TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = { name: 'test-insert-note', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)' };
const INSERT_ID = { name: 'test-insert-id', text: 'INSERT INTO notes (tenant_id, id, text) VALUES ($1, $2, $3)' };
const LOCK = { name: 'test-lock', text: 'SELECT pg_advisory_xact_lock(7)' };

const calls = new Map<string, number>();

/** Knows its outcome when it is asked a second time. */
@RecoverableStep('slow')
@Injectable()
class Slow implements Step<number> {
  async call(subjectId: string): Promise<number> {
    const count = (calls.get(subjectId) ?? 0) + 1;
    calls.set(subjectId, count);
    return count;
  }

  async settle(_tx: Transaction, _subjectId: string, count: number): Promise<StepEnd> {
    return count === 1 ? park('not yet') : reply(200, { calls: count });
  }
}

/** Receives the events of a provider, which sends each until it is told 2xx. */
@Controller('provider-events')
class EventsController {
  constructor(private readonly idempotency: Idempotency) {}

  @Post()
  async receive(@Body() event: { id: string; text: string }): Promise<object> {
    const { replayed } = await this.idempotency.run(
      { account: 'the provider', operation: 'provider-event', key: event.id, request: event },
      async (tx) => {
        await tx.run(INSERT, [TENANT, event.text]);
      },
    );
    return { received: true, before: replayed };
  }

  @Post('inside')
  @Idempotent()
  async inside(@Tx() tx: Transaction, @Body() { outside, text }: { outside: boolean; text: string }): Promise<object> {
    await tx.run(INSERT, [TENANT, text]);
    const run = () => this.idempotency.run({ account: TENANT, operation: 'audit', key: text }, async () => 'done');
    return outside ? outsideTransaction(run) : run();
  }
}

let database: TestDatabase;
let app: TestApp;
let replica: TestApp;
beforeAll(async () => {
  database = await createDatabase();
  const options = {
    controllers: [EventsController],
    providers: [Slow],
    core: { background: false, recoveryIntervalMs: 20, purgeIntervalMs: 20, stepBudgetMs: 2_000 },
  };
  app = await startLiftedApp(database, options);
  replica = await startLiftedApp(database, options);
});
afterAll(async () => {
  for (const started of [app, replica]) await started.close();
  await database.drop();
});

const idempotency = (on = app): Idempotency => on.app.get(Idempotency);
const taskOf = (change: Partial<Task> = {}): Task => ({ account: TENANT, operation: 'note', key: uuidv7(), ...change });
const stored = (task: Task) => recordsOf(database, `run ${task.operation} ${task.key}`);
const notes = (text: string) => countOf(database, 'notes', 'text = $1', [text]);
const write =
  (text: string) =>
  async (tx: Transaction): Promise<object> => {
    await tx.run(INSERT, [TENANT, text]);
    return { text, at: await tx.now(), none: undefined };
  };
async function codeOf(ran: Promise<unknown>): Promise<string> {
  const error = await ran.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return error instanceof IdempotencyRefusal ? error.code : String(error);
}

describe('run', () => {
  it('executes once for all who ask at once, and gives each the same JSON value', async () => {
    const [task, text] = [taskOf({ waitMs: 20_000, request: { text: 'x' } }), uuidv7()];
    const ran = await atOnce(20, (n) => idempotency(n % 2 ? app : replica).run(task, write(text)));
    expect(await notes(text)).toBe(1);
    expect(ran.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(new Set(ran.map(({ value, operationId }) => JSON.stringify([value, operationId]))).size).toBe(1);
    expect(ran[0]).toMatchObject({ status: 200, pending: false, value: { text, at: expect.stringMatching(/^\d{4}-.*Z$/) } });
    expect(Object.keys(ran[0]?.value ?? {})).toEqual(['text', 'at']);
    expect(await stored(task)).toMatchObject([{ account_id: TENANT, operation: 'note', status: 'completed' }]);
  });

  it('takes any text as account and key, and a result that is none', async () => {
    const task = taskOf({ account: 'müller & söhne', operation: 'größe', key: 'schlüssel '.repeat(100) });
    const ran = [await idempotency().run(task, async () => undefined), await idempotency(replica).run(task, async () => undefined)];
    expect(ran.map(({ value, replayed }) => [value, replayed])).toEqual([
      [undefined, false],
      [undefined, true],
    ]);
    for (const none of [{ account: '' }, { key: '' }, { operation: '' }]) {
      await expect(idempotency().run(taskOf(none), async () => 1)).rejects.toThrow(/needs an/);
    }
  });

  it("a key of another operation, and a client's, is another key", async () => {
    const key = uuidv7();
    const [one, other] = [taskOf({ key, operation: 'one' }), taskOf({ key, operation: 'other' })];
    expect((await idempotency().run(one, async () => 1)).value).toBe(1);
    expect((await idempotency().run(other, async () => 2)).value).toBe(2);
    expect((await app.send('POST', '/notes', { key, body: { text: 'x' } })).status).toBe(201);
  });

  it('throws the refusal of each state', async () => {
    const task = taskOf();
    const held = await hold(database, LOCK.text);
    const first = idempotency().run(task, async (tx) => tx.run(LOCK));
    await untilBlocked(database);
    expect(await codeOf(idempotency(replica).run(task, write('never')))).toBe('idempotency-request-in-progress');
    await held.release();
    await first;
    expect(await codeOf(idempotency(replica).run({ ...task, request: { another: 1 } }, write('never')))).toBe('idempotency-key-reused');

    const sealed = taskOf();
    expect(await idempotency().seal(sealed, 'a test')).toEqual({ state: 'sealed' });
    expect(await codeOf(idempotency().run(sealed, write('never')))).toBe('idempotency-key-sealed');

    const expired = taskOf({ window: '1ms' });
    await idempotency().run(expired, async () => 1);
    await eventually('it expires', async () => (await codeOf(idempotency().run(expired, async () => 1))) === 'idempotency-key-expired');
    expect(await notes('never')).toBe(0);
  });

  it('throws what the handler throws, with nothing written and the key unused', async () => {
    for (const fails of [
      async (tx: Transaction, text: string) => {
        await tx.run(INSERT, [TENANT, text]);
        throw new ConflictException('would be final for a request');
      },
      async (tx: Transaction, text: string) => {
        const id = uuidv7();
        for (const _ of [1, 2])
          tx.write(INSERT_ID, [TENANT, id, text], { notes_pkey: () => new ConflictException('would be final for a request') });
      },
    ]) {
      const [task, text] = [taskOf(), uuidv7()];
      await expect(idempotency().run(task, (tx) => fails(tx, text))).rejects.toThrow('would be final for a request');
      expect([await notes(text), await stored(task)]).toEqual([0, []]);
      expect((await idempotency().run(task, write(text))).replayed).toBe(false);
      expect(await notes(text)).toBe(1);
    }
  });

  it('keeps a refusal that is returned', async () => {
    const task = taskOf();
    for (const replayed of [false, true]) {
      const ran = await idempotency().run(task, async (): Promise<Reply> => reply(409, { sold: 'out' }));
      expect(ran).toMatchObject({ status: 409, value: { sold: 'out' }, replayed });
    }
  });

  it("is refused inside a handler's transaction, and commits by itself outside of it", async () => {
    const text = uuidv7();
    const post = (outside: boolean) => app.send('POST', '/provider-events/inside', { body: { outside, text } });
    expect((await post(false)).status).toBe(500);
    expect(await notes(text)).toBe(0);
    expect(await post(true)).toMatchObject({ status: 201, body: { value: 'done' } });
  });
});

describe('background: false', () => {
  it('leaves what is due to recoverDue, which finishes it', async () => {
    const [task, subject] = [taskOf(), uuidv7()];
    const start = () => idempotency().run(task, async () => next(Slow, subject, reply(202, { wait: true })));
    expect(await start()).toMatchObject({ pending: true, status: 202, value: { wait: true } });
    // Ten intervals.
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await stored(task)).toMatchObject([{ status: 'running' }]);
    expect(await idempotency(replica).recoverDue()).toBe(1);
    expect(await start()).toMatchObject({ pending: false, replayed: true, value: { calls: 2 } });
    expect(await idempotency().recoverDue()).toBe(0);
  });

  it('leaves what has expired to purgeDue', async () => {
    const task = taskOf({ windowMs: 1 });
    await idempotency().run(task, async () => 1);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await stored(task)).toHaveLength(1);
    expect((await idempotency().purgeDue()).archived).toBeGreaterThanOrEqual(1);
    expect(await stored(task)).toEqual([]);
    expect(await codeOf(idempotency().run(task, async () => 1))).toBe('idempotency-key-expired');
  });
});

it('a consumer that is killed between its commit and its acknowledgement finds its result when the message comes again', async () => {
  const [id, text] = [uuidv7(), uuidv7()];
  const consume = (...crash: string[]) =>
    new Promise<{ signal: string | null; said: string }>((resolve, reject) => {
      const consumer = spawn(process.execPath, ['test/idempotency/support/consumer.mjs', database.url, id, text, ...crash]);
      let said = '';
      consumer.stdout.on('data', (data: Buffer) => (said += data.toString()));
      consumer.on('error', reject).on('close', (_code, signal) => resolve({ signal, said }));
    });
  expect(await consume('crash')).toEqual({ signal: 'SIGKILL', said: '' });
  const again = JSON.parse((await consume()).said) as { value: { id: string }; replayed: boolean };
  const [note] = await database.query<{ id: string }>('SELECT id FROM notes WHERE text = $1', [text]);
  expect(again).toEqual({ value: { id: note?.id }, replayed: true });
  expect(await notes(text)).toBe(1);
});

it('a webhook receiver books each event once, in the transaction of its work', async () => {
  const event = { id: `evt_${uuidv7()}`, text: uuidv7() };
  const answers = [];
  for (const on of [app, replica, app]) answers.push((await on.send('POST', '/provider-events', { key: null, body: event })).body);
  expect(answers).toEqual([false, true, true].map((before) => ({ received: true, before })));
  expect(await notes(event.text)).toBe(1);
});
