import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { v7 as uuidv7 } from 'uuid';
import { KEY_A, ORDER, startWorld, type TestResponse } from '../support/app.js';
import { recordsOf } from '../support/ledger.js';
import { expectProblem, type ContractCode } from '../support/problems.js';
import { exchange, open, sendRaw, type RawResponse } from '../support/raw-http.js';

let world: Awaited<ReturnType<typeof startWorld>>;
beforeAll(async () => {
  world = await startWorld();
});
afterEach(async () => {
  // Nothing of what is sent here may leave a trace.
  const [row] = await world.database.query<{ orders: number }>(
    'WITH gone AS (DELETE FROM order_items RETURNING 1) SELECT count(*)::int AS orders FROM gone',
  );
  expect(row?.orders).toBe(0);
});
afterAll(() => world.close());

const place = (body: unknown, key = uuidv7()): Promise<TestResponse> => world.send('POST', '/v1/orders', { key, body });
const raw = (body: Buffer | string, headers: Record<string, string> = { 'content-type': 'application/json' }): Promise<RawResponse> =>
  sendRaw(world.url, { headers: Object.entries({ authorization: `Bearer ${KEY_A}`, 'idempotency-key': uuidv7(), ...headers }), body });
const item = (more: object = {}) => ({ productId: '123', quantity: 1, ...more });
const items = (...list: unknown[]) => ({ items: list });

describe('numbers', () => {
  it.each([
    '0',
    '-0',
    '-1',
    '0.5',
    '1.0000000000000001e1',
    '1001',
    '1e400',
    '-1e400',
    '9007199254740993',
    '1e20',
    'null',
    'true',
    '"1"',
    '"0x1"',
    '[1]',
    '{}',
  ])('a quantity of %s is refused', async (quantity) => {
    const answer = await place(`{"items":[{"productId":"123","quantity":${quantity}}]}`);
    if (quantity === '1.0000000000000001e1') return expect(answer.status).toBe(400);
    expect(['invalid-request', 'malformed-json']).toContain(answer.body['code']);
    expectProblem(answer, answer.body['code'] as ContractCode);
  });

  it.each(['NaN', 'Infinity', '01', '+1', '.5', '1.', '0x10', '1_000'])('a quantity of %s is no JSON', async (quantity) => {
    expectProblem(await place(`{"items":[{"productId":"123","quantity":${quantity}}]}`), 'malformed-json');
  });

  it.each(['0', '-1', '2500.5', '9007199254740993', '1000000000000', '"2500"'])('an expectedTotal of %s is refused', async (total) => {
    expectProblem(await place(`{"items":[{"productId":"123","quantity":1}],"expectedTotal":${total}}`), 'invalid-request');
  });
});

describe('shapes', () => {
  it.each([
    '',
    '   ',
    '[]',
    '[{}]',
    'null',
    '"text"',
    '1',
    'true',
    '{',
    '{"items":[}',
    '{"items":[],}',
    "{'items':[]}",
    '{}{}',
    '{"a":1}x',
    '\u{feff}',
    'undefined',
  ])('a body of %j is refused', async (body) => {
    const answer = await raw(body);
    expectProblem(answer, body === '' ? 'invalid-request' : 'malformed-json');
  });

  it.each<[string, unknown]>([
    ['no items', {}],
    ['items that are null', { items: null }],
    ['no item', items()],
    ['items that are an object', { items: { 0: item(), length: 1 } }],
    ['items that are a text', { items: 'abc' }],
    ['an item that is null', items(null)],
    ['an item that is a text', items('123')],
    ['an item that is a number', items(1)],
    ['an item that is an array', items([])],
    ['an item that is an array with an item', items([item()])],
    ['an empty item', items({})],
    ['an item without a product', items({ quantity: 1 })],
    ['a product that is an object', items(item({ productId: { toString: 'x' } }))],
    ['a product that is an array', items(item({ productId: ['123'] }))],
    ['a product that is a number', items(item({ productId: 123 }))],
    ['an empty product', items(item({ productId: '' }))],
    ['a product of 65 characters', items(item({ productId: 'p'.repeat(65) }))],
    ['a product with a line feed at the end', items(item({ productId: '123\n' }))],
    ['a product with a blank', items(item({ productId: '12 3' }))],
    ['a product twice', items(item(), item({ quantity: 2 }))],
    ['101 items', items(...Array.from({ length: 101 }, (_, n) => item({ productId: `p${n}` })))],
    ['a currency in lower case', { ...ORDER, currency: 'eur' }],
    ['a currency that is an array', { ...ORDER, currency: ['EUR'] }],
    ['a reference that is an object', { ...ORDER, customerReference: {} }],
    ['metadata that is an array', { ...ORDER, metadata: [] }],
    ['metadata that is a text', { ...ORDER, metadata: 'x' }],
    ['metadata with a number', { ...ORDER, metadata: { a: 1 } }],
    ['metadata with null', { ...ORDER, metadata: { a: null } }],
    ['metadata with an object', { ...ORDER, metadata: { a: { b: 'c' } } }],
    ['metadata with a name of 256 characters', { ...ORDER, metadata: { ['n'.repeat(256)]: 'x' } }],
  ])('%s is refused', async (_name, body) => {
    const answer = await place(body);
    expectProblem(answer, 'invalid-request');
    expect((answer.body['errors'] as unknown[]).length).toBeGreaterThan(0);
  });
});

describe('members', () => {
  it.each<[string, string]>([
    ['unknown', '{"items":[{"productId":"123","quantity":1}],"colour":"red"}'],
    ['unknown in an item', '{"items":[{"productId":"123","quantity":1,"unitPrice":1}]}'],
    ['toString', '{"items":[{"productId":"123","quantity":1}],"toString":"x"}'],
    ['hasOwnProperty', '{"items":[{"productId":"123","quantity":1}],"hasOwnProperty":1}'],
    ['with an empty name', '{"items":[{"productId":"123","quantity":1}],"":1}'],
    ['what the server decides', '{"items":[{"productId":"123","quantity":1}],"id":"x","status":"paid","total":1}'],
    ['of another endpoint', '{"items":[{"productId":"123","quantity":1}],"atomic":true}'],
  ])('%s are refused', async (_name, body) => {
    expectProblem(await place(body), 'invalid-request');
  });

  it.each(['__proto__', 'constructor', 'prototype', '\\u005f_proto__'])('%s is refused anywhere and reaches no prototype', async (name) => {
    for (const body of [
      `{"${name}":{"polluted":true},"items":[{"productId":"123","quantity":1}]}`,
      `{"items":[{"${name}":{"quantity":1},"productId":"123"}]}`,
      `{"items":[{"productId":{"${name}":1},"quantity":1}]}`,
      `{"items":[{"productId":"123","quantity":1}],"metadata":{"${name}":"x"}}`,
      `{"items":[{"productId":"123","quantity":1}],"constructor":{"prototype":{"polluted":true}}}`,
    ]) {
      expectProblem(await place(body), 'malformed-json');
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('texts that PostgreSQL or a replay could not keep', () => {
  it.each<[string, string]>([
    ['NUL in a value', '{"items":[{"productId":"123","quantity":1}],"customerReference":"a\\u0000b"}'],
    ['NUL in a product', '{"items":[{"productId":"12\\u00003","quantity":1}]}'],
    ['NUL in a value of metadata', '{"items":[{"productId":"123","quantity":1}],"metadata":{"a":"\\u0000"}}'],
    ['NUL in a name of metadata', '{"items":[{"productId":"123","quantity":1}],"metadata":{"\\u0000":"a"}}'],
    ['a lone high surrogate', '{"items":[{"productId":"123","quantity":1}],"customerReference":"\\ud83d"}'],
    ['a lone low surrogate', '{"items":[{"productId":"123","quantity":1}],"customerReference":"\\ude00x"}'],
    ['surrogates the wrong way round', '{"items":[{"productId":"123","quantity":1}],"customerReference":"\\ude00\\ud83d"}'],
    ['a lone surrogate in a name', '{"items":[{"productId":"123","quantity":1}],"metadata":{"\\ud800":"a"}}'],
  ])('%s is refused', async (_name, body) => {
    expectProblem(await place(body), 'malformed-json');
  });

  it.each<[string, Buffer]>([
    ['a byte that is no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['an overlong form', Buffer.from([0x22, 0xc0, 0xaf, 0x22])],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['a cut character', Buffer.from([0x22, 0xe2, 0x82, 0x22])],
    ['latin-1', Buffer.from('"Größe"', 'latin1')],
  ])('%s is refused', async (_name, text) => {
    const body = Buffer.concat([Buffer.from('{"items":[{"productId":"123","quantity":1}],"customerReference":'), text, Buffer.from('}')]);
    expectProblem(await raw(body), 'malformed-json');
  });

  it('UTF-16 is refused', async () => {
    expectProblem(await raw(Buffer.from(JSON.stringify(ORDER), 'utf16le')), 'malformed-json');
  });
});

describe('depth and size', () => {
  const nested = (depth: number) => `{"items":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

  it('32 levels are read, 33 are not', async () => {
    expectProblem(await place(nested(32)), 'invalid-request');
    expectProblem(await place(nested(33)), 'malformed-json');
  });

  it.each([1_000, 100_000, 500_000])('%i levels are refused', async (depth) => {
    expectProblem(await place(nested(depth)), 'malformed-json');
    expectProblem(await place(`${'{"a":'.repeat(depth / 5)}1${'}'.repeat(depth / 5)}`), 'malformed-json');
  });

  it('1 MiB is read, one byte more is 413, however it is announced', async () => {
    const fitting = (size: number) => `{"customerReference":"${'x'.repeat(size - 24)}"}`;
    expect(fitting(1024 * 1024)).toHaveLength(1024 * 1024);
    expectProblem(await place(fitting(1024 * 1024)), 'invalid-request');
    expectProblem(await place(fitting(1024 * 1024 + 1)), 'payload-too-large');
    const chunk = 'x'.repeat(0x8000);
    const chunked = await exchange(
      world.url,
      Buffer.from(
        `POST /v1/orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer ${KEY_A}\r\nidempotency-key: ${uuidv7()}\r\n` +
          `content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${`8000\r\n${chunk}\r\n`.repeat(40)}0\r\n\r\n`,
      ),
    );
    expect(chunked).toMatch(/^HTTP\/1\.1 413 [\s\S]*"code":"payload-too-large"/);
  });

  /** As many units as 1 MiB holds between the two ends. */
  const filled = (begin: string, unit: (n: number) => string, end: string): string => {
    const units: string[] = [];
    let length = begin.length + end.length;
    for (let n = 0; length + unit(n).length <= 1024 * 1024; n += 1) {
      units.push(unit(n));
      length += unit(n).length;
    }
    return begin + units.join('') + end;
  };

  it.each<[string, string]>([
    ['members', filled('{', (n) => `"a${n}":0,`, '"z":0}')],
    ['members in metadata', filled('{"metadata":{', (n) => `"a${n}":"",`, '"z":""}}')],
    ['members of one name', filled('{', () => '"a":0,', '"a":0}')],
    ['members with numbers for names', filled('{', (n) => `"${n * 7919}":0,`, '"1":0}')],
    ['items', filled('{"items":[', () => '{},', '{}]}')],
    ['arrays of 1 000 elements', filled('{"items":[', () => `[${'0,'.repeat(999)}0],`, '0]}')],
    [
      'legal items, more than an order may have',
      JSON.stringify({ items: Array.from({ length: 200 }, (_, n) => item({ productId: `p${n}` })) }),
    ],
    ['long names', `{${Array.from({ length: 300 }, (_, n) => `"${String(n).padEnd(3_000, 'n')}":0`).join(',')}}`],
    ['names of one letter', `{${Array.from({ length: 300 }, (_, n) => `"${String.fromCodePoint(0x4e00 + n)}":0`).join(',')}}`],
  ])('a body full of %s is refused in few words', async (_name, body) => {
    const answer = await place(body);
    expectProblem(answer, 'invalid-request');
    expect((answer.body['errors'] as unknown[]).length).toBeLessThanOrEqual(20);
    expect(answer.text.length).toBeLessThan(10_000);
  });

  it('a query of thousands of parameters is refused in few words', async () => {
    const answer = await world.send('GET', `/v1/orders?${Array.from({ length: 2_500 }, (_, n) => `a${n}`).join('&')}`);
    expectProblem(answer, 'invalid-request');
    expect(answer.text.length).toBeLessThan(10_000);
  });

  it.each([
    '{"items":[{"productId":"123","quantity":1}],"items":[{"productId":"123","quantity":1}]}',
    '{"items":[{"productId":"123","quantity":1,"quantity":2}]}',
    '{"items":[{"productId":"123","quantity":1}],"currency":"EUR","\\u0063urrency":"EUR"}',
    '{"items":[{"productId":"123","quantity":1}],"metadata":{"a":"1","\\u0061":"2"}}',
    '{"items":[{"productId":"123","quantity":1}],"metadata":{"":"1","":"1"}}',
  ])('a member named twice is malformed: %s', async (body) => {
    expectProblem(await place(body), 'malformed-json');
  });
});

describe('media types', () => {
  it.each<[string, Record<string, string>]>([
    ['text/plain', { 'content-type': 'text/plain' }],
    ['none', {}],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['XML', { 'content-type': 'application/xml' }],
    ['JSON lines', { 'content-type': 'application/jsonl' }],
    ['almost JSON', { 'content-type': 'application/json2' }],
    ['nonsense', { 'content-type': ';;;' }],
  ])('a body of type %s is 415', async (_name, headers) => {
    expectProblem(await raw(JSON.stringify(ORDER), headers), 'unsupported-media-type');
  });

  it.each(['gzip', 'deflate', 'br', 'gzip, identity', 'x'])('a body with Content-Encoding: %s is 415', async (encoding) => {
    const body = encoding === 'gzip' ? gzipSync(JSON.stringify(ORDER)) : JSON.stringify(ORDER);
    expectProblem(await raw(body, { 'content-type': 'application/json', 'content-encoding': encoding }), 'unsupported-media-type');
  });

  it('gzip without saying so is no UTF-8', async () => {
    expectProblem(await raw(gzipSync(JSON.stringify(ORDER))), 'malformed-json');
  });

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/json ; a=b',
    'application/json; charset=utf8',
    "application/json; charset='utf-8'",
    'application/json; charset=iso-8859-1',
    'application/json; charset="utf-16"',
    'application/json; charset=',
    'application/json;charset=utf-8;charset=latin1',
  ])('%s is read as UTF-8', async (type) => {
    expectProblem(await raw(JSON.stringify({ items: [] }), { 'content-type': type }), 'invalid-request');
    const latin1 = Buffer.from('{"items":[{"productId":"123","quantity":1}],"customerReference":"Größe"}', 'latin1');
    expectProblem(await raw(latin1, { 'content-type': type }), 'malformed-json');
  });

  it('a byte order mark is passed over or refused, never a failure', async () => {
    const answer = await raw(`\u{feff}${JSON.stringify({ items: [] })}`);
    expect(answer.status).toBe(400);
    expectProblem(answer, (JSON.parse(answer.text) as { code: ContractCode }).code);
  });
});

describe('addresses', () => {
  it.each([
    '/v1/orders/%',
    '/v1/orders/%zz',
    '/v1/orders/%ff',
    '/v1/orders/%00',
    '/v1/orders/%ed%a0%80',
    '/v1/orders/..%2f..%2fetc%2fpasswd',
    '/v1/orders/a%2fb',
    '/v1/orders/ord_%00000000000000000000000000',
    '/v1/products/%00',
    '/v1/products/%ff%fe',
    "/v1/products/'%20OR%201=1",
    '/v1/tickets/%e0%80',
    `/v1/orders/${'x'.repeat(301)}`,
    `/v1/orders/${'%41'.repeat(2_000)}`,
    '//v1/orders',
    '/v1//orders',
    '/v1/orders/',
    '/V1/orders',
    '/v1/orders/a/b/c',
    '/v1/orders%20',
    '/%2e%2e/',
    '/__proto__',
    '/constructor',
  ])('GET %s is 400 or 404', async (path) => {
    const answer = await sendRaw(world.url, { method: 'GET', path, headers: [['authorization', `Bearer ${KEY_A}`]] });
    expect([400, 404]).toContain(answer.status);
    expectProblem(answer, answer.status === 404 ? 'not-found' : 'invalid-request');
  });

  it.each([
    '?limit=1&limit=2',
    '?limit[]=1',
    '?limit[a]=1',
    '?__proto__=1',
    '?constructor=1',
    '?toString=1',
    '?limit=%zz',
    '?limit=%00',
    '?cursor=%ff',
    '?%00=1',
    '?a',
  ])('GET /v1/orders%s is 400', async (query) => {
    const answer = await sendRaw(world.url, { method: 'GET', path: `/v1/orders${query}`, headers: [['authorization', `Bearer ${KEY_A}`]] });
    expectProblem(answer, 'invalid-request');
  });

  it('an address that is too long is refused', async () => {
    const answer = await sendRaw(world.url, {
      method: 'GET',
      path: `/v1/orders?cursor=${'x'.repeat(100_000)}`,
      headers: [['authorization', `Bearer ${KEY_A}`]],
    });
    expect([400, 414, 431]).toContain(answer.status);
  });

  it.each(['PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])('%s is no method of /v1/orders', async (method) => {
    const answer = await sendRaw(world.url, {
      method,
      headers: [
        ['authorization', `Bearer ${KEY_A}`],
        ['idempotency-key', uuidv7()],
      ],
    });
    expectProblem(answer, 'not-found');
  });
});

describe('what is no HTTP', () => {
  it.each([
    ['no request line', 'hello\r\n\r\n'],
    ['an unknown version', 'GET / HTTP/9.9\r\nhost: x\r\n\r\n'],
    ['a header with a blank in its name', 'GET / HTTP/1.1\r\nhost: x\r\nbad name: x\r\n\r\n'],
    ['two lengths', 'POST /v1/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    ['a length and chunks', 'POST /v1/orders HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a negative length', 'POST /v1/orders HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n'],
    ['no host', 'GET /v1/orders HTTP/1.1\r\n\r\n'],
    ['headers of 100 KiB', `GET / HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['a bad chunk', 'POST /v1/orders HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n'],
  ])('%s is refused with 4xx and the connection is closed', async (_name, bytes) => {
    expect(await exchange(world.url, Buffer.from(bytes))).toMatch(/^HTTP\/1\.1 4\d\d /);
  });
});

describe('forged credentials learn nothing', () => {
  it.each([
    '',
    'Bearer',
    'Bearer ',
    'Bearer null',
    KEY_A,
    `Basic ${Buffer.from(`a:${KEY_A}`).toString('base64')}`,
    `Bearer ${KEY_A}x`,
    `Bearer ${KEY_A.slice(0, -1)}`,
    `Bearer ${KEY_A} `.trimEnd() + ' extra',
    `Bearer ${KEY_A.toUpperCase()}`,
    `Bearer ${KEY_A.replace('hf_test', 'hf_live')}x`,
    `Bearer hf_test_${'a'.repeat(26)}_`,
    `Bearer hf_test_${'a'.repeat(26)}_${'x'.repeat(5_000)}`,
    `Bearer hf_test_${"'".repeat(26)}_secretofaccounta`,
    `Bearer hf_test_${'0'.repeat(26)}_secretofaccounta`,
    `Bearer hf_test_${'b'.repeat(26)}_secretofaccounta`,
    `Bearer ${'\u00e9'.repeat(40)}`,
  ])('%j is 401', async (authorization) => {
    const key = uuidv7();
    const headers: [string, string][] = [
      ['authorization', authorization],
      ['content-type', 'application/json'],
      ['idempotency-key', key],
    ];
    const answer = await sendRaw(world.url, { headers, body: JSON.stringify(ORDER) });
    expectProblem(answer, 'unauthenticated');
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="holdfast"');
    const { detail, ...unknown } = JSON.parse(answer.text) as Record<string, unknown>;
    expect(detail).toBe('The request needs a valid API key: Authorization: Bearer <API key>.');
    expect(unknown).not.toHaveProperty('errors');
    expect(await recordsOf(world.database, key)).toEqual([]);
  });

  it('no two Authorization headers make one', async () => {
    const headers: [string, string][] = [
      ['authorization', 'Bearer x'],
      ['authorization', `Bearer ${KEY_A}`],
      ['idempotency-key', uuidv7()],
    ];
    const answer = await sendRaw(world.url, {
      headers: [...headers, ['content-type', 'application/json']],
      body: JSON.stringify({ items: [] }),
    });
    expect([400, 401]).toContain(answer.status);
  });
});

it('a client that never begins or never finishes its headers loses its connection', async () => {
  const closed = ['', 'GET /v1/orders HTTP/1.1\r\nhost: x\r\nx-slow: '].map(
    (bytes) =>
      new Promise<void>((resolve) => {
        const socket = open(world.url).on('error', () => undefined);
        socket.write(bytes);
        socket.resume().on('close', () => resolve());
      }),
  );
  await Promise.all(closed);
  expect((await world.send('GET', '/v1/orders')).status).toBe(200);
}, 30_000);

it.each([
  ['a broken request line', 'GARBAGE\r\n\r\n'],
  ['a control character in a header', 'GET /v1/orders HTTP/1.1\r\nhost: x\r\nretry-reason: evil\x01\r\n\r\n'],
  ['headers that are too large', `GET /v1/orders HTTP/1.1\r\nhost: x\r\nx-large: ${'a'.repeat(20_000)}\r\n\r\n`],
])('what is no HTTP is told so by a problem with a request id: %s', async (_what, bytes) => {
  const { hostname, port } = new URL(world.url);
  const text = await new Promise<string>((resolve, reject) => {
    let received = '';
    connect(Number(port), hostname, function (this: Socket) {
      this.write(bytes);
    })
      .on('data', (chunk) => (received += chunk.toString()))
      .on('close', () => resolve(received))
      .on('error', reject);
  });
  const [head = '', body = ''] = text.split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 400 /);
  expect(head).toMatch(/content-type: application\/problem\+json/);
  const problem = JSON.parse(body) as Record<string, unknown>;
  expect(problem['code']).toBe('invalid-request');
  expect(head).toContain(`x-request-id: ${String(problem['requestId'])}`);
});
