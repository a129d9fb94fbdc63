import { Readable } from 'node:stream';
import {
  Body,
  ConflictException,
  Controller,
  Get,
  Header,
  HttpCode,
  Injectable,
  Next,
  Post,
  Redirect,
  Render,
  Req,
  Res,
  Sse,
  StreamableFile,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type Type,
} from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Observable } from 'rxjs';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, Tx, reply, type Reply, type Transaction } from '../../src/idempotency/index.js';
import type { TestApp, TestResponse } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = { name: 'test-insert-note', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)' };
const BINARY = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x00, 0xff]);

/** What Express's and Fastify's responses have in common. */
interface Platform {
  status(code: number): this;
  header(name: string, value: string): this;
  send(body: unknown): this;
  redirect(url: string): unknown;
  /** Fastify's. */
  raw?: NodeJS.WritableStream;
}

interface Wish {
  text: string;
  way?: string;
}

/** Sets a header as a caching or localising interceptor does. */
@Injectable()
class Tagging implements NestInterceptor {
  intercept(context: ExecutionContext, handler: CallHandler): Observable<unknown> {
    context.switchToHttp().getResponse<Platform>().header('etag', '"tagged"');
    return handler.handle();
  }
}

@Controller('answers')
class Answers {
  @Post('set')
  @Idempotent()
  async set(@Tx() tx: Transaction, @Res({ passthrough: true }) response: Platform, @Body() { text }: Wish): Promise<string> {
    await tx.run(INSERT, [TENANT, text]);
    response.status(202).header('etag', 'W/"1"').header('content-type', 'text/csv; charset=utf-8').header('content-language', 'de');
    response.header('set-cookie', 'seen=1').header('content-length', '1');
    return `a;${text}\n`;
  }

  @Post('set-and-reply')
  @Idempotent()
  async setAndReply(@Res({ passthrough: true }) response: Platform): Promise<Reply> {
    response.status(202).header('content-language', 'de').header('etag', '"theirs"');
    return reply(203, { replied: true }, { etag: '"own"' });
  }

  @Post('declared')
  @HttpCode(200)
  @Header('Content-Type', 'text/csv; charset=utf-8')
  @Header('Content-Language', 'de')
  @Idempotent()
  declared(): string {
    return 'a;b\n';
  }

  @Post('tagged')
  @UseInterceptors(Tagging)
  @Idempotent()
  tagged(): object {
    return { tagged: true };
  }

  @Post('refuses')
  @Idempotent()
  refuses(@Res({ passthrough: true }) response: Platform): void {
    response.status(202).header('etag', '"never"');
    throw new ConflictException('refused');
  }

  @Post('text')
  @Idempotent()
  text(): string {
    return 'hello';
  }

  @Post('json-text')
  @Header('Content-Type', 'application/json')
  @Idempotent()
  jsonText(): string {
    return '{ "made": "before" }';
  }

  @Post('null')
  @Idempotent()
  null(): null {
    return null;
  }

  @Post('csv-reply')
  @Idempotent()
  csvReply(): Reply {
    return reply(201, 'a;b\n', { 'content-type': 'text/csv' });
  }

  @Post('bytes')
  @Idempotent()
  bytes(): Buffer {
    return Buffer.from('bytes: ä');
  }

  @Post('file')
  @Idempotent()
  file(): StreamableFile {
    return new StreamableFile(Readable.from([Buffer.from('a;b\n'), Buffer.from('c;d\n')]), {
      type: 'text/csv',
      disposition: 'attachment; filename="list.csv"',
    });
  }

  @Post('redirect')
  @Redirect('/there', 303)
  @Idempotent()
  async redirect(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<void> {
    await tx.run(INSERT, [TENANT, text]);
  }

  @Post('redirect-elsewhere')
  @Idempotent()
  @Redirect('/there')
  redirectElsewhere(): object {
    return { url: '/ä b', statusCode: 307 };
  }

  /** What can't be stored, each behind a write. */
  @Post('impossible')
  @Idempotent()
  async impossible(@Tx() tx: Transaction, @Res({ passthrough: true }) response: Platform, @Body() { text, way }: Wish): Promise<unknown> {
    await tx.run(INSERT, [TENANT, text]);
    const node = (response.raw ?? response) as NodeJS.WritableStream;
    switch (way) {
      case 'binary':
        return BINARY;
      case 'binary file':
        return new StreamableFile(BINARY);
      case 'huge file':
        return new StreamableFile(Readable.from([Buffer.alloc(2 * 1024 * 1024), Buffer.from('x')]));
      case 'stream':
        return Readable.from(['x']);
      case 'web stream':
        return new Blob(['x']).stream();
      case 'header':
        response.header('content-language', 'de');
        return reply(201, {}, { location: '/ä\n' });
      case 'sends':
        return void response.send({ sent: true });
      case 'redirects':
        return void response.redirect('/there');
      case 'ends':
        return void node.end('sent');
      case 'pipes':
        Readable.from(['x']).pipe(node);
        // As whoever waits for the last byte of it.
        return new Promise((resolve) => node.on('finish', resolve));
      default:
        throw new Error(`no way ${way}`);
    }
  }

  /** By the request, which has the response as well. */
  @Post('by-request')
  @Idempotent()
  async byRequest(@Tx() tx: Transaction, @Req() request: { res: Platform; raw?: unknown }, @Body() { text }: Wish): Promise<void> {
    await tx.run(INSERT, [TENANT, text]);
    request.res.send({ sent: true });
  }
}

const ADAPTERS = [
  ['Express', () => new ExpressAdapter(), 'text/html; charset=utf-8'],
  ['Fastify', () => new FastifyAdapter(), 'text/plain; charset=utf-8'],
] as const;

let database: TestDatabase;
beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

const notes = (text: string) => countOf(database, 'notes', 'text = $1', [text]);

describe.each(ADAPTERS)('on %s', (platform, adapter, textType) => {
  let app: TestApp;
  let replica: TestApp;
  beforeAll(async () => {
    app = await startLiftedApp(database, { controllers: [Answers], adapter: adapter() });
    replica = await startLiftedApp(database, { controllers: [Answers], adapter: adapter() });
  });
  afterAll(async () => {
    await app.close();
    await replica.close();
  });

  const post = async (url: string, key: string, body: Wish): Promise<TestResponse> => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key, 'x-tenant': TENANT };
    const answer = await fetch(url, { method: 'POST', redirect: 'manual', headers, body: JSON.stringify(body) });
    return { status: answer.status, headers: answer.headers, text: await answer.text(), body: {} };
  };

  /** The first answer, which a replay repeats in both replicas: status, bytes and headers, but for those of the moment. */
  async function expectKept(path: string): Promise<TestResponse> {
    const [key, text] = [uuidv7(), uuidv7()];
    const first = await post(`${app.url}/answers/${path}`, key, { text });
    for (const { url } of [app, replica]) {
      const again = await post(`${url}/answers/${path}`, key, { text });
      expect([again.status, again.text, again.headers.get('idempotent-replayed')]).toEqual([first.status, first.text, 'true']);
      expect(lasting(again)).toEqual(lasting(first));
    }
    return { ...first, body: { notes: await notes(text) } };
  }

  const header = ({ headers }: TestResponse, ...names: string[]) => names.map((name) => headers.get(name));

  it('status and headers that a handler sets are sent as it set them, first and replayed; a cookie the first time', async () => {
    const first = await expectKept('set');
    expect([first.status, first.body]).toEqual([202, { notes: 1 }]);
    expect(first.text).toMatch(/^a;.+\n$/);
    expect(header(first, 'etag', 'content-type', 'content-language', 'set-cookie')).toEqual([
      'W/"1"',
      'text/csv; charset=utf-8',
      'de',
      'seen=1',
    ]);
  });

  it('what a reply says goes before them', async () => {
    const first = await expectKept('set-and-reply');
    expect([first.status, ...header(first, 'etag', 'content-language')]).toEqual([203, '"own"', 'de']);
  });

  it('those that the route declares, and those of an interceptor', async () => {
    const declared = await expectKept('declared');
    expect([declared.status, declared.text, ...header(declared, 'content-type', 'content-language')]).toEqual([
      200,
      'a;b\n',
      'text/csv; charset=utf-8',
      'de',
    ]);
    expect(header(await expectKept('tagged'), 'etag')).toEqual(['"tagged"']);
  });

  it('those that were set before a refusal are not sent with it', async () => {
    const first = await expectKept('refuses');
    // Express makes one of what its own filter answers.
    expect([first.status, ...header(first, 'etag')]).toEqual([409, platform === 'Express' ? expect.stringMatching(/^W\//) : null]);
  });

  it.each([
    ['text', 'hello', textType],
    ['json-text', '{ "made": "before" }', expect.stringMatching(/^application\/json/)],
    ['null', '', expect.anything()],
    ['csv-reply', 'a;b\n', 'text/csv'],
    ['bytes', 'bytes: ä', 'application/octet-stream'],
    ['file', 'a;b\nc;d\n', 'text/csv'],
  ])('the body is what it is: %s', async (path, body, type) => {
    const first = await expectKept(path);
    expect([first.status, first.text, ...header(first, 'content-type')]).toEqual([201, body, type]);
    if (path === 'file') expect(header(first, 'content-disposition')).toEqual(['attachment; filename="list.csv"']);
  });

  it('a redirection is stored as one', async () => {
    const first = await expectKept('redirect');
    expect([first.status, first.text, first.body, ...header(first, 'location')]).toEqual([303, '', { notes: 1 }, '/there']);
    const elsewhere = await expectKept('redirect-elsewhere');
    expect([elsewhere.status, ...header(elsewhere, 'location')]).toEqual([307, '/%C3%A4%20b']);
  });

  it.each(['binary', 'binary file', 'huge file', 'stream', 'web stream', 'header', 'sends', 'redirects', 'ends', 'pipes'])(
    'what can not be stored is an error at once, and nothing is committed: %s',
    async (way) => {
      const [key, text] = [uuidv7(), uuidv7()];
      const answer = await post(`${app.url}/answers/impossible`, key, { text, way });
      expect([answer.status, ...header(answer, 'content-language')]).toEqual([500, null]);
      expect([await notes(text), await recordsOf(database, key)]).toEqual([0, []]);
    },
  );

  if (platform === 'Express') {
    it('nor is what is sent behind the back of the core', async () => {
      const [key, text] = [uuidv7(), uuidv7()];
      await post(`${app.url}/answers/by-request`, key, { text });
      expect([await notes(text), await recordsOf(database, key)]).toEqual([0, []]);
    });
  }
});

/** All headers but those of the moment and of the connection. */
function lasting({ headers }: TestResponse): [string, string][] {
  const passing = new Set(['date', 'connection', 'keep-alive', 'idempotent-replayed', 'set-cookie']);
  return [...headers.entries()].filter(([name]) => !passing.has(name));
}

@Controller('sent')
class Sends {
  @Post()
  @Idempotent()
  send(@Res() response: Platform): void {
    response.send({});
  }
}

@Controller('handed-on')
@Idempotent()
class HandsOn {
  @Post()
  handOn(@Next() next: () => void): void {
    next();
  }
}

@Controller('rendered')
class Renders {
  @Post()
  @Render('page')
  @Idempotent()
  render(): object {
    return {};
  }
}

@Controller('streamed')
class Streams {
  @Sse()
  @Idempotent()
  stream(): Observable<never> | undefined {
    return undefined;
  }
}

@Controller('messages')
class Messages {
  @Get()
  read(): object {
    return {};
  }

  /** As one with @MessagePattern(), which makes no route. */
  @Idempotent()
  async receive(): Promise<void> {}
}

@Injectable()
class Resolver {
  @Idempotent()
  async place(): Promise<void> {}
}

describe('a handler whose answer can not be stored stops the start, by its name', () => {
  it.each<[string, Type[], Type[]]>([
    ['Sends.send: a handler that sends its answer by itself', [Sends], []],
    ['HandsOn.handOn: a handler that sends its answer by itself', [HandsOn], []],
    ['Renders.render: @Render()', [Renders], []],
    ['Streams.stream: @Sse()', [Streams], []],
    ['Messages.receive: @Idempotent() belongs to a route of HTTP', [Messages], []],
    ['Resolver.place: @Idempotent() belongs to a route of HTTP', [], [Resolver]],
  ])('%s', async (sentence, controllers, providers) => {
    await expect(startLiftedApp(database, { controllers, providers })).rejects.toThrow(sentence);
  });
});
