import {
  Body,
  Catch,
  ConflictException,
  Controller,
  HttpException,
  Inject,
  Injectable,
  Post,
  Scope,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
  type NestApplicationOptions,
} from '@nestjs/common';
import { APP_FILTER, BaseExceptionFilter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { Idempotent, Tx, type Transaction } from '../../src/idempotency/index.js';
import type { TestApp, TestResponse } from '../support/app.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { TENANT, startLiftedApp } from '../support/lifted-app.js';

const INSERT = { name: 'test-insert-note', text: 'INSERT INTO notes (tenant_id, text) VALUES ($1, $2)' };

interface Platform {
  status(code: number): this;
  header(name: string, value: string): this;
  send(body: unknown): this;
  raw?: NodeJS.WritableStream;
}

interface Wish {
  text: string;
  status?: number;
}

/** How often filters were asked. */
let asked = 0;

function answer(host: ArgumentsHost, by: string, error: HttpException): void {
  asked += 1;
  const response = host.switchToHttp().getResponse<Platform>();
  response.status(error.getStatus()).header('x-by', by).send({ by, error: error.message });
}

/** Three errors of their own, each for another filter. */
class OfMethod extends ConflictException {}
class OfController extends ConflictException {}
class OfNobody extends ConflictException {}

@Injectable()
class Words {
  readonly controller = 'the controller';
}

@Catch(OfMethod)
class MethodFilter implements ExceptionFilter<OfMethod> {
  catch(error: OfMethod, host: ArgumentsHost): void {
    answer(host, 'the method', error);
  }
}

@Catch(OfController)
class ControllerFilter implements ExceptionFilter<OfController> {
  constructor(private readonly words: Words) {}

  catch(error: OfController, host: ArgumentsHost): void {
    answer(host, this.words.controller, error);
  }
}

@Catch(ConflictException)
class ApplicationFilter implements ExceptionFilter<ConflictException> {
  catch(error: ConflictException, host: ArgumentsHost): void {
    if (error instanceof OfNobody) throw error;
    answer(host, 'the application', error);
  }
}

/** What a filter does that answers in a way of its own. */
const WAYS: Record<string, (response: any, error: HttpException) => unknown> = {
  text: (response, error) => response.status(error.getStatus()).send(`refused: ${error.message}`),
  later: (response, error) => sleep(20).then(() => response.status(error.getStatus()).send({ later: true })),
  raw: (response, error) =>
    (response.raw ?? response).writeHead(error.getStatus(), { 'content-type': 'text/plain', 'x-raw': 'yes' }).end('raw'),
  'a list of headers': (response, error) =>
    (response.raw ?? response).writeHead(error.getStatus(), 'No', ['content-type', 'text/plain', 'x-raw', 'yes']).end('list'),
  pieces: (response) => {
    const node = response.raw ?? response;
    node.statusCode = 418;
    node.setHeader('content-type', 'text/plain');
    node.write('in ');
    node.end('pieces');
  },
  'nothing to say': (response, error) => response.status(error.getStatus()).send(),
  'not its fault': (response) => response.status(502).send({ upstream: true }),
  bytes: (response) => response.status(409).send(Buffer.from([0xff, 0xfe, 0x00])),
  thrown: () => {
    throw new Error('a filter with a fault');
  },
};

/** Thrown for `WAYS`. */
class InAWay extends ConflictException {}

@Catch(InAWay)
class WaysFilter implements ExceptionFilter<InAWay> {
  catch(error: InAWay, host: ArgumentsHost): unknown {
    asked += 1;
    return WAYS[error.message]?.(host.switchToHttp().getResponse(), error);
  }
}

/** One of each request, which knows it. */
@Catch(ConflictException)
@Injectable({ scope: Scope.REQUEST })
class RequestFilter implements ExceptionFilter<ConflictException> {
  constructor(@Inject('REQUEST') private readonly request: { headers: Record<string, string> }) {}

  catch(error: ConflictException, host: ArgumentsHost): void {
    answer(host, `tenant ${this.request.headers['x-tenant']}`, error);
  }
}

/** Looks something up before it answers. */
@Catch(ConflictException)
class LookingUp implements ExceptionFilter<ConflictException> {
  constructor(private readonly dataSource: DataSource) {}

  async catch(error: ConflictException, host: ArgumentsHost): Promise<void> {
    const [row] = await this.dataSource.query<{ count: number }[]>('SELECT count(*)::int AS count FROM notes WHERE text = $1', [
      error.message,
    ]);
    host.switchToHttp().getResponse<Platform>().status(409).send({ alreadyThere: row?.count });
  }
}

@Controller('looking-up')
@UseFilters(LookingUp)
class LooksUp {
  @Post('idempotent')
  @Idempotent()
  async idempotent(@Tx() tx: Transaction, @Body() { text }: Wish): Promise<never> {
    await tx.run(INSERT, [TENANT, text]);
    throw new ConflictException(text);
  }
}

@Catch()
class Extended extends BaseExceptionFilter {}

const ERRORS: Record<string, () => Error> = {
  method: () => new OfMethod('one of mine'),
  controller: () => new OfController('one of mine'),
  application: () => new ConflictException('one of mine'),
  ...Object.fromEntries(Object.keys(WAYS).map((way) => [way, () => new InAWay(way)])),
};

async function refuse(tx: Transaction | undefined, { text, status }: Wish): Promise<never> {
  if (tx) await tx.run(INSERT, [TENANT, text]);
  const make = ERRORS[text.split('/')[0] ?? ''];
  throw make ? make() : new HttpException(`status ${status}`, status ?? 409);
}

@Controller('filtered')
@UseFilters(ControllerFilter, WaysFilter)
class Filtered {
  @Post('idempotent')
  @Idempotent()
  @UseFilters(MethodFilter)
  idempotent(@Tx() tx: Transaction, @Body() wish: Wish): Promise<never> {
    return refuse(tx, wish);
  }

  @Post('plain')
  @UseFilters(MethodFilter)
  plain(@Body() wish: Wish): Promise<never> {
    return refuse(undefined, wish);
  }
}

/** One error thrown behind the core and without it, for the filters of the controllers that inherit it. */
class Refusing {
  @Post('idempotent')
  @Idempotent()
  idempotent(@Tx() tx: Transaction, @Body() wish: Wish): Promise<never> {
    return refuse(tx, wish);
  }

  @Post('plain')
  plain(@Body() wish: Wish): Promise<never> {
    return refuse(undefined, wish);
  }
}

@Controller('per-request')
@UseFilters(RequestFilter)
class PerRequest extends Refusing {}

@Controller('extended')
@UseFilters(Extended)
class ExtendedFilter extends Refusing {}

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
});
afterAll(() => database.drop());

describe.each([
  ['Fastify', () => new FastifyAdapter()],
  ['Express', () => new ExpressAdapter()],
] as const)('a stored refusal of an application without a rule, on %s', (_, adapter) => {
  let app: TestApp;

  beforeAll(async () => {
    app = await startLiftedApp(database, {
      adapter: adapter(),
      controllers: [Filtered, PerRequest, ExtendedFilter],
      providers: [Words, { provide: APP_FILTER, useClass: ApplicationFilter }],
      application: { logger: false } satisfies NestApplicationOptions,
    });
  });
  afterAll(() => app.close());
  beforeEach(() => (asked = 0));

  const post = (path: string, wish: Wish, key?: string): Promise<TestResponse> =>
    app.send('POST', `/${path}`, { body: wish, key: key ?? null });
  const notes = (text: string) => countOf(database, 'notes', 'text = $1', [text]);

  it.each([
    ['filtered', 'method', 409],
    ['filtered', 'controller', 409],
    ['filtered', 'application', 409],
    ['filtered', 'text', 409],
    ['filtered', 'later', 409],
    ['filtered', 'raw', 409],
    ['filtered', 'a list of headers', 409],
    ['filtered', 'pieces', 418],
    ['filtered', 'nothing to say', 409],
    ['per-request', 'application', 409],
    ['extended', 'none', 409],
    ['extended', 'none', 422],
  ])('has the bytes that the filters of %s give an error (%s, %i), and they are asked once', async (path, way, status) => {
    const [key, wish] = [uuidv7(), { text: `${way}/${uuidv7()}`, status }];
    const plain = await post(`${path}/plain`, wish);
    const each = asked;
    asked = 0;
    const first = await post(`${path}/idempotent`, wish, key);
    const again = await post(`${path}/idempotent`, wish, key);

    expect(plain.status).toBe(status);
    expect([first.status, first.text, ofFilter(first)]).toEqual([plain.status, plain.text, ofFilter(plain)]);
    expect([again.status, again.text, ofFilter(again)]).toEqual([first.status, first.text, ofFilter(first)]);
    expect([first.headers.get('idempotent-replayed'), again.headers.get('idempotent-replayed')]).toEqual([null, 'true']);
    expect(asked).toBe(each);
    expect(first.headers.get('operation-id')).toMatch(/^op_/);
    expect(await notes(wish.text)).toBe(0);
  });

  it.each([400, 408, 425, 429, 500, 503])('is none where the moment decided: %i is not stored', async (status) => {
    const [key, wish] = [uuidv7(), { text: `none/${uuidv7()}`, status }];
    const first = await post('extended/idempotent', wish, key);
    expect([first.status, await recordsOf(database, key), await notes(wish.text)]).toEqual([status, [], 0]);
  });

  it.each([
    ['not its fault', 502],
    ['bytes', 500],
    ['thrown', 500],
  ])('nor is one stored that the filter makes no refusal of: %s', async (way, status) => {
    const [key, wish] = [uuidv7(), { text: `${way}/${uuidv7()}` }];
    const first = await post('filtered/idempotent', wish, key).catch(() => undefined);
    if (way !== 'thrown') expect(first?.status).toBe(status);
    expect([await recordsOf(database, key), await notes(wish.text)]).toEqual([[], 0]);
  });
});

it.each([true, false])(
  'a filter may use the database, in which the work is undone by then, with one connection for all (join: %s)',
  async (join) => {
    const app = await startLiftedApp(database, { controllers: [LooksUp], poolSize: 1, core: { join } });
    const [key, text] = [uuidv7(), uuidv7()];
    const answers = [1, 2].map(() => app.send('POST', '/looking-up/idempotent', { key, body: { text }, headers: { prefer: 'wait=5' } }));
    for (const answer of await Promise.all(answers)) expect([answer.status, answer.body]).toEqual([409, { alreadyThere: 0 }]);
    await app.close();
  },
);

/** What the filter decides of the headers; a length is told of each answer that is stored. */
function ofFilter({ headers }: TestResponse): (string | null)[] {
  return ['content-type', 'x-by', 'x-raw'].map((name) => headers.get(name));
}
