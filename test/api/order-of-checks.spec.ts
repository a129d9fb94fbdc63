import { v7 as uuidv7 } from 'uuid';
import type { Scope } from '../../src/accounts/api-key.js';
import { publicOperationId } from '../../src/idempotency/index.js';
import { addApiKey } from '../support/api-keys.js';
import { KEY_A, ORDER, startWorld } from '../support/app.js';
import { countOf, insertRecord, recordsOf } from '../support/ledger.js';
import { expectProblem, type ContractCode } from '../support/problems.js';

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const keyWith = (scopes: Scope[]): Promise<string> => addApiKey(world.database, scopes);

const BROKEN = '{"items":';
const UNKNOWN_KEY = `hf_test_${'z'.repeat(26)}_not-the-secret`;

describe('checks come in this order', () => {
  it('route, before authentication', async () => {
    expectProblem(await world.send('POST', '/v1/nowhere', { as: null, key: null, body: BROKEN }), 'not-found');
  });

  it('authentication, before scope, body and key', async () => {
    for (const as of [null, 'garbage', UNKNOWN_KEY]) {
      const answer = await world.send('POST', '/v1/orders', { as, key: '"', body: BROKEN });
      expectProblem(answer, 'unauthenticated');
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
  });

  it.each([';;;', 'json', '/', 'application/', ';charset=utf-8', 'application/json/x', 'a b/c'])(
    'route, authentication and scope, before a media type that is none: %j',
    async (type) => {
      const headers = { 'content-type': type };
      const ask = (path: string, as: string | null) => world.send('POST', path, { as, headers, body: JSON.stringify(ORDER) });
      expectProblem(await ask('/v1/nowhere', null), 'not-found');
      for (const as of [null, UNKNOWN_KEY]) expectProblem(await ask('/v1/orders', as), 'unauthenticated');
      expectProblem(await ask('/v1/orders', await keyWith(['orders:read'])), 'insufficient-scope');
      expectProblem(await ask('/v1/orders', KEY_A), 'unsupported-media-type');
    },
  );

  it('scope, before body and key', async () => {
    const as = await keyWith(['orders:read', 'tickets:write']);
    expectProblem(await world.send('POST', '/v1/orders', { as, key: '"', body: BROKEN }), 'insufficient-scope');
  });

  it('key, before body and validation', async () => {
    for (const body of [BROKEN, { items: [] }]) {
      expectProblem(await world.send('POST', '/v1/orders', { key: null, body }), 'idempotency-key-missing');
      expectProblem(await world.send('POST', '/v1/orders', { key: '"', body }), 'idempotency-key-invalid');
    }
  });

  it('known key, before validation: what was stored is replayed, whatever the rules have become', async () => {
    const key = uuidv7();
    const request = { items: [{ productId: '123', quantity: 1_000_000, colour: 'red' }] };
    const operationId = await insertRecord(world.database, {
      key,
      request,
      body: '{"made":"under other rules"}',
      headers: { location: '/old' },
    });
    const answer = await world.send('POST', '/v1/orders', { key, body: request });
    expect(answer.status).toBe(201);
    expect(answer.text).toBe('{"made":"under other rules"}');
    expect(answer.headers.get('location')).toBe('/old');
    expect(answer.headers.get('idempotent-replayed')).toBe('true');
    expectProblem(await world.send('POST', '/v1/orders', { key, body: { items: [] } }), 'idempotency-key-reused');
    expect((await recordsOf(world.database, key)).map((record) => publicOperationId(record.operation_id))).toEqual([
      publicOperationId(operationId),
    ]);
  });

  it.each<[string, Parameters<typeof world.send>[2]]>([
    ['cut off', { body: BROKEN }],
    ['with a member named twice', { body: '{"items":[{"productId":"123","quantity":1,"quantity":2}]}' }],
    ['too wide', { body: `{"items":[${'0,'.repeat(1_000)}0]}` }],
    ['with NUL', { body: '{"items":"\\u0000"}' }],
    ['of another type', { body: JSON.stringify(ORDER), headers: { 'content-type': 'text/plain' } }],
    ['that is too large', { body: JSON.stringify({ customerReference: 'x'.repeat(1024 * 1024) }) }],
  ])('known key, before a damaged body: one %s is another request than the first', async (_name, damaged) => {
    const key = uuidv7();
    const first = await world.send('POST', '/v1/orders', { key, body: ORDER });
    const answer = await world.send('POST', '/v1/orders', { key, ...damaged });
    expectProblem(answer, 'idempotency-key-reused');
    expect(answer.body['operationId']).toBe(first.headers.get('operation-id'));
    expect((await world.send('POST', '/v1/orders', { key, body: ORDER })).text).toBe(first.text);
  });

  it('known key, before doubled members: what an earlier rule let in is replayed, by its last members', async () => {
    const key = uuidv7();
    const request = { items: [{ productId: '123', quantity: 2 }] };
    await insertRecord(world.database, { key, request, body: '{"made":"before"}' });
    const doubled = '{"items":[],"items":[{"productId":"123","quantity":1,"\\u0071uantity":2}]}';
    expect((await world.send('POST', '/v1/orders', { key, body: doubled })).text).toBe('{"made":"before"}');
    expectProblem(await world.send('POST', '/v1/orders', { body: doubled }), 'malformed-json');
  });

  it('known key, before If-Match: a stored answer is replayed to a request that would get 428 now', async () => {
    const key = uuidv7();
    const url = '/v1/orders/ord_00000000000000000000000000';
    await insertRecord(world.database, { key, method: 'PATCH', url, request: {}, status: 200, body: '{"changed":true}' });
    expect((await world.send('PATCH', url, { key, body: {} })).text).toBe('{"changed":true}');
  });

  it('validation, before execution: the first wrong member is named by a JSON pointer', async () => {
    const body = {
      items: [
        { productId: '123', quantity: 0 },
        { productId: 'a b', quantity: 1, 'x/y~z': 1 },
      ],
      currency: 'eur',
    };
    const answer = await world.send('POST', '/v1/orders', { body });
    expectProblem(answer, 'invalid-request');
    const pointers = (answer.body['errors'] as { pointer: string }[]).map((error) => error.pointer);
    expect(pointers.sort()).toEqual(['/currency', '/items/0/quantity', '/items/1/productId', '/items/1/x~1y~0z']);
  });
});

describe('an API key that may not do this learns nothing from a replay', () => {
  const withWrongSecret = async (): Promise<string> => `${(await keyWith(['admin'])).slice(0, -1)}_`;

  it.each<[string, () => Promise<string>, ContractCode]>([
    ['revoked', () => addApiKey(world.database, ['admin'], 'revoked'), 'unauthenticated'],
    ['expired', () => addApiKey(world.database, ['admin'], 'expired'), 'unauthenticated'],
    ['of the wrong scope', () => keyWith(['orders:read', 'tickets:write', 'payments:write']), 'insufficient-scope'],
    ['with a wrong secret', withWrongSecret, 'unauthenticated'],
  ])('%s', async (_name, makeApiKey, code) => {
    const key = uuidv7();
    const stored = await world.send('POST', '/v1/orders', { key, body: ORDER });
    const answer = await world.send('POST', '/v1/orders', { key, as: await makeApiKey(), body: ORDER });
    expectProblem(answer, code);
    for (const header of ['operation-id', 'idempotent-replayed', 'idempotency-expires', 'location'])
      expect(answer.headers.has(header)).toBe(false);
    expect(answer.text).not.toContain(String(stored.body['id']));
  });

  it('any key of the account with the scope gets the replay: rotation never breaks a retry', async () => {
    const key = uuidv7();
    const first = await world.send('POST', '/v1/orders', { key, body: ORDER });
    for (const scope of ['orders:write', 'admin'] as const) {
      const again = await world.send('POST', '/v1/orders', { key, as: await keyWith([scope]), body: ORDER });
      expect(again.text).toBe(first.text);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
    }
  });
});

describe('what is refused before execution stores nothing and leaves the key unused', () => {
  it.each<[string, Parameters<typeof world.send>[2] & { status: number }]>([
    ['400 malformed JSON', { status: 400, body: BROKEN }],
    ['400 validation', { status: 400, body: { items: [] } }],
    ['401', { status: 401, as: UNKNOWN_KEY, body: ORDER }],
    ['413', { status: 413, body: JSON.stringify({ customerReference: 'x'.repeat(1024 * 1024) }) }],
    ['415', { status: 415, body: 'a=b', headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
  ])('%s', async (_name, { status, ...request }) => {
    const key = uuidv7();
    const refused = await world.send('POST', '/v1/orders', { key, ...request });
    expect(refused.status).toBe(status);
    expect(refused.headers.has('operation-id')).toBe(false);
    expect(refused.headers.has('idempotency-expires')).toBe(false);
    expect(await recordsOf(world.database, key)).toEqual([]);
    const corrected = await world.send('POST', '/v1/orders', { key, body: ORDER });
    expect(corrected.status).toBe(201);
    expect(corrected.headers.has('idempotent-replayed')).toBe(false);
  });

  it('403 of a key without the scope', async () => {
    const key = uuidv7();
    expectProblem(await world.send('POST', '/v1/orders', { key, as: await keyWith(['orders:read']), body: ORDER }), 'insufficient-scope');
    expect((await world.send('POST', '/v1/orders', { key, body: ORDER })).status).toBe(201);
  });

  it('404 of a route', async () => {
    const key = uuidv7();
    expectProblem(await world.send('POST', '/v1/order', { key, body: ORDER }), 'not-found');
    expectProblem(await world.send('DELETE', '/v1/orders', { key }), 'not-found');
    expect(await countOf(world.database, 'idempotency_records', 'key = $1', [key])).toBe(0);
    expect((await world.send('POST', '/v1/orders', { key, body: ORDER })).status).toBe(201);
  });

  it('428, and the same key then makes the change with If-Match', async () => {
    const { body: order } = await world.send('POST', '/v1/orders', { body: ORDER });
    const key = uuidv7();
    const path = `/v1/orders/${String(order['id'])}`;
    expectProblem(await world.send('PATCH', path, { key, body: { customerReference: 'x' } }), 'precondition-required');
    expect(await recordsOf(world.database, key)).toEqual([]);
    const changed = await world.send('PATCH', path, { key, headers: { 'if-match': '"1"' }, body: { customerReference: 'x' } });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).toBe('"2"');
  });
});

describe('X-Request-Id', () => {
  it('is taken from the request when it is a sane token', async () => {
    for (const id of ['abc-123', 'A.b_c:d', 'x'.repeat(128)]) {
      const answer = await world.send('GET', '/v1/nowhere', { headers: { 'x-request-id': id } });
      expect(answer.headers.get('x-request-id')).toBe(id);
      expect(answer.body['requestId']).toBe(id);
    }
  });

  it('is made when there is none or a strange one', async () => {
    for (const id of [undefined, 'a b', '<script>', 'x'.repeat(129)]) {
      const answer = await world.send('GET', '/v1/orders', id === undefined ? {} : { headers: { 'x-request-id': id } });
      expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('is on every answer: first, replay, refusal, unknown route, health', async () => {
    const key = uuidv7();
    const answers = [
      await world.send('POST', '/v1/orders', { key, body: ORDER }),
      await world.send('POST', '/v1/orders', { key, body: ORDER }),
      await world.send('POST', '/v1/orders', { key, body: {} }),
      await world.send('GET', '/'),
      await world.send('GET', '/health/live', { as: null }),
      await world.send('GET', '/metrics', { as: null }),
    ];
    const ids = answers.map((answer) => answer.headers.get('x-request-id'));
    expect(ids.every(Boolean)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
