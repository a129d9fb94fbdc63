import { PROBLEMS } from '../../src/http/problem-table.js';
import { startWorld } from '../support/app.js';
import { examplesOf, readDescription, routesOf, type ApiDescription } from '../support/openapi.js';

let world: Awaited<ReturnType<typeof startWorld>>;
let api: ApiDescription;
beforeAll(async () => {
  world = await startWorld();
  api = await readDescription(world);
});
afterAll(() => world.close());

const PROBLEM_JSON = 'application/problem+json';

it('is OpenAPI 3.1 and describes each route, and no other', () => {
  expect(api.document).toMatchObject({ openapi: '3.1.0', info: { title: 'Holdfast' } });
  const described = api.operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  // The tree prints the files of the two pages, /docs/assets/* for example, as /docs*.
  expect(described.sort()).toEqual(routesOf(world.app).filter((route) => !['GET /docs*', 'GET /console*'].includes(route)));
});

it('has a description for every tag, operation and parameter', () => {
  const tags = new Map<string, string>(
    api.document['tags'].map((tag: { name: string; description: string }) => [tag.name, tag.description]),
  );
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
          const payment = (body as { payment?: unknown } | undefined)?.payment;
          if (payment) expect(api.errorsUnder(api.resolved({ $ref: '#/components/schemas/Payment' }), payment)).toEqual([]);
        }
      }
    }
  }
});

it('has valid examples of all fields and parameters', () => {
  const schemas = Object.entries<Record<string, any>>(api.document['components'].schemas);
  const fields = schemas.flatMap(([name, { properties = {} }]) =>
    Object.entries<Record<string, any>>(properties).map(([member, field]) => ({
      what: `${name}.${member}`,
      schema: field,
      example: field['example'],
    })),
  );
  const parameters = api.operations.flatMap(({ id, operation }) =>
    operation['parameters'].map(({ name, schema, example }: Record<string, any>) => ({ what: `${id} ${name}`, schema, example })),
  );
  const withExample = [...fields, ...parameters].filter(({ example }) => example !== undefined);
  expect(withExample.map(({ what }) => what)).toEqual(expect.arrayContaining(['CreatePayment.source', 'Order.metadata', 'getOrder id']));
  for (const { what, schema, example } of withExample) {
    expect({ what, errors: api.errorsUnder(api.resolved(schema), example) }).toEqual({ what, errors: [] });
  }
});

it('shows every problem of the table where it can be met', () => {
  const shown = api.operations.flatMap(({ operation }) =>
    Object.values<Record<string, any>>(operation['responses']).flatMap((response) =>
      Object.keys(response['content']?.[PROBLEM_JSON]?.examples ?? {}),
    ),
  );
  // An item's own problem is never the answer to its batch, whose description names it.
  const { description } = api.operation('placeOrders').operation;
  shown.push(...Object.keys(PROBLEMS).filter((code) => String(description).includes(`424 \`${code}\``)));
  expect([...new Set(shown)].sort()).toEqual(Object.keys(PROBLEMS).sort());
});

it('shows key, guarantees and replay of each operation with a key', () => {
  expect(api.keyed.map(({ id }) => id)).toEqual(
    expect.arrayContaining(['placeOrder', 'changeOrder', 'cancelOrder', 'openTicket', 'createPayment']),
  );
  for (const { id, operation } of api.keyed) {
    expect(operation['x-idempotency']).toEqual({
      required: true,
      window: '24h',
      effects: expect.stringMatching(/./),
      concurrent: expect.stringMatching(/./),
      stored: expect.arrayContaining([expect.any(Number)]),
      duplicateWindow: id === 'createPayment' ? '2m' : null,
      lateRequests: 'refuse',
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
