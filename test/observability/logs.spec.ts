import { createHash, randomUUID } from 'node:crypto';
import { publicId } from '../../src/kernel/ids.js';
import { Dispatcher } from '../../src/webhooks/dispatcher.js';
import { KEY_A, ORDER, atOnce, send, type TestResponse } from '../support/app.js';
import { item, sendBatch } from '../support/batches.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A } from '../support/ledger.js';
import { WEBHOOK_SECRET, startPaymentWorld, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { startProcess, type ApiProcess } from '../support/process.js';
import { Receiver, endpointAt, hurry } from '../webhooks/receiver.js';

type Line = Record<string, unknown>;

const SALT = 'a salt that nobody should see';
const CARD = '4242424242424242';
const ACCOUNT = publicId('acct', ACCOUNT_A);

let world: PaymentWorld;
let api: ApiProcess;
beforeAll(async () => {
  // The replica of the tests' own process, which writes no log, leaves the work to the other one.
  world = await startPaymentWorld({ IDEMPOTENCY_RECOVERY_INTERVAL: '1h' });
  await world.app.get(Dispatcher, { strict: false }).beforeApplicationShutdown();
  api = await startProcess(world.database.url, {
    ...world.env,
    LOG_LEVEL: 'trace',
    KEY_HASH_SALT: SALT,
    IDEMPOTENCY_RECOVERY_INTERVAL: '200ms',
    IDEMPOTENCY_PURGE_INTERVAL: '500ms',
  });
});
afterAll(async () => {
  await api.kill('SIGTERM');
  await world.close();
});

const lines = (): Line[] =>
  api
    .log()
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
const lineOf = (msg: string, has: Line): Promise<Line> =>
  eventually(`the line of a ${msg}`, () =>
    lines().find((line) => line['msg'] === msg && Object.entries(has).every(([member, value]) => line[member] === value)),
  );
const hashOf = (key: string): string => createHash('sha256').update(`${SALT}\0${ACCOUNT}\0${key}`).digest('hex').slice(0, 16);
const pay = (order: PlacedOrder, key: string, source = 'tok_visa'): Promise<TestResponse> => world.pay(order, source, { key, on: api });

it('one line tells of a request, in the same words as the metrics, and a recovery and a delivery have the same members', async () => {
  const receiver = await Receiver.start();
  await endpointAt(world, receiver.url, { types: ['payment.succeeded'] });
  const order = await world.placeOrder();
  const key = randomUUID();
  await world.faults({ dropAfter: 1 });
  const headers = { 'x-request-id': 'the-first', 'retry-attempt': '2', 'retry-reason': 'timeout' };
  const answer = await world.pay(order, 'tok_visa', { key: `"${key}"`, headers, on: api });
  expect(answer.status).toBe(202);
  const told = { accountId: ACCOUNT, keyHash: hashOf(key), operationId: answer.headers.get('operation-id') };
  expect(await lineOf('request', { requestId: 'the-first' })).toMatchObject({
    ...told,
    outcome: 'pending',
    attempt: 2,
    reason: 'timeout',
    method: 'POST',
    route: '/v1/payments',
    status: 202,
    ms: expect.any(Number),
  });
  await world.faults({});
  await lineOf('recovery', { ...told, step: 'payments.charge', outcome: 'completed' });
  await lineOf('delivery', { ...told, outcome: 'delivered', attempt: 1, status: 204 });
  await world.pay(order, 'tok_visa', { key, headers: { 'x-request-id': 'the-replay' }, on: api });
  expect(await lineOf('request', { requestId: 'the-replay' })).toMatchObject({ ...told, outcome: 'replayed', status: 201 });
  expect(lines().filter(({ requestId, msg }) => msg === 'request' && requestId === 'the-replay')).toHaveLength(1);
  await world.database.query('DELETE FROM webhook_endpoints');
  await receiver.close();
});

it('a request that takes no key, or is refused before it is looked at, has its line as well', async () => {
  const at = (requestId: string) => ({ headers: { 'x-request-id': requestId } });
  await api.send('GET', '/v1/orders', at('read'));
  await api.send('POST', '/v1/orders', { ...at('stranger'), as: null, body: ORDER });
  await api.send('POST', '/v1/orders', { ...at('keyless'), key: null, body: ORDER });
  expect((await lineOf('request', { requestId: 'read' }))['outcome']).toBe('answered');
  expect((await lineOf('request', { requestId: 'stranger' }))['outcome']).toBe('rejected');
  expect((await lineOf('request', { requestId: 'keyless' }))['outcome']).toBe('missing');
});

it('a start in production without a salt warns of it, and one with a salt does not', async () => {
  const production = { NODE_ENV: 'production', LOG_LEVEL: 'warn', PROVIDER: 'sandbox', DEMO_API_KEY: '', DEMO_API_KEY_B: '' };
  const warnings: boolean[] = [];
  for (const salt of ['', SALT]) {
    const replica = await startProcess(world.database.url, { ...world.env, ...production, KEY_HASH_SALT: salt });
    await replica.kill('SIGTERM');
    warnings.push(replica.log().some((line) => line.includes('"msg":"KEY_HASH_SALT is empty')));
  }
  expect(warnings).toEqual([true, false]);
});

it('no secret, card number or idempotency key is ever written, at the lowest level and in a storm', async () => {
  const canary = (): string => `canary-${randomUUID()}`;
  const receiver = await Receiver.start();
  receiver.answer = () => [204, 500, 410][Math.floor(Math.random() * 3)] ?? 204;
  const endpoint = await endpointAt(api, receiver.url);
  await endpointAt(api, 'http://127.0.0.1:1/nobody');
  const { body: secret } = await api.send('GET', `/v1/webhook-endpoints/${endpoint}/secret`);
  await world.faults({ dropBefore: 0.2, dropAfter: 0.2, error500: 0.2 });
  const stranger = KEY_A.replace(/[^_]+$/, 'canary-secret-of-a-stranger');
  await atOnce(12, async () => {
    const [key, batched] = [canary(), canary()];
    const order = await world.placeOrder();
    await atOnce(3, () => api.send('POST', '/v1/orders', { key, body: ORDER }));
    await api.send('POST', '/v1/orders', { key, body: { items: [], metadata: { note: canary() } } });
    await api.send('POST', '/v1/orders', { key: canary(), body: `{"broken": "${canary()}` });
    await api.send('POST', '/v1/orders', { key: `${canary()} twice`, body: ORDER });
    await sendBatch(api, [item('123', batched), item('123', batched), item('nothing', canary())], { key: canary() });
    await pay(order, canary(), CARD);
    await atOnce(3, () => pay(order, key.replace('canary', 'canary-pay')));
    await api.send('GET', `/v1/operations?idempotencyKey=${key}`);
    await api.send('POST', '/v1/operations/seal', { key: null, body: { idempotencyKey: canary() } });
    await api.send('POST', '/v1/tickets', { key: canary(), body: { subject: CARD, description: CARD } });
    await api.send('POST', '/v1/orders', { key: canary(), as: stranger, body: ORDER });
    await api.send('POST', '/v1/provider/webhooks', {
      key: null,
      as: null,
      body: { canary: canary() },
      headers: { 'webhook-signature': canary() },
    });
    await api.send('POST', `/v1/nowhere/${canary()}?key=${canary()}`, { key: canary(), body: ORDER });
    await hurry(world.database);
  });
  // Errors of the database, with the connections in use.
  const orders = atOnce(20, () => api.send('POST', '/v1/orders', { key: canary(), body: ORDER }));
  await world.database.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  await orders;
  await eventually('a delivery and a recovery', () =>
    ['delivery', 'recovery', 'request'].every((msg) => lines().some((line) => line['msg'] === msg)),
  );
  await send(api.url, 'GET', '/health/ready', { as: null });
  await api.kill('SIGTERM');
  const written = api.written();
  expect(lines().filter(({ level }) => Number(level) < 30).length).toBeGreaterThan(0);
  const secrets = [KEY_A.split('_')[3], WEBHOOK_SECRET, String(secret['secret']), SALT, CARD, 'canary'];
  expect(secrets.filter((text) => text === undefined || text.length < 6 || written.includes(text))).toEqual([]);
  await receiver.close();
});
