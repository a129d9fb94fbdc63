import { startWorld, type TestResponse } from '../support/app.js';
import { edgesOf, limitsOf, type Edge, type Schema } from '../support/limits.js';
import { examplePath, readDescription, type ApiDescription, type DocumentedOperation } from '../support/openapi.js';

// What the document says of a request is what the server checks: at every limit, on both sides.
let world: Awaited<ReturnType<typeof startWorld>>;
let api: ApiDescription;
beforeAll(async () => {
  world = await startWorld();
  api = await readDescription(world);
});
afterAll(() => world.close());

/** Whether the server found the request well-formed; what it made of it is another matter (404, 409, 422, …). */
function accepted(answer: TestResponse): boolean {
  if (answer.status >= 500) throw new Error(answer.text);
  return answer.status !== 400 || isForeign(answer);
}

/** Well-formed, but nothing that this server gave out: such texts have a meaning beyond their form. */
function isForeign({ body }: TestResponse): boolean {
  return body['code'] === 'idempotency-key-invalid' || body['errors']?.[0].detail === 'is not a cursor of this list';
}

interface Verdict extends Edge {
  documented: boolean;
  checked: boolean;
  /** What the client was told, by place. */
  errors: unknown[];
}

/** Expects both to agree on each value, and the values to lie on both sides of each limit. */
function expectAgreement({ id }: DocumentedOperation, limits: string[], verdicts: Verdict[]): void {
  const differing = verdicts
    .filter(({ documented, checked }) => documented !== checked)
    .map(({ at, limit, value, documented }) => ({ at, limit, documented, value: JSON.stringify(value).slice(-300) }));
  expect({ id, differing }).toEqual({ id, differing: [] });
  const sidesOf = (limit: string) =>
    new Set(verdicts.filter((one) => `${one.at} ${one.limit}` === limit).map(({ documented }) => documented));
  expect({ id, oneSided: limits.filter((limit) => sidesOf(limit).size !== 2) }).toEqual({ id, oneSided: [] });
}

/** Expects the example of an invalid request to name what the server really said of one. */
function expectToldAsDocumented({ id, operation }: DocumentedOperation, verdicts: Verdict[]): void {
  const example = operation['responses'][400].content['application/problem+json'].examples['invalid-request'];
  const told = new Set(verdicts.flatMap(({ errors }) => errors).map((error) => JSON.stringify(error)));
  const untold = (example.value.errors ?? []).filter((error: unknown) => !told.has(JSON.stringify(error)));
  expect({ id, untold }).toEqual({ id, untold: [] });
}

const bodySchema = ({ operation }: DocumentedOperation): Schema =>
  api.resolved(operation['requestBody'].content['application/json'].schema);

it('bodies are taken and refused as documented', async () => {
  // Of the provider's events nothing is required but a signature.
  const withBody = api.operations.filter(({ id, operation }) => operation['requestBody'] && id !== 'receiveProviderEvent');
  expect(withBody.map(({ id }) => id)).toEqual(expect.arrayContaining(['placeOrder', 'createPayment']));
  for (const each of withBody) {
    const verdicts: Verdict[] = [];
    for (const edge of edgesOf(bodySchema(each)).filter(({ at, limit }) => at !== '' || limit !== 'type')) {
      const text = JSON.stringify(edge.value);
      const headers = { 'if-match': '"1"' };
      const answer = await world.send(each.method.toUpperCase(), examplePath(each), { headers, body: text });
      verdicts.push(verdictOn(edge, api.errorsOfRequest(each, edge.value), answer));
    }
    expectAgreement(each, limitsOf(bodySchema(each)), verdicts);
    expectToldAsDocumented(each, verdicts);
  }
});

it('queries are taken and refused as documented', async () => {
  for (const each of api.operations.filter(({ operation }) => queryOf(operation).length > 0)) {
    const all: Verdict[] = [];
    for (const { name, schema } of queryOf(each.operation)) {
      const verdicts: Verdict[] = [];
      for (const edge of edgesOf(schema, `/${name}`)) {
        // A query knows texts alone; one of digits is a number as well.
        if (!['string', 'number'].includes(typeof edge.value) || (schema.type === 'string' && typeof edge.value === 'number')) continue;
        const answer = await world.send('GET', `${each.path}?${name}=${encodeURIComponent(String(edge.value))}`);
        verdicts.push(verdictOn(edge, api.errorsUnder(schema, edge.value), answer));
      }
      expectAgreement(each, limitsOf(schema, `/${name}`), verdicts);
      all.push(...verdicts);
    }
    expectToldAsDocumented(each, all);
  }
});

function queryOf(operation: DocumentedOperation['operation']): { name: string; schema: Schema }[] {
  return operation['parameters'].filter((parameter: { in?: string }) => parameter.in === 'query');
}

function verdictOn(edge: Edge, errors: unknown[], answer: TestResponse): Verdict {
  return { ...edge, documented: errors.length === 0, checked: accepted(answer), errors: answer.body['errors'] ?? [] };
}
