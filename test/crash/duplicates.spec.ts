import { v7 as uuidv7 } from 'uuid';
import { publicOperationId } from '../../src/idempotency/index.js';
import type { TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { countOf, recordsOf } from '../support/ledger.js';
import { WAIT, startPaymentWorld, untilFinal, type PaymentWorld, type PlacedOrder } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';
import { startProcess, type ApiProcess } from '../support/process.js';
import { CommitProxy } from '../support/proxy.js';

let world: PaymentWorld;
let proxy: CommitProxy;
let victim: ApiProcess | undefined;
beforeAll(async () => {
  world = await startPaymentWorld();
  proxy = await CommitProxy.start(world.database.url, 'idempotency-insert-running');
});
afterEach(() => victim?.kill('SIGKILL'));
afterAll(async () => {
  await proxy.close();
  await world.close();
});

/** Kills the process that has the payment of the key in hand, as its first COMMIT meets its fate. */
async function killAtFirstCommit(order: PlacedOrder, key: string, fate: 'withhold' | 'swallow'): Promise<void> {
  victim = await startProcess(proxy.url, world.env);
  proxy.met = 0;
  proxy.next(fate);
  const lost = world.pay(order, 'tok_visa', { key, on: victim }).catch(() => null);
  await eventually('the COMMIT to be on its way', () => proxy.met === 1);
  if (fate === 'swallow') await eventually('the payment to be committed', async () => (await recordsOf(world.database, key)).length === 1);
  await victim.kill('SIGKILL');
  expect(await lost).toBeNull();
}

const finalAnswer = (order: PlacedOrder, key: string): Promise<TestResponse> =>
  untilFinal(() => world.pay(order, 'tok_visa', { key, headers: WAIT }));

describe('kill -9 of who has the first key, and then the same payment under a second one', () => {
  it('before the first COMMIT: nobody was first, and the second key pays', async () => {
    const [order, first, second] = [await world.placeOrder(), uuidv7(), uuidv7()];
    await killAtFirstCommit(order, first, 'withhold');
    expect((await finalAnswer(order, second)).status).toBe(201);
    expect(await recordsOf(world.database, first)).toEqual([]);
    // Whoever comes back with the first key is the duplicate now.
    expectProblem(await finalAnswer(order, first), 'possible-duplicate');
    expect(await world.stateOf(order)).toMatchObject({ order: 'paid', payments: ['succeeded'], charges: 1 });
  });

  it('after it: the second key is refused with the way to the first, which is finished and charged once', async () => {
    const [order, first, second] = [await world.placeOrder(), uuidv7(), uuidv7()];
    await killAtFirstCommit(order, first, 'swallow');
    const refused = await finalAnswer(order, second);
    expectProblem(refused, 'possible-duplicate');
    const [record] = await recordsOf(world.database, first);
    expect(refused.headers.get('link')).toBe(`</v1/operations/${publicOperationId(record?.operation_id ?? '')}>; rel="related"`);
    expect((await finalAnswer(order, first)).status).toBe(201);
    expect(await world.stateOf(order)).toMatchObject({ order: 'paid', payments: ['succeeded'], charges: 1 });
    expect(await countOf(world.database, 'idempotency_records', `status = 'running'`)).toBe(0);
  });
});
