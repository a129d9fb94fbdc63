import {
  Body,
  ConflictException,
  Controller,
  Injectable,
  Post,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { tap, type Observable } from 'rxjs';
import { DataSource, type Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, Tx, outsideTransaction, type Transaction } from '../../../src/idempotency/index.js';
import { atOnce, tally, type TestApp, type TestResponse } from '../../support/app.js';
import { createDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { countOf, recordsOf } from '../../support/ledger.js';
import { Note, TENANT, startLiftedApp } from '../../support/lifted-app.js';

const INSERT = 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)';
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

/** A service as it was before anybody thought of idempotency. */
@Injectable()
class Notes {
  readonly heard: string[] = [];

  constructor(
    @InjectRepository(Note) private readonly repository: Repository<Note>,
    private readonly dataSource: DataSource,
  ) {}

  async everyWay(text: string): Promise<number> {
    const row = () => ({ tenantId: TENANT, text });
    await this.repository.save(row());
    await this.dataSource.manager.save(Note, row());
    await this.repository.createQueryBuilder().insert().values(row()).execute();
    await this.dataSource.query(INSERT, [TENANT, text]);
    await this.dataSource.transaction(async (manager) => {
      await manager.insert(Note, row());
      await this.repository.save(row());
      await this.dataSource.transaction((inner) => inner.insert(Note, row()));
    });
    const runner = this.dataSource.createQueryRunner();
    await runner.connect();
    await runner.startTransaction();
    await runner.manager.insert(Note, row());
    await runner.commitTransaction();
    await runner.release();
    return this.repository.countBy({ text });
  }

  async undoneInside(text: string): Promise<void> {
    await this.repository.save({ tenantId: TENANT, text });
    await this.dataSource
      .transaction(async (manager) => {
        await manager.insert(Note, { tenantId: TENANT, text });
        throw new Error('undo');
      })
      .catch(() => undefined);
  }

  async twoAtOnce(text: string): Promise<void> {
    const one = (fails: boolean) =>
      this.dataSource.transaction(async (manager) => {
        await manager.insert(Note, { tenantId: TENANT, text });
        await pause();
        if (fails) throw new Error('undo');
      });
    await Promise.all([one(true).catch(() => undefined), one(false)]);
  }

  async besideOne(text: string): Promise<void> {
    const undone = this.dataSource
      .transaction(async (manager) => {
        await manager.insert(Note, { tenantId: TENANT, text });
        await pause();
        throw new Error('undo');
      })
      .catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 5));
    try {
      await this.repository.save({ tenantId: TENANT, text });
    } finally {
      await undone;
    }
  }

  async leftOpen(text: string): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    await runner.startTransaction();
    await runner.manager.insert(Note, { tenantId: TENANT, text });
  }

  async besideOneByHand(text: string): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    await runner.startTransaction();
    await this.repository.save({ tenantId: TENANT, text });
    await runner.rollbackTransaction();
  }

  async goesOnAfterAFailure(text: string): Promise<void> {
    await this.dataSource.query('SELECT 1 / 0 AS culprit').catch(() => undefined);
    await this.repository.save({ tenantId: TENANT, text }).catch((error: Error) => {
      this.heard.push(error.message);
      throw error;
    });
  }

  /** As code does that takes a unique violation for an answer. */
  async goesOnAfterAViolation(text: string): Promise<void> {
    await this.dataSource.query('CREATE TEMP TABLE once (text text UNIQUE) ON COMMIT DROP');
    const insert = (): Promise<unknown> => this.dataSource.query('INSERT INTO once VALUES ($1)', [text]);
    await insert();
    const failed = insert().then(
      () => 0,
      () => 1,
    );
    // Beside it, and in transactions of their own.
    const [violations] = await Promise.all([failed, this.repository.save({ tenantId: TENANT, text })]);
    await this.dataSource.transaction(async (manager) => {
      await manager.query('SELECT 1 / 0').catch(() => undefined);
      await manager.insert(Note, { tenantId: TENANT, text });
    });
    await this.dataSource
      .transaction(async (manager) => {
        await manager.insert(Note, { tenantId: TENANT, text });
        throw new Error('undo');
      })
      .catch(() => undefined);
    this.heard.push(`${violations} violation`);
  }

  async otherSource(text: string): Promise<void> {
    const other = await outsideTransaction(() => new DataSource({ ...this.dataSource.options, name: 'other' } as never).initialize());
    try {
      await other.query(INSERT, [TENANT, text]);
    } finally {
      await outsideTransaction(() => other.destroy());
    }
  }

  async outlives(text: string): Promise<void> {
    void pause()
      .then(pause)
      .then(pause)
      .then(() => this.repository.save({ tenantId: TENANT, text }))
      .catch((error: Error) => this.heard.push(error.message));
  }

  async onPurposeOutside(text: string): Promise<void> {
    await outsideTransaction(() => this.dataSource.query(INSERT, [TENANT, text]));
    throw new ConflictException(text);
  }

  async endsIt(text: string): Promise<void> {
    await this.repository.save({ tenantId: TENANT, text });
    await this.dataSource.query('COMMIT');
  }
}

/** As an application writes its audit log: beside the handler, and nobody waits for it. */
@Injectable()
class Auditing implements NestInterceptor {
  constructor(
    @InjectRepository(Note) private readonly repository: Repository<Note>,
    private readonly notes: Notes,
  ) {}

  intercept(context: ExecutionContext, handler: CallHandler): Observable<unknown> {
    const { when, text } = context.switchToHttp().getRequest<{ body: { when: string; text: string } }>().body;
    const write = (): void =>
      void this.repository
        .save({ tenantId: TENANT, text: `audit of ${text}` })
        .catch((error: Error) => this.notes.heard.push(error.message));
    if (when === 'before') write();
    return handler.handle().pipe(
      tap(() => {
        if (when === 'after') write();
        if (when === 'later') setTimeout(write, 60);
      }),
    );
  }
}

type Way = Exclude<keyof Notes, 'heard'>;

@Controller('ways')
class WaysController {
  constructor(private readonly notes: Notes) {}

  @Post()
  @Idempotent()
  async go(@Body() { way, text }: { way: Way; text: string }): Promise<object> {
    return { gave: (await this.notes[way](text)) ?? null };
  }

  @Post('audited')
  @UseInterceptors(Auditing)
  @Idempotent()
  async audited(@Body() { text, fails }: { text: string; fails?: boolean }): Promise<object> {
    await this.notes.undoneInside(text);
    if (fails) throw new ConflictException(text);
    return {};
  }

  /** BEGIN, COMMIT and ROLLBACK of a library on node-postgres. */
  @Post('sql-client')
  @Idempotent()
  async sqlClient(@Tx() tx: Transaction, @Body() { way, text }: { way: string; text: string }): Promise<object> {
    const client = await tx.sqlClient();
    const insert = (): Promise<unknown> => client.query(INSERT, [TENANT, text]);
    await insert();
    await client.query('BEGIN');
    await insert();
    await client.query('COMMIT');
    await client.query('BEGIN');
    await insert();
    await client.query('ROLLBACK');
    if (way === 'outer') await client.query('COMMIT');
    if (way === 'open') await client.query('BEGIN');
    if (way === 'two') {
      await client.query('BEGIN');
      await (await tx.sqlClient()).query('BEGIN');
    }
    if (way === 'late') late.push(insert);
    return {};
  }
}

const options = { controllers: [WaysController], providers: [Notes], core: { join: true } };
const late: (() => Promise<unknown>)[] = [];
let database: TestDatabase;
let app: TestApp;
let replica: TestApp;
let narrow: TestApp;
beforeAll(async () => {
  database = await createDatabase();
  app = await startLiftedApp(database, options);
  replica = await startLiftedApp(database, options);
  narrow = await startLiftedApp(database, { ...options, poolSize: 1 });
});
afterAll(async () => {
  for (const started of [app, replica, narrow]) await started?.close();
  await database.drop();
});

const post = (way: Way, text: string, { key = uuidv7(), on = app, wait = 0 } = {}): Promise<TestResponse> =>
  on.send('POST', '/ways', { key, body: { way, text }, headers: { prefer: `wait=${wait}` } });
const notes = (text: string) => countOf(database, 'notes', 'text = $1', [text]);

describe('existing code inside an idempotent handler', () => {
  it('has one effect over two replicas, by repository, manager, query builder, query runner and nested transaction', async () => {
    const [key, text] = [uuidv7(), uuidv7()];
    const answers = await atOnce(20, (n) => post('everyWay', text, { key, on: n % 2 ? app : replica, wait: 10 }));
    expect(tally(answers)).toEqual({ 201: 20 });
    expect(new Set(answers.map((answer) => answer.text))).toEqual(new Set(['{"gave":8}']));
    expect([await notes(text), (await recordsOf(database, key)).length]).toEqual([8, 1]);
  });

  it('needs no second connection', async () => {
    const text = uuidv7();
    expect(tally(await atOnce(5, () => post('everyWay', text, { on: narrow })))).toEqual({ 201: 5 });
    expect(await notes(text)).toBe(40);
  });

  it('undoes a nested transaction alone', async () => {
    const text = uuidv7();
    expect((await post('undoneInside', text)).status).toBe(201);
    expect(await notes(text)).toBe(1);
  });

  it.each<Way>(['twoAtOnce', 'besideOne', 'leftOpen', 'besideOneByHand', 'goesOnAfterAFailure', 'otherSource', 'endsIt'])(
    'commits nothing where it cannot be right: %s',
    async (way) => {
      const [key, text] = [uuidv7(), uuidv7()];
      expect((await post(way, text, { key })).status).toBe(500);
      expect([await notes(text), await recordsOf(database, key)]).toEqual([0, []]);
    },
  );

  it('is told which statement failed when it goes on in an aborted transaction', async () => {
    const { heard } = app.app.get(Notes, { strict: false });
    heard.length = 0;
    await post('goesOnAfterAFailure', uuidv7());
    expect(heard).toEqual([expect.stringContaining('SELECT 1 / 0 AS culprit')]);
  });

  it('goes on after a violated constraint where each statement has a savepoint, and not without', async () => {
    const patient = await startLiftedApp(database, { ...options, core: { join: true, statementSavepoints: true } });
    const { heard } = patient.app.get(Notes, { strict: false });
    const [key, text] = [uuidv7(), uuidv7()];
    expect((await post('goesOnAfterAViolation', text, { key, on: patient })).status).toBe(201);
    expect([heard, await notes(text), (await recordsOf(database, key)).length]).toEqual([['1 violation'], 2, 1]);
    await post('everyWay', `${text} every way`, { on: patient });
    expect(await notes(`${text} every way`)).toBe(8);
    await patient.close();
    expect((await post('goesOnAfterAViolation', `${text} again`)).status).toBe(500);
    expect(await notes(`${text} again`)).toBe(0);
  });

  it('is refused when it outlives the handler', async () => {
    const { heard } = app.app.get(Notes, { strict: false });
    heard.length = 0;
    const text = uuidv7();
    expect((await post('outlives', text)).status).toBe(201);
    await eventually('the refusal', () => Promise.resolve(heard.length > 0));
    expect(heard).toEqual([expect.stringContaining('outlives the idempotent handler')]);
    expect(await notes(text)).toBe(0);
  });

  it.each(['before', 'after', 'later'])('is inside or refused where an interceptor starts it and nobody waits: %s', async (when) => {
    const { heard } = app.app.get(Notes, { strict: false });
    heard.length = 0;
    const text = uuidv7();
    const go = (body: object) => app.send('POST', '/ways/audited', { key: uuidv7(), body: { when, text, ...body } });
    const undone = await go({ fails: true, text: `${text} undone` });
    const done = await go({});
    const written = await eventually('both to be over', async () => {
      const rows = [await notes(`audit of ${text} undone`), await notes(`audit of ${text}`)];
      return (when === 'later' ? heard.length === 1 : heard.length + (rows[1] ?? 0) > 0) && rows;
    });
    expect([undone.status, done.status, await notes(text)]).toEqual([409, 201, 1]);
    // Undone with its handler; with one that commits it is there, or its writer has been told.
    expect(written).toEqual([0, heard.length > 0 ? 0 : 1]);
    for (const message of heard) expect(message).toContain('outlives the idempotent handler');
  });

  it('may write outside on purpose, whatever becomes of the handler', async () => {
    const text = uuidv7();
    expect((await post('onPurposeOutside', text)).status).toBe(409);
    expect(await notes(text)).toBe(1);
  });
});

describe('tx.sqlClient()', () => {
  const go = (way: string, text: string) => app.send('POST', '/ways/sql-client', { body: { way, text } });

  it('makes savepoints of BEGIN, COMMIT and ROLLBACK, and sends nothing after the end', async () => {
    const text = uuidv7();
    expect((await go('late', text)).status).toBe(201);
    expect(await notes(text)).toBe(2);
    await expect(late.pop()?.()).rejects.toThrow('the transaction is over');
    expect(await notes(text)).toBe(2);
  });

  it.each(['outer', 'open', 'two'])('commits nothing with one too many or too few: %s', async (way) => {
    const text = uuidv7();
    expect((await go(way, text)).status).toBe(500);
    expect(await notes(text)).toBe(0);
  });
});

it('an optimistic handler stops the start where repositories join', async () => {
  @Controller('hasty')
  class HastyController {
    @Post()
    @Idempotent({ optimistic: true })
    async create(): Promise<void> {}
  }
  await expect(startLiftedApp(database, { controllers: [HastyController], core: { join: true } })).rejects.toThrow(
    'HastyController.create: an optimistic handler needs join: false',
  );
});
