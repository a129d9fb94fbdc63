import { v7 as uuidv7 } from 'uuid';
import { PROBLEMS } from '../../src/problem.js';
import { ORDER } from '../support/app.js';
import { readDescription, type ApiDescription, type DocumentedOperation } from '../support/openapi.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';

let world: PaymentWorld;
let api: ApiDescription;
beforeAll(async () => {
  world = await startPaymentWorld();
  api = await readDescription(world);
});
afterAll(() => world.close());

const PROBLEM_JSON = 'application/problem+json';

/** Method and path of every route that Fastify knows, read from the tree that it prints. */
function routes(): string[] {
  const found: string[] = [];
  const parts: string[] = [];
  for (const line of world.app.getHttpAdapter().getInstance().printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent = '', part = '', methods] = /^([│ ]*)[├└]── (\S*)(?: \((.*)\))?$/.exec(line) ?? [];
    if (!part) continue;
    parts.splice(indent.length / 4, Infinity, part);
    const path = parts.join('').replace(/:(\w+)/g, '{$1}');
    for (const method of methods?.split(', ') ?? []) if (!['HEAD', 'OPTIONS'].includes(method)) found.push(`${method} ${path}`);
  }
  return found.sort();
}

const keyed = (): DocumentedOperation[] => api.operations.filter(({ operation }) => operation['x-idempotency'].required);
const examplesOf = (media: Record<string, any>): unknown[] =>
  media['examples'] ? Object.values<{ value: unknown }>(media['examples']).map(({ value }) => value) : [media['example']];

/** The path with the examples of its parameters. */
const examplePath = ({ path, operation }: DocumentedOperation): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => operation['parameters'].find((each: { name: string }) => each.name === name).example);

describe('the document', () => {
  it('is OpenAPI 3.1 and describes each route, and no other', () => {
    expect(api.document).toMatchObject({ openapi: '3.1.0', info: { title: 'Holdfast' } });
    const described = api.operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    // The tree prints the files of the docs page, /docs/assets/*, as /docs*.
    expect(described.sort()).toEqual(routes().filter((route) => route !== 'GET /docs*'));
  });

  it('has a description for every tag, operation and parameter', () => {
    const tags = new Map<string, string>(api.document['tags'].map((tag: { name: string; description: string }) => [tag.name, tag.description]));
    for (const { id, operation } of api.operations) {
      expect({ id, tag: tags.get(operation['tags'][0]) }).toEqual({ id, tag: expect.stringMatching(/./) });
      expect({ id, ...operation }).toMatchObject({ summary: expect.stringMatching(/./), description: expect.stringMatching(/./) });
      for (const parameter of operation['parameters']) {
        if (!parameter.$ref) expect({ id, ...parameter }).toMatchObject({ description: expect.stringMatching(/./) });
      }
    }
  });

  it('has valid examples of all requests, answers and problems', () => {
    for (const each of api.operations) {
      for (const body of examplesOf(each.operation['requestBody']?.content['application/json'] ?? { examples: {} })) {
        expect({ id: each.id, errors: api.errorsOfRequest(each, body) }).toEqual({ id: each.id, errors: [] });
      }
      for (const [status, response] of Object.entries<Record<string, any>>(each.operation['responses'])) {
        expect(Object.keys(response['headers'])).toContain('X-Request-Id');
        for (const [mediaType, media] of Object.entries<Record<string, any>>(response['content'] ?? {})) {
          for (const body of examplesOf(media)) {
            const errors = api.errorsOf(each, Number(status), mediaType, body);
            expect({ id: each.id, status, body, errors }).toEqual({ id: each.id, status, body: expect.anything(), errors: [] });
            if (mediaType === PROBLEM_JSON) expect(body).toMatchObject({ status: Number(status) });
          }
        }
      }
    }
  });

  it('shows every problem of the table where it can be met', () => {
    const shown = api.operations.flatMap(({ operation }) =>
      Object.values<Record<string, any>>(operation['responses']).flatMap((response) => Object.keys(response['content']?.[PROBLEM_JSON]?.examples ?? {})),
    );
    expect([...new Set(shown)].sort()).toEqual(Object.keys(PROBLEMS).sort());
  });

  it('shows key, guarantees and replay of each operation with a key', () => {
    expect(keyed().map(({ id }) => id)).toEqual(expect.arrayContaining(['placeOrder', 'changeOrder', 'cancelOrder', 'openTicket', 'createPayment']));
    for (const { operation } of keyed()) {
      expect(operation['x-idempotency']).toEqual({
        required: true,
        window: '24h',
        effects: expect.stringMatching(/./),
        concurrent: expect.stringMatching(/./),
        duplicateWindow: null,
      });
      expect(operation['parameters']).toContainEqual({ $ref: '#/components/parameters/IdempotencyKey' });
      const [first] = Object.values<Record<string, any>>(operation['responses']);
      expect(Object.keys(first?.['headers'])).toEqual(
        expect.arrayContaining(['Idempotency-Key', 'Idempotency-Expires', 'Operation-Id', 'Idempotent-Replayed']),
      );
      expect(first?.['content']['application/json'].examples.replay['x-headers']).toMatchObject({ 'Idempotent-Replayed': 'true' });
    }
  });

  it('accepts both forms of a key in the pattern that it gives, and no others', () => {
    const { schema, example } = api.document['components'].parameters.IdempotencyKey;
    const pattern = new RegExp(schema.pattern, 'u');
    for (const key of [example, 'a', 'a"b', '"a"', String.raw`"a\"b"`, '~'.repeat(255), `"${'x'.repeat(255)}"`]) expect(key).toMatch(pattern);
    for (const key of ['', '""', 'a b', '"a', '"a b"', 'ä', 'x'.repeat(256), String.raw`"a\b"`]) expect(key).not.toMatch(pattern);
  });
});

describe('the server keeps what the document says', () => {
  it('asks for a key exactly where it is documented', async () => {
    for (const each of api.operations.filter(({ method }) => method !== 'get')) {
      const answer = await world.send(each.method.toUpperCase(), examplePath(each), { key: null, headers: { 'if-match': '"1"' }, body: {} });
      expect({ id: each.id, missing: answer.body['code'] === 'idempotency-key-missing' }).toEqual({
        id: each.id,
        missing: each.operation['x-idempotency'].required,
      });
      api.expectDocumented(each.id, answer);
    }
  });

  it('refuses everybody without an API key where it is documented', async () => {
    for (const each of api.operations.filter(({ operation }) => operation['security'].length > 0)) {
      const answer = await world.send(each.method.toUpperCase(), examplePath(each), { as: null });
      expect({ id: each.id, code: answer.body['code'] }).toEqual({ id: each.id, code: 'unauthenticated' });
      api.expectDocumented(each.id, answer);
    }
  });

  it('takes the example bodies as they stand', async () => {
    const order = async (): Promise<string> => (await world.send('POST', '/v1/orders', { body: ORDER })).body['id'];
    const subjects: Record<string, () => Promise<{ path: string; members?: object }>> = {
      placeOrder: async () => ({ path: '/v1/orders' }),
      changeOrder: async () => ({ path: `/v1/orders/${await order()}` }),
      cancelOrder: async () => ({ path: `/v1/orders/${await order()}/cancel` }),
      openTicket: async () => ({ path: '/v1/tickets' }),
      changeTicket: async () => {
        const ticket = await world.send('POST', '/v1/tickets', { body: { subject: 'a', description: 'b', priority: 'low' } });
        return { path: `/v1/tickets/${ticket.body['id']}` };
      },
      // The order of the example is nobody's.
      createPayment: async () => ({ path: '/v1/payments', members: { orderId: (await world.placeOrder({ total: 5000 })).id } }),
      createRefund: async () => {
        const payment = await world.pay(await world.placeOrder({ total: 5001 }));
        return { path: `/v1/payments/${payment.body['id']}/refunds` };
      },
    };
    for (const each of keyed()) {
      const success = Number(Object.keys(each.operation['responses'])[0]);
      for (const example of examplesOf(each.operation['requestBody'].content['application/json'])) {
        const subject = await subjects[each.id]?.();
        if (!subject) throw new Error(`nobody says what ${each.id} is about`);
        const body = { ...(example as object), ...subject.members };
        const request = { key: uuidv7(), headers: { 'if-match': '"1"' }, body };
        const first = await world.send(each.method.toUpperCase(), subject.path, request);
        expect({ id: each.id, status: first.status, text: first.text }).toEqual({ id: each.id, status: success, text: expect.anything() });
        api.expectDocumented(each.id, first);
        const replay = await world.send(each.method.toUpperCase(), subject.path, request);
        expect(replay.text).toBe(first.text);
        api.expectDocumented(each.id, replay);
      }
    }
  });

  it('answers all reads as documented', async () => {
    const order = await world.placeOrder();
    const payment = await world.pay(order);
    const refund = await world.refund(payment.body['id'], { amount: 1 });
    const ticket = await world.send('POST', '/v1/tickets', { body: { subject: 'a', description: 'b', priority: 'low', orderId: order.id } });
    const ids: Record<string, string> = {
      getProduct: '123',
      getOrder: order.id,
      getPayment: payment.body['id'],
      getRefund: refund.body['id'],
      getTicket: ticket.body['id'],
      getOperation: payment.headers.get('operation-id') ?? '',
      getProblem: 'not-found',
    };
    for (const each of api.operations.filter(({ method }) => method === 'get')) {
      const path = each.path.replace(/\{\w+\}/, () => ids[each.id] ?? '');
      const answer = await world.send('GET', path, { headers: { accept: 'application/json' } });
      expect({ id: each.id, status: answer.status }).toEqual({ id: each.id, status: 200 });
      if (!['getDocs', 'getMetrics', 'getOpenApi'].includes(each.id)) api.expectDocumented(each.id, answer);
      if (answer.headers.has('etag')) {
        api.expectDocumented(each.id, await world.send('GET', path, { headers: { 'if-none-match': answer.headers.get('etag') ?? '' } }));
      }
    }
  });

  it('refuses as documented', async () => {
    const missing = '00000000000000000000000000';
    for (const each of api.operations.filter(({ method, path }) => method === 'get' && path.endsWith('{id}'))) {
      api.expectDocumented(each.id, await world.send('GET', examplePath(each).replace(/[^_/]+$/, missing)));
    }
    for (const each of api.operations.filter(({ operation }) => operation['parameters'].some((one: { name: string }) => one.name === 'limit'))) {
      api.expectDocumented(each.id, await world.send('GET', `${each.path}?limit=0`));
    }
    for (const each of keyed()) {
      const method = each.method.toUpperCase();
      const path = examplePath(each);
      const ifMatch = { 'if-match': '"1"' };
      const answers = [
        await world.send(method, path, { headers: ifMatch, body: { colour: 'red' } }),
        await world.send(method, path, { headers: ifMatch, body: '{' }),
        await world.send(method, path, { headers: { ...ifMatch, 'content-type': 'text/plain' }, body: 'red' }),
        await world.send(method, path, { headers: ifMatch, body: { colour: 'x'.repeat(1_100_000) } }),
        await world.send(method, path, { key: 'not a key', headers: ifMatch, body: {} }),
      ];
      expect({ id: each.id, statuses: answers.map(({ status }) => status) }).toEqual({ id: each.id, statuses: [400, 400, 415, 413, 400] });
      for (const answer of answers) api.expectDocumented(each.id, answer);
    }
  });
});
