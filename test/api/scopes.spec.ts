import { v7 as uuidv7 } from 'uuid';
import { SCOPES, type Scope } from '../../src/accounts/api-key.js';
import { addApiKey } from '../support/api-keys.js';
import { startWorld, type TestResponse, type World } from '../support/app.js';
import { recordsOf } from '../support/ledger.js';
import { examplePath, readDescription, type ApiDescription, type DocumentedOperation } from '../support/openapi.js';
import { expectProblem } from '../support/problems.js';

let world: World;
let scoped: DocumentedOperation[];
let api: ApiDescription;
beforeAll(async () => {
  world = await startWorld();
  api = await readDescription(world);
  scoped = api.operations.filter(({ operation }) => operation['x-required-scope'] !== undefined);
});
afterAll(() => world.close());

const scopeOf = ({ operation }: DocumentedOperation): Scope => operation['x-required-scope'] as Scope;

/** The operation as asked for with such an API key; each has one at hand for every scope that there is. */
async function askAll(scopesFor: (needed: Scope) => Scope[], expectAnswer: (each: DocumentedOperation, answer: TestResponse) => void) {
  const keys = new Map<Scope, string>();
  for (const scope of SCOPES) keys.set(scope, await addApiKey(world.database, scopesFor(scope)));
  const sent = [];
  for (const each of scoped) {
    const key = each.operation['x-idempotency'].required ? uuidv7() : null;
    const headers = { 'if-match': '"1"' };
    const body = each.operation['requestBody'] && {};
    const as = keys.get(scopeOf(each)) ?? null;
    const answer = await world.send(each.method.toUpperCase(), examplePath(each), { key, as, headers, ...(body && { body }) });
    expectAnswer(each, answer);
    if (key) sent.push(key);
  }
  return sent;
}

it('every operation refuses an API key that has all scopes but its own, and the Idempotency-Key stays unused', async () => {
  expect(new Set(scoped.map(scopeOf))).toEqual(new Set(SCOPES));
  const sent = await askAll(
    (needed) => SCOPES.filter((scope) => scope !== needed && scope !== 'admin'),
    (each, answer) => {
      expect({ id: each.id, code: answer.body['code'] }).toEqual({ id: each.id, code: 'insufficient-scope' });
      expectProblem(answer, 'insufficient-scope');
      api.expectDocumented(each.id, answer);
    },
  );
  expect(sent.length).toBeGreaterThan(10);
  for (const key of sent) expect(await recordsOf(world.database, key)).toEqual([]);
});

it('and takes one that has its own alone', async () => {
  await askAll(
    (needed) => [needed],
    (each, answer) =>
      expect({ id: each.id, refused: answer.status === 401 || answer.body['code'] === 'insufficient-scope' }).toEqual({
        id: each.id,
        refused: false,
      }),
  );
});
