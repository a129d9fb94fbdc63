import { v7 as uuidv7 } from 'uuid';
import type { TestApp, TestResponse } from '../support/app.js';
import { eventually } from '../support/eventually.js';
import { recordsOf } from '../support/ledger.js';
import { WAIT, useTwoReplicas, type PaymentWorld } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
let replica: TestApp;
useTwoReplicas((...started) => ([world, replica] = started));

const seal = (idempotencyKey: string, on: TestApp): Promise<TestResponse> =>
  on.send('POST', '/v1/operations/seal', { key: null, body: { idempotencyKey } });

it('the key of a payment can’t be given up while the provider has it, and then tells what became of it', async () => {
  const [order, key] = [await world.placeOrder(), uuidv7()];
  const provider = await world.sandbox.hold();
  const first = world.pay(order, 'tok_visa', { key });
  await eventually('the payment to be committed', async () => (await recordsOf(world.database, key)).length === 1);
  // In the hands of its request, and then in nobody's.
  for (const wait of [() => undefined, () => first]) {
    await wait();
    const refused = await seal(key, replica);
    expectProblem(refused, 'operation-running');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  }
  expect((await first).status).toBe(202);
  await provider.release();
  const sealed = await eventually(
    'the payment to have an end',
    async () => {
      const answer = await seal(key, replica);
      return answer.status === 200 && answer;
    },
    30_000,
  );
  expect(sealed.body).toMatchObject({
    idempotencyKey: key,
    state: 'completed',
    operation: { id: (await first).headers.get('operation-id'), status: 'completed', response: { status: 201 } },
  });
  expect((await world.pay(order, 'tok_visa', { key, on: replica })).status).toBe(201);
  expect(await world.stateOf(order)).toMatchObject({ order: 'paid', payments: ['succeeded'], charges: 1 });
});

it('a sealed key pays nothing, and the order is paid under another one', async () => {
  const [order, key] = [await world.placeOrder(), uuidv7()];
  expect((await seal(key, replica)).body['state']).toBe('sealed');
  expectProblem(await world.pay(order, 'tok_visa', { key }), 'idempotency-key-sealed');
  expect((await world.pay(order, 'tok_visa', { headers: WAIT })).status).toBe(201);
  expect(await world.stateOf(order)).toMatchObject({ order: 'paid', payments: ['succeeded'], charges: 1 });
});
