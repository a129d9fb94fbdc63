import { BadRequestException, Body, ConflictException, Controller, Post, type PipeTransform } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, RecoverableStep, Tx, next, reply, type Step, type StepEnd, type Transaction } from '../../src/idempotency/index.js';
import { PostgresTransaction } from '../../src/idempotency/postgres/postgres-transaction.js';
import type { TestApp, TestResponse } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { TENANT, startLiftedApp } from '../support/lifted-app.js';
import { hold, untilBlocked } from '../support/locks.js';

const INSERT = { name: 'runs-insert', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)' };
const LOCK = { name: 'runs-lock', text: 'SELECT pg_advisory_xact_lock(7)' };
const DIVIDE = { name: 'runs-divide', text: 'SELECT 1 / $1::int AS result' };
const RAISE = { name: 'runs-raise', text: 'SELECT stumble($1, $2::int)' };

/** Runs of each handler, by its key in the body: one process, however many replicas it has. */
const runs = new Map<string, number>();

interface Wish {
  name: string;
  sqlState?: string;
  times?: number;
}

/** As a validation does that has learned something. */
class NoBadNames implements PipeTransform<Wish, Wish> {
  transform(wish: Wish): Wish {
    if (wish.name.startsWith('bad')) throw new BadRequestException('a bad name');
    return wish;
  }
}

function write(tx: Transaction, { name }: Wish): object {
  runs.set(name, (runs.get(name) ?? 0) + 1);
  tx.write(INSERT, [TENANT, name]);
  return { name };
}

/** A step that somebody forgot to make a provider. */
@RecoverableStep('runs.forgotten')
class ForgottenStep implements Step {
  call(): Promise<void> {
    return Promise.resolve();
  }

  settle(): Promise<StepEnd> {
    return Promise.resolve(reply(201, {}));
  }
}

@Controller('runs')
class RunsController {
  @Post('forgets')
  @Idempotent()
  forgets(@Tx() tx: Transaction, @Body() wish: Wish): StepEnd {
    write(tx, wish);
    return next(ForgottenStep, uuidv7(), reply(202, {}));
  }

  @Post('write')
  @Idempotent()
  write(@Tx() tx: Transaction, @Body(NoBadNames) wish: Wish): object {
    return write(tx, wish);
  }

  @Post('write-optimistically')
  @Idempotent({ optimistic: true })
  writeOptimistically(@Tx() tx: Transaction, @Body(NoBadNames) wish: Wish): object {
    return write(tx, wish);
  }

  @Post('waits')
  @Idempotent()
  async waits(@Tx() tx: Transaction, @Body() wish: Wish): Promise<object> {
    const written = write(tx, wish);
    await tx.run(LOCK);
    return written;
  }

  @Post('divides')
  @Idempotent()
  divides(@Tx() tx: Transaction, @Body() wish: Wish): object {
    const written = write(tx, wish);
    tx.write(DIVIDE, [0]);
    return written;
  }

  @Post('divides-optimistically')
  @Idempotent({ optimistic: true })
  dividesOptimistically(@Tx() tx: Transaction, @Body() wish: Wish): object {
    return this.divides(tx, wish);
  }

  @Post('refuses')
  @Idempotent()
  refuses(@Tx() tx: Transaction, @Body() wish: Wish): void {
    write(tx, wish);
    throw new ConflictException(wish.name);
  }

  @Post('stumbles')
  @Idempotent()
  async stumbles(@Tx() tx: Transaction, @Body() wish: Wish): Promise<object> {
    const written = write(tx, wish);
    await tx.run(RAISE, [wish.sqlState, wish.times]);
    return written;
  }
}

let database: TestDatabase;
let app: TestApp;
let other: TestApp;
beforeAll(async () => {
  database = await createDatabase();
  app = await startLiftedApp(database, { controllers: [RunsController] });
  other = await startLiftedApp(database, { controllers: [RunsController] });
  await database.query(`
    CREATE SEQUENCE stumbles;
    CREATE FUNCTION stumble(state text, times int) RETURNS void LANGUAGE plpgsql AS $$
      BEGIN IF nextval('stumbles') <= times THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = state; END IF; END $$`);
});
afterAll(async () => {
  await app.close();
  await other.close();
  await database.drop();
});

const send = (on: TestApp, route: string, key: string, wish: Omit<Wish, 'name'> & { name?: string } = {}): Promise<TestResponse> =>
  on.send('POST', `/runs/${route}`, { key, body: { name: key, ...wish } });

/** Keys that tell no time are the ones whose newness is guessed. */
const newKey = (): string => `cart-${uuidv7()}`;

const written = (name: string): Promise<number> => countOf(database, 'notes', 'text = $1', [name]);

it('a handler runs once for its request, and not for replays on any replica', async () => {
  const key = newKey();
  expect((await send(app, 'write', key)).status).toBe(201);
  for (const on of [app, other, other]) expect((await send(on, 'write', key)).headers.get('idempotent-replayed')).toBe('true');
  expect([runs.get(key), await written(key)]).toEqual([1, 1]);
});

it('a handler does not run for a key that another replica has in hand', async () => {
  const key = newKey();
  const held = await hold(database, 'SELECT pg_advisory_xact_lock(7)');
  const first = send(app, 'waits', key);
  await untilBlocked(database);
  expect((await send(other, 'waits', key)).status).toBe(409);
  await held.release();
  expect((await first).status).toBe(201);
  expect([runs.get(key), await written(key)]).toEqual([1, 1]);
});

it('a handler does not run for a key that was used for something else, nor for one that has expired', async () => {
  const key = newKey();
  await send(app, 'write', key);
  expect((await send(other, 'write', key, { name: `${key}-other` })).status).toBe(422);
  expect(runs.has(`${key}-other`)).toBe(false);
  await database.query(`UPDATE idempotency_records SET expires_at = now() - interval '1 second' WHERE key = $1`, [key]);
  const fresh = await startLiftedApp(database, { controllers: [RunsController] });
  expect((await send(fresh, 'write', key)).status).toBe(410);
  await fresh.close();
  expect(runs.get(key)).toBe(1);
});

it('an invalid body opens no transaction and runs no handler', async () => {
  const begin = jest.spyOn(PostgresTransaction.prototype, 'begin');
  const key = newKey();
  expect((await send(app, 'write', key, { name: `bad ${key}` })).status).toBe(400);
  expect(begin).not.toHaveBeenCalled();
  begin.mockRestore();
  expect(runs.has(`bad ${key}`)).toBe(false);
  expect(await recordsOf(database, key)).toEqual([]);
  expect((await send(app, 'write', key)).status).toBe(201);
});

it('an error of its SQL does not run a handler again', async () => {
  const key = newKey();
  expect((await send(app, 'divides', key)).status).toBe(500);
  expect([runs.get(key), await written(key), await recordsOf(database, key)]).toEqual([1, 0, []]);
});

it('a step that is no provider of the application is refused where it is named, and nothing is committed', async () => {
  const key = newKey();
  expect((await send(app, 'forgets', key)).status).toBe(500);
  expect([runs.get(key), await written(key), await recordsOf(database, key)]).toEqual([1, 0, []]);
});

it('a refusal is stored without running the handler again', async () => {
  const key = newKey();
  for (const on of [app, other]) expect((await send(on, 'refuses', key)).status).toBe(409);
  expect([runs.get(key), await written(key)]).toEqual([1, 0]);
});

describe.each([
  ['a deadlock', '40P01'],
  ['a serialization failure', '40001'],
  ['a lock timeout', '55P03'],
  ['a prepared statement that is gone', '26000'],
  ['a prepared statement that no longer fits', '0A000'],
])('%s', (_name, sqlState) => {
  beforeEach(() => database.query(`ALTER SEQUENCE stumbles RESTART`));

  it.each([1, 4])('runs the handler again, %s times here, and one run has an effect', async (times) => {
    const key = newKey();
    expect((await send(app, 'stumbles', key, { sqlState, times })).status).toBe(201);
    expect([runs.get(key), await written(key)]).toEqual([times + 1, 1]);
  });

  it('runs it five times at most', async () => {
    const key = newKey();
    expect((await send(app, 'stumbles', key, { sqlState, times: 100 })).status).toBe(500);
    expect([runs.get(key), await written(key), await recordsOf(database, key)]).toEqual([5, 0, []]);
  });
});

describe('an optimistic handler', () => {
  it('may run in vain for a replay on another replica, and leaves nothing of it', async () => {
    // Enough new keys for the other replica to expect new ones.
    for (let at = 0; at < 40; at += 1) await send(other, 'write-optimistically', newKey());
    const key = newKey();
    const first = await send(app, 'write-optimistically', key);
    const replay = await send(other, 'write-optimistically', key);
    expect([replay.text, replay.headers.get('idempotent-replayed')]).toEqual([first.text, 'true']);
    expect([runs.get(key), await written(key)]).toEqual([2, 1]);
  });

  it('runs a second time behind its claim after an error of its SQL', async () => {
    const key = newKey();
    expect((await send(app, 'divides-optimistically', key)).status).toBe(500);
    expect([runs.get(key), await written(key), await recordsOf(database, key)]).toEqual([2, 0, []]);
  });

  it('does not run for an invalid body, and a stored answer goes before the 400', async () => {
    const key = newKey();
    expect((await send(app, 'write-optimistically', key, { name: `bad ${key}` })).status).toBe(400);
    expect(runs.has(`bad ${key}`)).toBe(false);
  });
});
