import { Body, ConflictException, Controller, Get, Global, Injectable, Module, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid';
import {
  IdempotencyModule,
  Idempotent,
  RecoverableStep,
  Tx,
  accountUuid,
  next,
  reply,
  type Next,
  type Reply,
  type Step,
  type Transaction,
} from '../../src/idempotency/index.js';
import type { TestApp } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = { name: 'test-insert-note', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)' };

interface Wish {
  text: string;
  id?: unknown;
}

class Inherited {
  @Post('inherited')
  async inherited(@Body() { text }: Wish, @Tx() tx: Transaction): Promise<object> {
    await tx.run(INSERT, [TENANT, text]);
    return { text };
  }
}

@Controller('marked')
@Idempotent()
class Marked extends Inherited {
  @Post('own')
  async own(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    await tx.run(INSERT, [TENANT, text]);
    return { text };
  }

  @Post('shorter')
  @Idempotent({ window: '5s' })
  async shorter(): Promise<object> {
    return { shorter: true };
  }

  @Get('read')
  read(): object {
    return { read: true };
  }
}

@Controller('unmarked')
class Unmarked extends Inherited {
  @Post('free')
  free(): object {
    return { free: true };
  }
}

@RecoverableStep('keyless')
@Injectable()
class Charge implements Step<null> {
  async call(): Promise<null> {
    return null;
  }

  async settle(_tx: Transaction, subjectId: string): Promise<Reply> {
    return reply(200, { charged: subjectId });
  }
}

@Controller('keys')
class Keys {
  @Post('optional')
  @Idempotent({ required: false })
  async optional(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    await tx.run(INSERT, [TENANT, text]);
    if (text.startsWith('refused')) throw new ConflictException(text);
    return { text, operation: tx.operationId };
  }

  @Post('optional-step')
  @Idempotent({ required: false })
  async optionalStep(@Body() { text }: Wish): Promise<Next> {
    return next(Charge, text, reply(202, {}));
  }

  /** A webhook receiver: the sender has no header for it, but an id for each event. */
  @Post('events')
  @Idempotent({ keyFrom: (request) => (request as { body: { id?: string } }).body.id })
  async event(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<object> {
    await tx.run(INSERT, [TENANT, text]);
    return { received: text };
  }
}

let database: TestDatabase;
let app: TestApp;
beforeAll(async () => {
  database = await createDatabase();
  app = await startLiftedApp(database, { controllers: [Marked, Unmarked, Keys], providers: [Charge] });
});
afterAll(async () => {
  await app.close();
  await database.drop();
});

const post = (path: string, body: Wish, key: string | null = uuidv7()) => app.send('POST', path, { key, body });
const notes = (text: string) => countOf(database, 'notes', 'text = $1', [text]);

describe('@Idempotent() on a class', () => {
  it.each(['/marked/own', '/marked/inherited'])('guards its handlers: %s', async (path) => {
    const [key, text] = [uuidv7(), uuidv7()];
    const first = await post(path, { text }, key);
    const again = await post(path, { text }, key);
    expect([first.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([201, first.text, 'true']);
    expect(await notes(text)).toBe(1);
    expect(await post(path, { text }, null)).toMatchObject({ status: 400, body: { code: 'idempotency-key-missing' } });
  });

  it("leaves a handler's own mark, reads and other classes of the same parent alone", async () => {
    const key = uuidv7();
    await post('/marked/shorter', { text: 'x' }, key);
    const [record] = await recordsOf(database, key);
    expect(record && record.expires_at.getTime() - record.completed_at.getTime()).toBe(5_000);
    expect(await app.send('GET', '/marked/read')).toMatchObject({ status: 200, body: { read: true } });
    expect(await post('/unmarked/free', { text: 'x' }, null)).toMatchObject({ status: 201, body: { free: true } });
    expect((await post('/unmarked/inherited', { text: 'x' })).status).toBe(500);
  });
});

describe('required: false', () => {
  it('executes a request without a key, each time, with its transaction', async () => {
    const text = uuidv7();
    const answers = [await post('/keys/optional', { text }, null), await post('/keys/optional', { text }, null)];
    expect(answers.map(({ status }) => status)).toEqual([201, 201]);
    expect(await notes(text)).toBe(2);
    for (const { headers } of answers) {
      expect([headers.get('idempotency-key'), headers.get('idempotency-expires'), headers.get('idempotent-replayed')]).toEqual([
        null,
        null,
        null,
      ]);
    }
    expect(new Set(answers.map(({ body }) => (body as { operation: string }).operation)).size).toBe(2);
  });

  it('undoes what a refused one wrote, and drives its steps', async () => {
    const text = `refused ${uuidv7()}`;
    expect((await post('/keys/optional', { text }, null)).status).toBe(409);
    expect(await notes(text)).toBe(0);
    const subject = uuidv7();
    expect(await post('/keys/optional-step', { text: subject }, null)).toMatchObject({ status: 200, body: { charged: subject } });
  });

  it('is as ever with a key', async () => {
    const [key, text] = [uuidv7(), uuidv7()];
    const first = await post('/keys/optional', { text }, key);
    expect((await post('/keys/optional', { text }, key)).text).toBe(first.text);
    expect(await notes(text)).toBe(1);
    expect((await post('/keys/optional', { text }, 'with space')).status).toBe(400);
  });
});

describe('keyFrom', () => {
  it('takes the key from there, and looks at no header', async () => {
    const [id, text] = [`evt_${uuidv4()}`, uuidv7()];
    const first = await post('/keys/events', { id, text }, uuidv7());
    const again = await post('/keys/events', { id, text }, uuidv7());
    expect([first.status, again.text, first.headers.get('idempotency-key')]).toEqual([201, first.text, null]);
    expect(await notes(text)).toBe(1);
    expect(await recordsOf(database, id)).toHaveLength(1);
    expect(await post('/keys/events', { id, text: 'another' })).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
  });

  it.each([
    [undefined, 'idempotency-key-missing'],
    ['', 'idempotency-key-missing'],
    [17, 'idempotency-key-invalid'],
    ['x'.repeat(256), 'idempotency-key-invalid'],
  ])('refuses %p', async (id, code) => {
    expect(await post('/keys/events', { id, text: 'x' })).toMatchObject({ status: 400, body: { code } });
  });
});

it('an account may be any text: its record has the uuid of it', async () => {
  const [key, text] = [uuidv7(), uuidv7()];
  const as = (tenant: string) => app.send('POST', '/marked/own', { key, body: { text }, headers: { 'x-tenant': tenant } });
  expect([(await as('acme')).status, (await as('acme')).headers.get('idempotent-replayed')]).toEqual([201, 'true']);
  expect((await as('Acme')).headers.get('idempotent-replayed')).toBeNull();
  const accounts = (await recordsOf(database, key)).map((record) => record.account_id);
  expect(accounts.sort()).toEqual([accountUuid('acme'), accountUuid('Acme')].sort());
  // As everybody else would compute it: an account keeps its records for ever.
  expect(accountUuid('acme')).toBe('6dd189b9-9e6b-8222-a86f-611217e63b5e');
  expect(accountUuid(TENANT.toUpperCase())).toBe(TENANT);
  for (const none of ['', ' ', undefined as never]) expect(() => accountUuid(none)).toThrow('needs an account');
});

describe('options that can not be so stop the start', () => {
  const wrong = (options: object) => () => IdempotencyModule.forRoot({ accountOf: () => '', ...options });

  it.each([
    [{ window: '7 days' }, 'a window is a whole number'],
    [{ window: '1d', windowMs: 1 }, 'given twice'],
    [{ windowMs: 0 }, 'windowMs must be above 0'],
    [{ window: '2d', archiveMs: 86_400_000 }, 'archiveMs, 86400000, must not be below the window, 172800000'],
    [{ purgeIntervalMs: 2 ** 31 }, 'purgeIntervalMs must not be above'],
    [{ accountShare: 2 }, 'accountShare must be above 0'],
    [{ stepBudgetMs: -1 }, 'stepBudgetMs must not be below 0'],
  ])('%j', (options, sentence) => {
    expect(wrong(options)).toThrow(sentence);
  });

  it('a window of a route that is longer than the archive, by the name of its handler', async () => {
    @Controller('long')
    class Long {
      @Post()
      @Idempotent({ window: '500d' })
      async long(): Promise<void> {}
    }
    await expect(startLiftedApp(database, { controllers: [Long] })).rejects.toThrow(/^Long\.long: archiveMs/);
  });
});

describe('forRootAsync', () => {
  const CONFIG = Symbol('config');

  @Module({ providers: [{ provide: CONFIG, useValue: { window: '3s', archiveMs: 10_000 } }], exports: [CONFIG] })
  class ConfigModule {}

  const asked = (change: object = {}) =>
    IdempotencyModule.forRootAsync({
      imports: [ConfigModule],
      inject: [CONFIG],
      useFactory: async (config: { window: string; archiveMs: number }) => ({
        ...config,
        accountOf: () => 'everybody',
        join: false,
        ...change,
      }),
    });

  it('takes what a factory makes of providers', async () => {
    const configured = await startLiftedApp(database, { controllers: [Marked], idempotency: asked() });
    const key = uuidv7();
    expect((await configured.send('POST', '/marked/own', { key, body: { text: uuidv7() } })).status).toBe(201);
    const [record] = await recordsOf(database, key);
    expect(record?.account_id).toBe(accountUuid('everybody'));
    expect(record && record.expires_at.getTime() - record.completed_at.getTime()).toBe(3_000);
    await configured.close();
  });

  it('and stops the start where that can not be so', async () => {
    @Global()
    @Module({ providers: [{ provide: DataSource, useValue: {} }], exports: [DataSource] })
    class NoDatabaseModule {}
    @Module({ imports: [NoDatabaseModule, asked({ archiveMs: 1 })] })
    class WrongModule {}
    const started = NestFactory.createApplicationContext(WrongModule, { logger: false, abortOnError: false });
    await expect(started).rejects.toThrow('archiveMs, 1, must not be below');
  });
});
