import { createServer, type AddressInfo } from 'node:net';
import { KEY_A, ORDER, send, type TestResponse } from '../support/app.js';
import { createMigratedDatabase, type TestDatabase } from '../support/database.js';
import { expectProblem } from '../support/problems.js';
import { startProcess, type ApiProcess } from '../support/process.js';
import { exchange, open } from '../support/raw-http.js';

const INTERNAL = ['/metrics', '/docs', '/docs/assets/swagger-ui.css', '/openapi.json', '/console', '/console/assets/console.js'];

let database: TestDatabase;
beforeAll(async () => {
  database = await createMigratedDatabase();
});
afterAll(() => database?.drop());

/** A port that nobody has at this moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const get = (url: string, path: string): Promise<TestResponse> => send(url, 'GET', path, { as: null });

describe('a replica with INTERNAL_PORT', () => {
  let api: ApiProcess;
  let internal: string;
  beforeAll(async () => {
    const port = await freePort();
    internal = `http://127.0.0.1:${port}`;
    api = await startProcess(database.url, { INTERNAL_PORT: String(port) });
  });
  afterAll(() => api.kill('SIGTERM'));

  it.each(INTERNAL)('%s: is there, and 404 on the public port', async (path) => {
    expect((await get(internal, path)).status).toBe(200);
    for (const method of ['GET', 'HEAD']) expect((await send(api.url, method, path)).status).toBe(404);
    const [hidden, unknown] = [await get(api.url, path), await get(api.url, '/nowhere')];
    expectProblem(hidden, 'not-found');
    // It looks like what never was.
    expect(hidden.body['detail']).toBe(unknown.body['detail']);
  });

  it('counts on the one port what came on the other', async () => {
    expect((await api.send('POST', '/v1/orders', { body: ORDER })).status).toBe(201);
    expect((await get(internal, '/metrics')).text).toMatch(
      /idempotency_requests_total\{operation="POST \/v1\/orders",outcome="executed".*\} 1\n/,
    );
  });

  it.each(['/health/live', '/health/ready', '/problems', '/problems/not-found'])('%s: is on both', async (path) => {
    expect([(await get(internal, path)).status, (await get(api.url, path)).status]).toEqual([200, 200]);
  });

  it('the policy of keys is for clients: on the public port, and on no other', async () => {
    const answer = await get(api.url, '/.well-known/idempotency');
    expect([answer.status, answer.body['header'].name]).toEqual([200, 'Idempotency-Key']);
    expectProblem(await get(internal, '/.well-known/idempotency'), 'not-found');
  });

  it('answers nothing of the API there', async () => {
    for (const [method, path] of [
      ['GET', '/v1/orders'],
      ['POST', '/v1/orders'],
      ['POST', '/v1/provider/webhooks'],
      ['GET', '/nowhere'],
    ] as const) {
      expectProblem(await send(internal, method, path, { as: KEY_A, ...(method === 'POST' && { body: ORDER }) }), 'not-found');
    }
  });

  it('guards that port as the other one', async () => {
    expect(await exchange(internal, Buffer.from('NONSENSE\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 [\s\S]*application\/problem\+json/);
    expect(await exchange(internal, Buffer.from('GET /metrics HTTP/1.1\r\nconnection: close\r\n\r\n'))).toMatch(/^HTTP\/1\.1 400 /);
  });
});

it('a replica with INTERNAL_PORT closes both ports in order, also when clients keep their connections', async () => {
  const port = await freePort();
  const internal = `http://127.0.0.1:${port}`;
  const api = await startProcess(database.url, { INTERNAL_PORT: String(port) });
  const sockets = [api.url, internal].map((url) => {
    const socket = open(url);
    socket.write('GET /health/live HTTP/1.1\r\nhost: test\r\n\r\n');
    return new Promise<void>((answered) => socket.once('data', () => answered()));
  });
  await Promise.all(sockets);
  // An end by force would be 1.
  expect(await api.kill('SIGTERM')).toBe(0);
  for (const url of [api.url, internal]) await expect(fetch(`${url}/health/live`)).rejects.toThrow('fetch failed');
});

it('a replica without it has all of them beside the API', async () => {
  const api = await startProcess(database.url);
  try {
    for (const path of INTERNAL) expect([path, (await get(api.url, path)).status]).toEqual([path, 200]);
  } finally {
    await api.kill('SIGTERM');
  }
});
