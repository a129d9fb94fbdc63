import { Controller, Post, type Type } from '@nestjs/common';
import { NeedsScope } from '../../src/accounts/access.guard.js';
import { createHttpApp } from '../../src/app.js';
import { AppModule } from '../../src/app.module.js';
import { NOTICE_MS, deprecationHeaders, type Deprecation } from '../../src/http/deprecation.js';
import { Idempotent, reply, type Reply } from '../../src/idempotency/index.js';
import { Api } from '../../src/openapi/api.decorator.js';
import { serveDocs } from '../../src/openapi/openapi.module.js';
import { read } from '../docs/markdown.js';
import { startApp, type TestApp, type TestResponse } from '../support/app.js';
import { createMigratedDatabase, type TestDatabase } from '../support/database.js';
import { readDescription } from '../support/openapi.js';

const RELATED = '</v1/orders>; rel="related"';
const DEPRECATION: Deprecation = { since: '2026-01-01', sunset: '2027-01-31', guide: 'https://docs.example/letters' };
const HEADERS = {
  deprecation: '@1767225600',
  sunset: 'Sun, 31 Jan 2027 00:00:00 GMT',
  link: '<https://docs.example/letters>; rel="deprecation", <https://docs.example/letters>; rel="sunset"',
};
const NONE = { deprecation: null, sunset: null, link: null };

/** A route as one release has it, and as a later one does that is about to drop it. */
function lettersOf(deprecation: Deprecation | undefined): Type {
  @Controller('v1/letters')
  class LettersController {
    @Post()
    @NeedsScope('tickets:write')
    @Idempotent()
    @Api({
      id: 'writeLetter',
      summary: 'Write a letter',
      description: 'Writes a letter.',
      effects: 'one letter',
      answers: [{ status: 201, description: 'It is written.' }],
      ...(deprecation && { deprecation }),
    })
    write(): Reply {
      return reply(201, { at: new Date() }, { location: '/v1/letters/1', link: RELATED });
    }
  }
  return LettersController;
}

let database: TestDatabase;
let before: TestApp;
let after: TestApp;
beforeAll(async () => {
  database = await createMigratedDatabase();
  const start = (deprecation?: Deprecation): Promise<TestApp> =>
    startApp(database, {}, async (config) => {
      const app = await createHttpApp({ ...AppModule.with(config), controllers: [lettersOf(deprecation)] }, config);
      serveDocs(app);
      return app;
    });
  [before, after] = await Promise.all([start(), start(DEPRECATION)]);
});
afterAll(async () => {
  await Promise.all([before.close(), after.close()]);
  await database.drop();
});

const told = ({ headers }: TestResponse) => ({
  deprecation: headers.get('deprecation'),
  sunset: headers.get('sunset'),
  link: headers.get('link'),
});

describe('a deprecated route', () => {
  it('says so on a replay of what was stored before, and stores nothing of it', async () => {
    const key = 'letter-1';
    const first = await before.send('POST', '/v1/letters', { key });
    const replayed = await after.send('POST', '/v1/letters', { key });
    const again = await before.send('POST', '/v1/letters', { key });
    expect([first.status, replayed.status, replayed.text, replayed.headers.get('idempotent-replayed')]).toEqual([
      201,
      201,
      first.text,
      'true',
    ]);
    expect([first, replayed, again].map(told)).toEqual([
      { ...NONE, link: RELATED },
      { ...HEADERS, link: `${RELATED}, ${HEADERS.link}` },
      { ...NONE, link: RELATED },
    ]);
    await after.send('POST', '/v1/letters', { key: 'letter-2' });
    const records = await database.query<{ headers: object }>('SELECT response_headers AS headers FROM idempotency_records ORDER BY key');
    expect(records.map(({ headers }) => Object.keys(headers).sort())).toEqual(
      Array.from({ length: 2 }, () => ['content-type', 'link', 'location', 'operation-id']),
    );
    const second = await before.send('POST', '/v1/letters', { key: 'letter-2' });
    expect([second.headers.get('idempotent-replayed'), told(second)]).toEqual(['true', { ...NONE, link: RELATED }]);
  });

  it('says so when it refuses, and no other route does', async () => {
    const refusals = [await after.send('POST', '/v1/letters', { as: null }), await after.send('POST', '/v1/letters', { key: null })];
    expect(refusals.map((answer) => [answer.status, told(answer)])).toEqual([
      [401, HEADERS],
      [400, HEADERS],
    ]);
    for (const path of ['/v1/orders', '/v1/letters/1', '/v1/orders/%', '/health/live'])
      expect(told(await after.send('GET', path))).toEqual(NONE);
  });

  it('is deprecated in the document and in the policy, with the values of the headers', async () => {
    const api = await readDescription(after);
    const letters = api.operation('writeLetter').operation;
    expect(letters).toMatchObject({
      deprecated: true,
      'x-deprecation': DEPRECATION,
      description: expect.stringContaining(DEPRECATION.guide),
    });
    for (const { headers } of Object.values<Record<string, any>>(letters['responses'])) {
      const { Deprecation: since, Sunset: sunset, Link: link } = headers;
      expect([since.example, sunset.example, link.example]).toEqual(Object.values(HEADERS));
    }
    const { body } = await after.send('GET', '/.well-known/idempotency', { as: null });
    const going = body['operations'].filter((each: { deprecation: unknown }) => each.deprecation !== null);
    expect(going).toEqual([expect.objectContaining({ operationId: 'writeLetter', required: true, deprecation: DEPRECATION })]);
    expect(api.operations.filter(({ operation: { deprecated } }) => deprecated).map(({ id }) => id)).toEqual(['writeLetter']);
  });
});

describe('a declaration', () => {
  it('gives the notice that the contract promises', () => {
    expect(read('docs/contract.md')).toContain(`${NOTICE_MS / 86_400_000} days`);
    const { guide } = DEPRECATION;
    expect(() => deprecationHeaders({ since: '2026-01-01', sunset: '2026-12-31T23:59:59Z', guide })).toThrow('too soon');
    expect(deprecationHeaders({ since: '2026-01-01T12:00:00Z', sunset: '2027-01-01T12:00:00Z', guide })).toMatchObject({
      deprecation: '@1767268800',
      sunset: 'Fri, 01 Jan 2027 12:00:00 GMT',
    });
  });

  it('has real times, and no sunset where none is settled', () => {
    const { guide } = DEPRECATION;
    expect(deprecationHeaders({ since: '2026-01-01', guide })).toEqual({
      deprecation: HEADERS.deprecation,
      link: `<${guide}>; rel="deprecation"`,
    });
    for (const since of ['soon', '2026-13-01', '2026-01-01T00:00:00.500Z', '2026-01-01T00:00:00+01:00']) {
      expect(() => deprecationHeaders({ since, guide })).toThrow(since);
    }
  });
});
