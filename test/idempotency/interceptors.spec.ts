import {
  Body,
  ClassSerializerInterceptor,
  Controller,
  HttpException,
  Injectable,
  Logger,
  Post,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { APP_INTERCEPTOR, Reflector } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Exclude } from 'class-transformer';
import { map, tap, type Observable } from 'rxjs';
import { v7 as uuidv7 } from 'uuid';
import {
  Idempotent,
  RecoverableStep,
  Tx,
  next,
  park,
  reply,
  type Next,
  type Reply,
  type Step,
  type Transaction,
} from '../../src/idempotency/index.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import type { TestApp, TestResponse } from '../support/app.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)';
const charged: string[] = [];

/** A provider is called once for each operation. */
@RecoverableStep('charge')
@Injectable()
class Charge implements Step<'charged'> {
  async call(subjectId: string): Promise<'charged'> {
    charged.push(subjectId);
    return 'charged';
  }

  async settle(_tx: Transaction, subjectId: string): Promise<Reply> {
    return reply(200, { charged: subjectId });
  }
}

/** What many applications put around every answer. */
@Injectable()
class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, handler: CallHandler): Observable<unknown> {
    return handler.handle().pipe(map((data: unknown) => ({ data })));
  }
}

/** Refuses by itself what has a status to be refused with, before the handler. */
class Picky implements PipeTransform<Wish, Wish> {
  transform(wish: Wish): Wish {
    if (wish.refuse) throw new HttpException('not like that', wish.refuse);
    return wish;
  }
}

@Injectable()
class Gate implements NestInterceptor {
  intercept(context: ExecutionContext, handler: CallHandler): Observable<unknown> {
    if (context.switchToHttp().getRequest<{ body: Wish }>().body.text === 'closed') throw new HttpException('closed', 423);
    return handler.handle();
  }
}

interface Wish {
  text: string;
  refuse?: number;
}

class Secretive {
  text = 'shown';

  @Exclude()
  secret = 'hidden';
}

class Answers {
  @Post('plain')
  @Idempotent()
  async plain(@Tx() tx: Transaction, @Body(new Picky()) { text }: Wish): Promise<object> {
    await tx.run({ name: 'test-insert-note', text: INSERT }, [TENANT, text]);
    return { text };
  }

  @Post('reply')
  @Idempotent()
  async reply(@Body() { text }: Wish): Promise<Reply> {
    return reply(203, { text }, { location: '/there' });
  }

  @Post('optimistic')
  @Idempotent({ optimistic: true })
  async optimistic(@Tx() tx: Transaction, @Body(new Picky()) { text }: Wish): Promise<Reply> {
    tx.write({ name: 'test-insert-note', text: INSERT }, [TENANT, text]);
    return reply(203, { text });
  }

  @Post('next')
  @Idempotent()
  async next(@Body() { text }: Wish): Promise<Next> {
    return next(Charge, text, reply(202, { text }));
  }

  @Post('parks')
  @Idempotent()
  async parks(): Promise<unknown> {
    return park("not a handler's to say");
  }

  @Post('class')
  @Idempotent()
  async class(): Promise<Reply> {
    return reply(201, new Secretive());
  }
}

@Controller('enveloped')
@UseInterceptors(Envelope)
class Enveloped extends Answers {}

@Controller('serialized')
@UseInterceptors(ClassSerializerInterceptor)
class Serialized extends Answers {}

@Controller('gated')
@UseInterceptors(Gate)
class Gated extends Answers {}

let database: TestDatabase;
let app: TestApp;
beforeAll(async () => {
  database = await createDatabase();
  app = await startLiftedApp(database, { controllers: [Enveloped, Serialized, Gated], providers: [Charge] });
});
afterAll(async () => {
  await app.close();
  await database.drop();
});

const post = (path: string, body: Wish, key = uuidv7()): Promise<TestResponse> => app.send('POST', path, { key, body });

describe('what a handler decides reaches the core past the interceptors of the application', () => {
  it.each([
    ['plain', 201],
    ['reply', 203],
    ['optimistic', 203],
  ])('the body of %s is what an interceptor made of it, first and replayed', async (kind, status) => {
    const [key, text] = [uuidv7(), uuidv7()];
    const first = await post(`/enveloped/${kind}`, { text }, key);
    expect(first).toMatchObject({ status, body: { data: { text } } });
    expect(first.headers.get('location')).toBe(kind === 'reply' ? '/there' : null);
    const again = await post(`/enveloped/${kind}`, { text }, key);
    expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([status, first.text, 'true']);
  });

  it.each(['enveloped', 'serialized'])('the step that a handler names is called: %s', async (controller) => {
    const [key, subject] = [uuidv7(), uuidv7()];
    const answer = await post(`/${controller}/next`, { text: subject }, key);
    expect(answer).toMatchObject({ status: 200, body: { charged: subject } });
    expect(charged.filter((one) => one === subject)).toEqual([subject]);
    expect((await post(`/${controller}/next`, { text: subject }, key)).text).toBe(answer.text);
    expect(await recordsOf(database, key)).toMatchObject([{ status: 'completed' }]);
  });

  it('the class serializer finds the body of a reply', async () => {
    expect(await post('/serialized/class', { text: 'x' })).toMatchObject({ status: 201, body: { text: 'shown' } });
    expect((await post('/serialized/class', { text: 'x' })).text).not.toContain('hidden');
  });

  it('what is no decision of a handler stays an error', async () => {
    const key = uuidv7();
    expect((await post('/enveloped/parks', { text: 'x' }, key)).status).toBe(500);
    expect(await recordsOf(database, key)).toEqual([]);
  });
});

describe('what fails before the handler was reached is never stored, though the application calls it final', () => {
  it.each([400, 408, 409, 422, 425, 429])('a %d of a pipe leaves the key unused', async (refuse) => {
    for (const path of ['/gated/plain', '/gated/optimistic']) {
      const [key, text] = [uuidv7(), uuidv7()];
      expect((await post(path, { text, refuse }, key)).status).toBe(refuse);
      expect(await recordsOf(database, key)).toEqual([]);
      expect((await post(path, { text }, key)).status).toBeLessThan(300);
      expect(await countOf(database, 'notes', 'text = $1', [text])).toBe(1);
    }
  });

  it('nor is that of an interceptor', async () => {
    const key = uuidv7();
    expect((await post('/gated/plain', { text: 'closed' }, key)).status).toBe(423);
    expect(await recordsOf(database, key)).toEqual([]);
  });
});

describe('an interceptor that the root module puts around the core', () => {
  const seen: unknown[] = [];

  /** As one that keeps an audit log does. */
  @Injectable()
  class Audit implements NestInterceptor {
    intercept(_context: ExecutionContext, handler: CallHandler): Observable<unknown> {
      return handler.handle().pipe(tap((answer: unknown) => seen.push(answer)));
    }
  }

  it.each(['Fastify', 'Express'])('sees the answer that was sent, first and replayed: %s', async (platform) => {
    const audited = await startLiftedApp(database, {
      controllers: [Serialized],
      providers: [Charge, { provide: APP_INTERCEPTOR, useClass: Audit }],
      ...(platform === 'Express' && { adapter: new ExpressAdapter() }),
    });
    const [key, text] = [uuidv7(), uuidv7()];
    for (const replayed of [null, 'true']) {
      seen.length = 0;
      const answer = await audited.send('POST', '/serialized/reply', { key, body: { text } });
      expect([answer.status, answer.headers.get('idempotent-replayed'), seen]).toEqual([203, replayed, [{ text }]]);
    }
    await audited.close();
  });

  it.each(['Fastify', 'Express'])('and is told, once for a handler, that what it makes of it is not sent: %s', async (platform) => {
    const complaints = jest.spyOn(Logger.prototype, 'error').mockImplementation();
    const around = await startLiftedApp(database, {
      controllers: [Serialized],
      providers: [Charge, { provide: APP_INTERCEPTOR, useClass: Audit }, { provide: APP_INTERCEPTOR, useClass: Envelope }],
      ...(platform === 'Express' && { adapter: new ExpressAdapter() }),
    });
    const [key, text] = [uuidv7(), uuidv7()];
    for (const path of ['reply', 'reply', 'optimistic'])
      expect((await around.send('POST', `/serialized/${path}`, { key: `${key}-${path}`, body: { text } })).text).toBe(
        JSON.stringify({ text }),
      );
    expect(complaints.mock.calls).toEqual([
      [expect.stringMatching(/^Audit, Envelope: .*neither sent nor stored.*\(Serialized\.reply\)$/)],
      [expect.stringMatching(/^Audit, Envelope: .*\(Serialized\.optimistic\)$/)],
    ]);
    complaints.mockRestore();
    await around.close();
  });

  it('stops the start when it is to keep members of answers to itself', async () => {
    const providers = [Charge, { provide: APP_INTERCEPTOR, useClass: ClassSerializerInterceptor }];
    await expect(startLiftedApp(database, { controllers: [Serialized], providers })).rejects.toThrow(
      'ClassSerializerInterceptor: as an APP_INTERCEPTOR it stands outside',
    );
  });

  it('does its work inside, where the application registers it by useGlobalInterceptors()', async () => {
    const inside = await startLiftedApp(database, {
      controllers: [Gated],
      providers: [Charge],
      configure: (started) => void started.useGlobalInterceptors(new ClassSerializerInterceptor(started.get(Reflector))),
    });
    const answer = await inside.send('POST', '/gated/class', { key: uuidv7(), body: { text: 'x' } });
    expect(answer).toMatchObject({ status: 201, text: '{"text":"shown"}' });
    await inside.close();
  });
});
