import { startWorld } from '../support/app.js';
import { fullExample, type Schema } from '../support/limits.js';
import { examplePath, readDescription, type ApiDescription, type DocumentedOperation } from '../support/openapi.js';
import { expectProblem } from '../support/problems.js';

const NUMBER = '4111111111111111';
const WRITTEN = [NUMBER, 'please take 4111 1111 1111 1111, 12/27', '4111-1111-1111-1111', '４１１１１１１１１１１１１１１１'];

let world: Awaited<ReturnType<typeof startWorld>>;
let api: ApiDescription;
beforeAll(async () => {
  world = await startWorld();
  api = await readDescription(world);
});
afterAll(() => world.close());

const bodySchema = ({ operation }: DocumentedOperation): Schema =>
  api.resolved(operation['requestBody'].content['application/json'].schema);

/** Whether a schema takes values of a type, beside null or not. */
const takes = (schema: Schema, type: string): boolean => [schema['type']].flat().includes(type);

/** Whether a client may write what it likes there, under names of its own as well. */
const isFree = (schema: Schema): boolean =>
  schema['additionalProperties'] instanceof Object || (takes(schema, 'string') && !schema['enum'] && !schema['pattern']);

/** The members of a body in which a client may write what it likes. */
/** A key is no text, here as in the header. */
const freeMembers = (schema: Schema): [string, Schema][] =>
  Object.entries<Schema>(schema['properties'] ?? {}).filter(([name, member]) => isFree(member) && name !== 'idempotencyKey');

async function expectRefused({ method, path, body }: { method: string; path: string; body?: unknown }, pointer: string): Promise<void> {
  const answer = await world.send(method.toUpperCase(), path, { headers: { 'if-match': '"1"' }, body });
  expectProblem(answer, 'invalid-request');
  expect(answer.body['errors']).toEqual([{ pointer, detail: 'must not hold a card number' }]);
  expect(answer.text.replaceAll(/\D/g, '')).not.toContain(NUMBER);
}

it('no free text of a body may hold a card number: the answer names the member and not the number, and nothing is stored', async () => {
  const seen: string[] = [];
  for (const each of api.operations.filter(({ id, operation }) => operation['requestBody'] && id !== 'receiveProviderEvent')) {
    const schema = bodySchema(each);
    for (const [name, member] of freeMembers(schema)) {
      seen.push(`${each.id} ${name}`);
      const values = takes(member, 'object') ? WRITTEN.flatMap((text) => [{ note: text }, { [text]: 'x' }]) : WRITTEN;
      for (const value of values) {
        await expectRefused({ method: each.method, path: examplePath(each), body: { ...fullExample(schema), [name]: value } }, `/${name}`);
      }
    }
  }
  expect(seen).toEqual(
    expect.arrayContaining([
      'placeOrder customerReference',
      'placeOrder metadata',
      'changeOrder customerReference',
      'changeOrder metadata',
      'openTicket subject',
      'openTicket description',
      'createRefund reason',
    ]),
  );
  const [left] = await world.database.query<{ records: number }>('SELECT count(*)::int AS records FROM idempotency_records');
  expect(left?.records).toBe(0);
});

it('nor may what names a product: an answer that nothing has this name would store it', async () => {
  for (const productId of [NUMBER, '4111-1111-1111-1111'])
    await expectRefused({ method: 'POST', path: '/v1/orders', body: { items: [{ productId, quantity: 1 }] } }, '/items/0/productId');
});

it('nor may the texts of a query', async () => {
  await expectRefused({ method: 'GET', path: `/v1/payments?orderId=${NUMBER}` }, '/orderId');
});

it('a key that looks like one can be looked up as it was used', async () => {
  const placed = await world.send('POST', '/v1/orders', { key: NUMBER, body: { items: [{ productId: '123', quantity: 1 }] } });
  const found = await world.send('GET', `/v1/operations?idempotencyKey=${NUMBER}`);
  expect([found.status, found.body['data'].map(({ id }: { id: string }) => id)]).toEqual([200, [placed.headers.get('operation-id')]]);
});

it('other long numbers are kept as they are', async () => {
  const metadata = {
    imei: '356938035643809',
    ean: '4006381752305',
    phone: '+4915123456795',
    order: '202601150000417',
    at: '1768469400120',
  };
  const answer = await world.send('POST', '/v1/orders', { body: { items: [{ productId: '123', quantity: 1 }], metadata } });
  expect([answer.status, answer.body['metadata']]).toEqual([201, metadata]);
});

it('every free text says it in the document', () => {
  const fields = api.operations
    .filter(({ id, operation }) => operation['requestBody'] && id !== 'receiveProviderEvent')
    .flatMap((each) => freeMembers(bodySchema(each)));
  expect(fields.length).toBeGreaterThan(5);
  for (const [, { description }] of fields) expect(description).toContain('Card numbers are refused.');
});
