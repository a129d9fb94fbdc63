import { requireService, send } from './client.js';

beforeAll(requireService);

it('lives, and is ready for requests', async () => {
  for (const path of ['/health/live', '/health/ready']) {
    const { status, body } = await send('GET', path, { as: null });
    expect([path, status, body['status']]).toEqual([path, 200, 'ok']);
  }
});

it('gives every answer a request id, the client’s own where it is sane', async () => {
  const given = await send('GET', '/health/live', { as: null, headers: { 'x-request-id': 'e2e-1' } });
  expect(given.headers.get('x-request-id')).toBe('e2e-1');
  const made = await send('GET', '/health/live', { as: null, headers: { 'x-request-id': '{not sane}' } });
  expect(made.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._:-]{1,128}$/);
});

it('shows its documentation', async () => {
  const docs = await send('GET', '/docs', { as: null });
  expect([docs.status, docs.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^text\/html/)]);
  const { status, body } = await send('GET', '/openapi.json', { as: null });
  expect(status).toBe(200);
  expect(body['openapi']).toMatch(/^3\./);
  const { responses, ...place } = body['paths']['/v1/orders'].post;
  expect(Object.keys(responses)).toContain('201');
  expect(place['x-idempotency']).toMatchObject({ required: true });
});

it('answers what it does not know with a problem, whose type leads to a page that explains it', async () => {
  const unknown = await send('GET', '/v1/nowhere');
  expect(unknown.status).toBe(404);
  expect(unknown.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect(unknown.body).toMatchObject({ status: 404, code: 'not-found', retry: 'never', requestId: unknown.headers.get('x-request-id') });
  expect(unknown.text).not.toMatch(/stack|node_modules|SELECT/);
  const page = await send('GET', new URL(unknown.body['type'], 'http://any').pathname, { as: null });
  expect(page.status).toBe(200);
  expect(page.text).toContain('not-found');
});

it('lets nobody in without a valid API key', async () => {
  for (const as of [null, 'nonsense', `hf_test_${'z'.repeat(26)}_0123456789abcdef`]) {
    const { status, headers, body } = await send('POST', '/v1/orders', { as, body: {} });
    expect([status, body['code']]).toEqual([401, 'unauthenticated']);
    expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
  }
});
