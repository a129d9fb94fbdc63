import { PROBLEMS } from '../../src/http/problem-table.js';
import { startWorld, type World } from '../support/app.js';
import { readDescription, type ApiDescription } from '../support/openapi.js';

let world: World;
let api: ApiDescription;
let policy: Record<string, any>;
beforeAll(async () => {
  world = await startWorld();
  api = await readDescription(world);
  const answer = await world.send('GET', '/.well-known/idempotency', { as: null });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
  policy = answer.body;
});
afterAll(() => world.close());

describe('the policy of keys', () => {
  it('says of each operation what openapi.json says of it', () => {
    const described = api.operations.map(({ method, path, id, operation }) => ({
      method: method.toUpperCase(),
      path,
      operationId: id,
      deprecation: null,
      ...operation['x-idempotency'],
    }));
    const byId = (one: { operationId: string }, other: { operationId: string }): number => (one.operationId < other.operationId ? -1 : 1);
    expect([...policy['operations']].sort(byId)).toEqual(described.sort((one, other) => byId(one, other)));
    expect(policy['operations'].length).toBeGreaterThan(30);
  });

  it('has the verdict of each problem', () => {
    expect(policy['verdicts']).toEqual(Object.fromEntries(Object.entries(PROBLEMS).map(([code, { retry }]) => [code, retry])));
  });

  it('names the header, what may stand in it, and the methods that need it', async () => {
    expect(policy['header']).toMatchObject({ name: 'Idempotency-Key', maxLength: 255 });
    const pattern = new RegExp(policy['header'].pattern, 'u');
    expect(['abc', '"abc"', 'x'.repeat(255), '', 'a b', 'x'.repeat(256)].map((key) => pattern.test(key))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(policy['methods']).toEqual(['PATCH', 'POST']);
    expect(policy['methods']).toEqual([...new Set(api.keyed.map(({ method }) => method.toUpperCase()))].sort());
  });

  it('says what is stored, how long, and what is looked for beside the key', () => {
    const byId = (id: string): unknown => policy['operations'].find((each: { operationId: string }) => each.operationId === id);
    expect(byId('createPayment')).toMatchObject({
      required: true,
      window: '24h',
      stored: [201, 'payment-declined', 'not-found', 'order-not-payable', 'deadline-passed', 'possible-duplicate', 'amount-mismatch'],
      duplicateWindow: '2m',
      lateRequests: 'refuse',
    });
    expect(byId('placeOrder')).toMatchObject({ required: true, duplicateWindow: null });
    expect(byId('getOrder')).toMatchObject({ required: false, window: null, stored: null, duplicateWindow: null, lateRequests: null });
  });

  it('has the configured window and rule for late requests', async () => {
    const other = await world.secondApp({ IDEMPOTENCY_WINDOW: '90m', IDEMPOTENCY_LATE_REQUESTS: 'execute' });
    const { body } = await other.send('GET', '/.well-known/idempotency', { as: null });
    for (const { required, window, lateRequests } of body['operations']) {
      expect([window, lateRequests]).toEqual(required ? ['90m', 'execute'] : [null, null]);
    }
  });
});
