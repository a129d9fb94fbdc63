import { v7 as uuidv7 } from 'uuid';
import { PROBLEMS, type ProblemCode } from '../../src/http/problem-table.js';
import { prefersJson } from '../../src/problems/accept.js';
import { ORDER, startWorld, type TestResponse } from '../support/app.js';

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const read = (path: string, accept: string): Promise<TestResponse> => world.send('GET', path, { as: null, headers: { accept } });

it('explains every problem to people, with a policy that allows nothing but its own style', async () => {
  for (const [code, { title, status }] of Object.entries(PROBLEMS)) {
    const page = await read(`/problems/${code}`, 'text/html,application/xhtml+xml,*/*;q=0.8');
    expect({ code, status: page.status }).toEqual({ code, status: 200 });
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.text).toContain(`<h1>${title}</h1>`);
    expect(page.text).toContain(`HTTP status ${status}`);
    expect(page.text).not.toMatch(/`|undefined/);
  }
});

it('explains every problem to programs', async () => {
  for (const [code, entry] of Object.entries(PROBLEMS)) {
    const { status, body } = await read(`/problems/${code}`, 'application/json');
    expect(status).toBe(200);
    expect(body).toEqual({ ...entry, code, type: `/problems/${code}`, retryMeaning: expect.stringMatching(/./) });
  }
});

it('lists them all, by status', async () => {
  const { body } = await read('/problems', 'application/json');
  const listed = (body['data'] as { code: string; status: number }[]).map(({ code, status }) => ({ code, status }));
  expect(listed.map(({ code }) => code).sort()).toEqual(Object.keys(PROBLEMS).sort());
  expect(listed.map(({ status }) => status)).toEqual(listed.map(({ status }) => status).sort());
  const page = await read('/problems', 'text/html');
  for (const code of Object.keys(PROBLEMS)) expect(page.text).toContain(`href="/problems/${code}"`);
});

it.each(['nothing-like-this', 'constructor', '<script>'])('has no page for %s', async (code) => {
  const answer = await read(`/problems/${encodeURIComponent(code)}`, 'text/html');
  expect(answer.status).toBe(404);
  expect(answer.body).toMatchObject({ code: 'not-found', type: '/problems/not-found' });
});

it('is where the type of real errors leads', async () => {
  const key = uuidv7();
  await world.send('POST', '/v1/orders', { key, body: ORDER });
  const met = new Map<ProblemCode, TestResponse>();
  for (const [code, answer] of [
    ['unauthenticated', await world.send('GET', '/v1/orders', { as: null })],
    ['not-found', await world.send('GET', '/nowhere')],
    ['invalid-request', await world.send('POST', '/v1/orders', { body: {} })],
    ['malformed-json', await world.send('POST', '/v1/orders', { body: '{' })],
    ['idempotency-key-missing', await world.send('POST', '/v1/orders', { key: null, body: ORDER })],
    ['idempotency-key-invalid', await world.send('POST', '/v1/orders', { key: 'a b', body: ORDER })],
    ['idempotency-key-reused', await world.send('POST', '/v1/tickets', { key, body: {} })],
    ['unknown-product', await world.send('POST', '/v1/orders', { body: { items: [{ productId: '999', quantity: 1 }] } })],
    ['precondition-required', await world.send('PATCH', '/v1/orders/ord_00000000000000000000000000', { body: {} })],
  ] as const) {
    met.set(code, answer);
  }
  for (const [code, answer] of met) {
    expect(answer.body['code']).toBe(code);
    const page = await read(new URL(answer.body['type'], world.url).pathname, 'text/html');
    expect({ code, status: page.status, titled: page.text.includes(answer.body['title']) }).toEqual({ code, status: 200, titled: true });
  }
});

it.each([
  [undefined, false],
  ['*/*', false],
  ['text/html', false],
  ['application/json', true],
  ['application/*', true],
  ['application/json, text/html', false],
  ['application/json;q=0.9, text/html;q=0.8', true],
  ['text/html;q=0.5, */*', true],
  ['text/html, application/json;q=0.9', false],
  ['application/json;q=nonsense, text/html;q=0.1', false],
  ['image/png', false],
])('Accept: %s prefers JSON: %s', (accept, expected) => {
  expect(prefersJson(accept)).toBe(expected);
});
