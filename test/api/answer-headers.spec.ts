import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { v7 as uuidv7 } from 'uuid';
import { ORDER, startApp, startWorld, type TestResponse, type World } from '../support/app.js';
import { exchange } from '../support/raw-http.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** What the answer says to caches and about its media type. */
const headersOf = ({ headers }: Pick<TestResponse, 'headers'>) => [headers.get('cache-control'), headers.get('x-content-type-options')];
/** All of it: a further source is a hole. */
const CONSOLE_POLICY = [
  "base-uri 'none'",
  "connect-src 'self'",
  "default-src 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self'",
  "require-trusted-types-for 'script'",
  "script-src 'self'",
  "style-src 'self'",
  "trusted-types 'none'",
];
const PRIVATE = ['no-store', 'nosniff'];

describe('no cache keeps, and nobody guesses the type of', () => {
  it('first answers, replays and refusals', async () => {
    const key = uuidv7();
    const placed = await world.send('POST', '/v1/orders', { key, body: ORDER });
    const replayed = await world.send('POST', '/v1/orders', { key, body: ORDER });
    expect([placed.status, replayed.headers.get('idempotent-replayed'), replayed.text]).toEqual([201, 'true', placed.text]);
    expect([headersOf(placed), headersOf(replayed)]).toEqual([PRIVATE, PRIVATE]);
    const reused = { key, body: { items: [] } };
    const refusals: [number, Promise<TestResponse>][] = [
      [401, world.send('GET', '/v1/orders', { as: null })],
      [404, world.send('GET', '/v1/nowhere')],
      [404, world.send('GET', `/v1/orders/${uuidv7()}`)],
      [400, world.send('POST', '/v1/orders', { body: '{' })],
      [400, world.send('GET', '/v1/orders/%')],
      [422, world.send('POST', '/v1/orders', { ...reused, body: { items: [{ productId: '123', quantity: 2 }] } })],
      [422, world.send('POST', '/v1/orders', { body: { items: [{ productId: 'nothing', quantity: 1 }] } })],
    ];
    for (const [status, answer] of refusals) expect([status, headersOf(await answer)]).toEqual([(await answer).status, PRIVATE]);
    // They are no part of what is stored.
    const [record] = await world.database.query('SELECT response_headers FROM idempotency_records WHERE key = $1', [key]);
    expect(JSON.stringify(record)).not.toMatch(/cache-control|nosniff/i);
  });

  it('reads, also those that are conditional', async () => {
    const { headers } = await world.send('POST', '/v1/orders', { body: ORDER });
    const path = headers.get('location') ?? '';
    const shown = await world.send('GET', path);
    const same = await world.send('GET', path, { headers: { 'if-none-match': shown.headers.get('etag') ?? '' } });
    expect([shown.status, same.status, same.headers.get('etag')]).toEqual([200, 304, shown.headers.get('etag')]);
    for (const answer of [shown, same, await world.send('GET', '/v1/products/123')]) expect(headersOf(answer)).toEqual(PRIVATE);
  });

  it('health, metrics, pages and the description', async () => {
    for (const path of ['/health/live', '/health/ready', '/metrics', '/problems', '/problems/not-found', '/docs', '/openapi.json']) {
      expect([path, headersOf(await world.send('GET', path, { as: null }))]).toEqual([path, PRIVATE]);
    }
  });

  it('answers to what is no request at all', async () => {
    const answer = await exchange(world.url, Buffer.from('NONSENSE\r\n\r\n'));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n/);
  });
});

it('a browser keeps the files of the docs page and asks whether they have changed', async () => {
  const file = await world.send('GET', '/docs/assets/swagger-ui.css', { as: null });
  expect([file.status, ...headersOf(file)]).toEqual([200, 'public, max-age=0', 'nosniff']);
  // fetch would add no-cache to it.
  const headers = { 'if-none-match': file.headers.get('etag') ?? '', 'cache-control': 'max-age=0' };
  expect((await world.send('GET', '/docs/assets/swagger-ui.css', { as: null, headers })).status).toBe(304);
});

it('the console runs no script but its own files, talks to its own server alone, and stands in no frame', async () => {
  const { headers } = await world.send('GET', '/console', { as: null });
  const policy = (headers.get('content-security-policy') ?? '').split(';').map((directive) => directive.trim());
  expect(policy.toSorted()).toEqual(CONSOLE_POLICY);
});

describe('the docs page', () => {
  const script = pathToFileURL(join(__dirname, '../../dist/src/openapi/browser/start.js'));

  /** What the page's script tells Swagger UI, and what it takes out of the browser's storage. */
  function startOf(html: string): { persistAuthorization: boolean; removed: string[] } {
    const [, rememberKey] = /<div id="swagger-ui" data-remember-key="(\w+)">/.exec(html) ?? [];
    const program = `
      const removed = [];
      globalThis.localStorage = { removeItem: (name) => removed.push(name) };
      globalThis.document = { getElementById: () => ({ dataset: { rememberKey: ${JSON.stringify(rememberKey)} } }) };
      globalThis.SwaggerUIBundle = ({ persistAuthorization }) => console.log(JSON.stringify({ persistAuthorization, removed }));
      await import(${JSON.stringify(script.href)});`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    return JSON.parse(printed) as ReturnType<typeof startOf>;
  }

  it('keeps the API key beyond a reload, but not in production', async () => {
    const page = await world.send('GET', '/docs', { as: null });
    expect(startOf(page.text)).toEqual({ persistAuthorization: true, removed: [] });
    const live = await startApp(world.database, { NODE_ENV: 'production', PROVIDER: 'sandbox', DEMO_API_KEY: '', DEMO_API_KEY_B: '' });
    try {
      const { text } = await live.send('GET', '/docs', { as: null });
      expect(startOf(text)).toEqual({ persistAuthorization: false, removed: ['authorized'] });
    } finally {
      await live.close();
    }
  });
});
