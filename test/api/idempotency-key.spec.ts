import { v7 as uuidv7 } from 'uuid';
import { publicOperationId } from '../../src/idempotency/index.js';
import { Lifecycle } from '../../src/http/lifecycle.js';
import { KEY_A, KEY_B, ORDER, send, startWorld, type TestApp, type TestResponse, type World } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A, ACCOUNT_B, addProduct, countOf, insertRecord, recordsOf, stockOf } from '../support/ledger.js';
import { holdProduct, untilBlocked } from '../support/locks.js';
import { expectProblem } from '../support/problems.js';
import { sendRaw } from '../support/raw-http.js';

let world: World;
let replica: TestApp;
beforeAll(async () => {
  world = await startWorld();
  replica = await world.secondApp();
});
afterAll(() => world.close());

const place = (key: string, body: unknown = ORDER, headers: Record<string, string> = {}, on: TestApp = world): Promise<TestResponse> =>
  on.send('POST', '/v1/orders', { key, body, headers });

const STORED_HEADERS = ['content-type', 'location', 'etag', 'operation-id', 'link', 'idempotency-expires', 'idempotency-key'];
const storedHeaders = (response: TestResponse) => Object.fromEntries(STORED_HEADERS.map((name) => [name, response.headers.get(name)]));

const bare = (value: string): [string, string][] => [
  ['authorization', `Bearer ${KEY_A}`],
  ['content-type', 'application/json'],
  ['idempotency-key', value],
];

describe('a key that is needed', () => {
  it.each([
    ['POST', '/v1/orders'],
    ['PATCH', '/v1/orders/ord_00000000000000000000000000'],
    ['POST', '/v1/orders/ord_00000000000000000000000000/cancel'],
    ['POST', '/v1/tickets'],
    ['PATCH', '/v1/tickets/tkt_00000000000000000000000000'],
  ])('%s %s answers 400 idempotency-key-missing without one', async (method, path) => {
    const answer = await world.send(method, path, { key: null, body: {} });
    expectProblem(answer, 'idempotency-key-missing');
    expect(answer.headers.get('idempotency-key')).toBeNull();
  });

  it.each([
    ['empty', ''],
    ['256 characters', 'k'.repeat(256)],
    ['256 characters in quotes', `"${'k'.repeat(256)}"`],
    ['a blank', 'a b'],
    ['a quoted blank', '"a b"'],
    ['a tab', 'a\tb'],
    ['an empty string', '""'],
    ['an unterminated string', '"abc'],
    ['a lone quote', '"'],
    ['an escaped last quote', '"abc\\"'],
    ['an unknown escape', '"a\\nb"'],
    ['text behind the string', '"abc"def'],
    ['a parameter behind the string', '"abc";a=1'],
    ['two strings', '"abc", "def"'],
    ['UTF-8', Buffer.from('schlüssel').toString('latin1')],
    ['latin-1', 'schl\xfcssel'],
  ])('is refused when it is malformed: %s', async (_name, value) => {
    const answer = await sendRaw(world.url, { headers: bare(value), body: JSON.stringify(ORDER) });
    expectProblem(answer, 'idempotency-key-invalid');
  });

  it.each([
    ['different', 'one', 'two'],
    ['equal', 'same', 'same'],
    ['one of them empty', 'same', ''],
  ])('is refused when it is sent twice: %s', async (_name, first, second) => {
    const answer = await sendRaw(world.url, { headers: [...bare(first), ['Idempotency-key', second]], body: JSON.stringify(ORDER) });
    expectProblem(answer, 'idempotency-key-invalid');
    expect(await countOf(world.database, 'idempotency_records', 'key IN ($1, $2)', [first, second])).toBe(0);
  });

  it('may have any visible ASCII character, 255 of them, and a header name in any case', async () => {
    const key = `!#$%&'()*+,-./:;<=>?@[]^_\`{|}~${uuidv7()}`.padEnd(255, 'x');
    const headers: [string, string][] = [...bare('').slice(0, 2), ['IDEMPOTENCY-KEY', key]];
    const answer = await sendRaw(world.url, { headers, body: JSON.stringify(ORDER) });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('idempotency-key')).toBe(key);
    expect(await recordsOf(world.database, key)).toHaveLength(1);
  });
});

describe('the first use', () => {
  it('runs, and says under which operation, key and until when', async () => {
    const key = uuidv7();
    const first = await place(key);
    expect(first.status).toBe(201);
    const [record, ...others] = await recordsOf(world.database, key);
    expect(others).toEqual([]);
    expect(record).toMatchObject({ account_id: ACCOUNT_A, status: 'completed', response_status: 201, operation: 'POST /v1/orders' });
    expect(first.headers.get('operation-id')).toBe(publicOperationId(record?.operation_id ?? ''));
    expect(first.headers.get('operation-id')).toMatch(/^op_[0-9a-hjkmnp-tv-z]{26}$/);
    expect(first.headers.get('idempotency-key')).toBe(key);
    expect(first.headers.get('idempotency-expires')).toBe(record?.expires_at.toUTCString());
    expect(record && record.expires_at.getTime() - record.completed_at.getTime()).toBe(24 * 3_600_000);
    expect(first.headers.has('idempotent-replayed')).toBe(false);
    expect(first.headers.has('retry-after')).toBe(false);
    expect(first.headers.has('preference-applied')).toBe(false);
  });

  it('stores the very bytes that it sends', async () => {
    const key = uuidv7();
    const first = await place(key, { ...ORDER, customerReference: 'Größe „7“ \u2028 €', metadata: { z: '1', a: '2' } });
    const [record] = await recordsOf(world.database, key);
    expect(record?.response_body.toString()).toBe(first.text);
    expect(Object.keys(first.body['metadata'] as object)).toEqual(['z', 'a']);
  });
});

describe('a replay', () => {
  it('has the status, headers and bytes of the first answer, on the same replica and on another', async () => {
    const key = uuidv7();
    const first = await place(key);
    for (const on of [world, replica, replica]) {
      const again = await place(key, ORDER, { 'x-request-id': 'the-present-one' }, on);
      expect(again.status).toBe(201);
      expect(again.text).toBe(first.text);
      expect(storedHeaders(again)).toEqual(storedHeaders(first));
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      expect(again.headers.get('x-request-id')).toBe('the-present-one');
      expect(again.headers.has('set-cookie')).toBe(false);
      expect(again.headers.has('retry-after')).toBe(false);
    }
    expect(await recordsOf(world.database, key)).toHaveLength(1);
  });

  it('is given to the bare and the quoted form of one key, which is echoed as received', async () => {
    const key = uuidv7();
    const first = await place(key);
    const quoted = await place(`"${key}"`);
    expect(quoted.text).toBe(first.text);
    expect(quoted.headers.get('idempotency-key')).toBe(`"${key}"`);
    const tricky = `a"b\\c-${key}`;
    const escaped = await place(`"${tricky.replace(/["\\]/g, '\\$&')}"`);
    expect(escaped.status).toBe(201);
    expect((await place(tricky)).text).toBe(escaped.text);
  });

  it('is given to the same payload in another order of members and with other white space', async () => {
    const key = uuidv7();
    const first = await place(key, '{"items":[{"productId":"123","quantity":1}],"metadata":{"a":"1","b":"2"}}');
    const again = await place(key, '\n{ "metadata" : {"b":"2", "a":"\\u0031"},\t"items": [ {"quantity":1.0,"productId":"123"} ] }');
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.text).toBe(first.text);
  });

  it('changes nothing: no row, no stock', async () => {
    const product = await addProduct(world.database, { stock: 10 });
    const key = uuidv7();
    const body = { items: [{ productId: product, quantity: 3 }] };
    for (const on of [world, world, replica]) expect((await place(key, body, {}, on)).status).toBe(201);
    expect(await stockOf(world.database, product)).toBe(7);
    expect(await countOf(world.database, 'order_items', 'product_id = $1', [product])).toBe(1);
  });

  it('says why it came in Retry-Reason and Retry-Attempt, which are counted and change nothing', async () => {
    const key = uuidv7();
    const first = await place(key, ORDER, { 'retry-attempt': '1' });
    for (const [attempt, reason] of Object.entries({ '2': 'timeout', '3': 'no-such-reason' })) {
      expect((await place(key, ORDER, { 'retry-attempt': attempt, 'retry-reason': reason })).text).toBe(first.text);
    }
    const metrics = await send(world.url, 'GET', '/metrics', { as: null });
    expect(metrics.text).toMatch(/^idempotency_requests_total\{[^}]*outcome="replayed",retry_reason="timeout"\} [1-9]/m);
    expect(metrics.text).not.toContain('no-such-reason');
  });
});

describe('another request under the same key', () => {
  it.each<[string, unknown]>([
    ['another quantity', { items: [{ productId: '123', quantity: 2 }] }],
    ['another product', { items: [{ productId: 'shackle', quantity: 1 }] }],
    ['one member more', { ...ORDER, customerReference: 'x' }],
    ['null instead of nothing', { ...ORDER, customerReference: null }],
    ['text instead of a number', { items: [{ productId: '123', quantity: '1' }] }],
    ['an invalid body', { items: [] }],
    ['nothing', {}],
  ])('answers 422: %s', async (_name, body) => {
    const key = uuidv7();
    const first = await place(key);
    for (const on of [world, replica]) {
      const reused = await place(key, body, {}, on);
      expectProblem(reused, 'idempotency-key-reused');
      expect(reused.body['operationId']).toBe(first.headers.get('operation-id'));
      expect(reused.headers.has('idempotent-replayed')).toBe(false);
      expect(reused.headers.get('idempotency-key')).toBe(key);
    }
    expect((await place(key)).text).toBe(first.text);
  });

  it('does not look at If-Match where the route reads none: with, without and with another one it is the same request', async () => {
    const key = uuidv7();
    const withTag = (ifMatch: string) => world.send('POST', '/v1/orders', { key, headers: { 'if-match': ifMatch }, body: ORDER });
    const first = await withTag('"1"');
    expect(first.status).toBe(201);
    for (const again of [await place(key), await withTag('"2"'), await withTag('*')]) expect(again.text).toBe(first.text);
    expectProblem(
      await world.send('POST', '/v1/orders', { key, headers: { 'if-match': '"1"' }, body: { ...ORDER, customerReference: 'x' } }),
      'idempotency-key-reused',
    );
  });

  it('compares a record from the time when If-Match was part of every request by the rule of that time', async () => {
    const key = uuidv7();
    await insertRecord(world.database, { key, request: ORDER, ifMatch: '"7"', body: '{"made":"then"}' });
    const withTag = (ifMatch: string) => world.send('POST', '/v1/orders', { key, headers: { 'if-match': ifMatch }, body: ORDER });
    const answer = await withTag('"7"');
    expect(answer.text).toBe('{"made":"then"}');
    expect(answer.headers.get('idempotent-replayed')).toBe('true');
    for (const other of [await withTag('"8"'), await place(key)]) expectProblem(other, 'idempotency-key-reused');
    expect((await withTag('"7"')).text).toBe('{"made":"then"}');
  });

  it('answers 422: another path, method, query or If-Match', async () => {
    const key = uuidv7();
    const { body } = await place(uuidv7());
    const path = `/v1/orders/${String(body['id'])}`;
    const change = { customerReference: 'x' };
    const first = await world.send('PATCH', path, { key, headers: { 'if-match': '"1"' }, body: change });
    expect(first.status).toBe(200);
    const others = [
      await world.send('PATCH', path, { key, headers: { 'if-match': '"2"' }, body: change }),
      await world.send('PATCH', path, { key, body: change }),
      await world.send('PATCH', `${path}?a=1`, { key, headers: { 'if-match': '"1"' }, body: change }),
      await world.send('POST', `${path}/cancel`, { key, body: change }),
      await world.send('POST', '/v1/orders', { key, body: change }),
      await world.send('POST', '/v1/tickets', { key, body: change }),
    ];
    for (const other of others) expectProblem(other, 'idempotency-key-reused');
    const again = await world.send('PATCH', path, { key, headers: { 'if-match': '"1"' }, body: change });
    expect(again.text).toBe(first.text);
  });

  it('answers 422 while the first one still runs in this process', async () => {
    const key = uuidv7();
    const held = await holdProduct(world.database);
    const first = place(key);
    await untilBlocked(world.database);
    expectProblem(await place(key, { items: [{ productId: '123', quantity: 2 }] }), 'idempotency-key-reused');
    await held.release();
    expect((await first).status).toBe(201);
  });

  it('of another account is another key: both execute', async () => {
    const key = uuidv7();
    const [a, b] = await Promise.all([KEY_A, KEY_B].map((as) => world.send('POST', '/v1/orders', { key, as, body: ORDER })));
    expect([a?.status, b?.status]).toEqual([201, 201]);
    expect(a?.body['id']).not.toBe(b?.body['id']);
    expect((await recordsOf(world.database, key)).map((record) => record.account_id)).toEqual([ACCOUNT_A, ACCOUNT_B]);
    expect((await world.send('POST', '/v1/orders', { key, as: KEY_B, body: ORDER })).text).toBe(b?.text);
  });
});

describe('while the first one runs', () => {
  it('the same request answers 409 with Retry-After, here and on another replica, and stores nothing', async () => {
    const key = uuidv7();
    const held = await holdProduct(world.database);
    const first = place(key);
    await untilBlocked(world.database);
    for (const on of [world, replica]) {
      const busy = await place(key, ORDER, {}, on);
      expectProblem(busy, 'idempotency-request-in-progress');
      expect(busy.headers.get('idempotency-key')).toBe(key);
      expect(busy.headers.has('preference-applied')).toBe(false);
    }
    // Whose request it is can't be known on another replica, so another payload is told to come back.
    expectProblem(await place(key, { items: [{ productId: '123', quantity: 2 }] }, {}, replica), 'idempotency-request-in-progress');
    await held.release();
    expect((await first).status).toBe(201);
    expect((await place(key, ORDER, {}, replica)).text).toBe((await first).text);
  });

  it.each(['this process', 'another replica'])('Prefer: wait waits for the result in %s and says so', async (where) => {
    const on = where === 'this process' ? world : replica;
    const key = uuidv7();
    const held = await holdProduct(world.database);
    const first = place(key);
    await untilBlocked(world.database);
    const waiting = place(key, ORDER, { prefer: 'wait=20' }, on);
    const given = await place(key, ORDER, { prefer: 'wait=0' }, on);
    expectProblem(given, 'idempotency-request-in-progress');
    expect(given.headers.get('preference-applied')).toBe('wait=0');
    await held.release();
    const [made, waited] = await Promise.all([first, waiting]);
    expect(waited.status).toBe(201);
    expect(waited.text).toBe(made.text);
    expect(waited.headers.get('idempotent-replayed')).toBe('true');
    expect(waited.headers.get('preference-applied')).toBe('wait=20');
  });

  it('Prefer: wait gives up after its time with 409 and Retry-After', async () => {
    const key = uuidv7();
    const held = await holdProduct(world.database);
    const first = place(key);
    await untilBlocked(world.database);
    for (const on of [world, replica]) {
      const late = await place(key, ORDER, { prefer: 'wait=1' }, on);
      expectProblem(late, 'idempotency-request-in-progress');
      expect(late.headers.get('preference-applied')).toBe('wait=1');
    }
    await held.release();
    await first;
  });

  it('nobody waits for it in a process that is closing, and it is finished all the same', async () => {
    const key = uuidv7();
    const lifecycle = replica.app.get(Lifecycle);
    const held = await holdProduct(world.database);
    try {
      const first = place(key, ORDER, {}, replica);
      await untilBlocked(world.database);
      lifecycle.closing = true;
      expectProblem(await place(key, ORDER, { prefer: 'wait=30' }, replica), 'idempotency-request-in-progress');
      await held.release();
      expect((await first).status).toBe(201);
    } finally {
      lifecycle.closing = false;
      await held.release();
    }
  });

  it('many waiters in one process take no connection each: others are still served', async () => {
    const key = uuidv7();
    const held = await holdProduct(world.database);
    const all = Array.from({ length: 30 }, () => place(key, ORDER, { prefer: 'wait=20' }));
    await untilBlocked(world.database);
    expect((await place(uuidv7(), { items: [{ productId: 'shackle', quantity: 1 }] })).status).toBe(201);
    await held.release();
    const answers = await Promise.all(all);
    expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers.filter((answer) => !answer.headers.has('idempotent-replayed'))).toHaveLength(1);
  });

  it.each(['this process', 'another replica'])('and vanishes, the one that waits in %s executes', async (where) => {
    const key = uuidv7();
    const product = await addProduct(world.database);
    const body = { items: [{ productId: product, quantity: 1 }] };
    const held = await holdProduct(world.database, product);
    const first = place(key, body);
    const [backend] = await untilBlocked(world.database);
    const waiting = place(key, body, { prefer: 'wait=20' }, where === 'this process' ? world : replica);
    await world.database.query('SELECT pg_terminate_backend($1)', [backend]);
    const gone = await first;
    if (gone.status !== 201) expectProblem(gone, 'service-unavailable');
    await held.release();
    const waited = await waiting;
    expect(waited.status).toBe(201);
    expect((await place(key, body)).text).toBe(waited.text);
    expect(await stockOf(world.database, product)).toBe(999);
  });
});

describe('the Prefer header', () => {
  it.each([
    ['wait=31', 'wait=30'],
    ['wait=9999999', 'wait=30'],
    ['wait=30', 'wait=30'],
    ['WAIT = "7"', 'wait=7'],
    ['respond-async, wait=5', 'wait=5'],
    ['wait=5; a=b, handling=lenient', 'wait=5'],
  ])('%s counts as %s, also when there is nothing to wait for', async (prefer, applied) => {
    const answer = await place(uuidv7(), ORDER, { prefer });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('preference-applied')).toBe(applied);
  });

  it.each(['wait', 'wait=', 'wait=-1', 'wait=x', 'wait=1.5', 'await=5', 'return=minimal'])('%s asks for no wait', async (prefer) => {
    const answer = await place(uuidv7(), ORDER, { prefer });
    expect(answer.status).toBe(201);
    expect(answer.headers.has('preference-applied')).toBe(false);
  });
});

describe('methods that are idempotent already', () => {
  it.each(['GET', 'HEAD'])('%s ignores the key, a malformed one too', async (method) => {
    const key = uuidv7();
    await place(key);
    for (const value of [key, '"unterminated']) {
      const answer = await world.send(method, '/v1/orders?limit=1', { key: value });
      expect(answer.status).toBe(200);
      expect(answer.headers.has('idempotent-replayed')).toBe(false);
      expect(answer.headers.has('idempotency-key')).toBe(false);
    }
    const [row] = await recordsOf(world.database, key);
    expect(row?.operation).toBe('POST /v1/orders');
  });
});

it('a connection that is kept alive may send one key after the other', async () => {
  const keys = Array.from({ length: 5 }, () => uuidv7());
  for (const key of keys) expect((await place(key)).status).toBe(201);
  await eventually('every record', async () => (await countOf(world.database, 'idempotency_records', 'key = ANY ($1)', [keys])) === 5);
});
