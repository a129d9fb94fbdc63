import { ModulesContainer } from '@nestjs/core';
import { CREATING, STEPS } from '../../src/audit/record-checks.js';
import { StepRegistry } from '../../src/idempotency/steps/step-registry.js';
import { documentedRoutes } from '../../src/openapi/routes.js';
import { recordsOf } from '../support/ledger.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';

let world: PaymentWorld;
beforeAll(async () => {
  world = await startPaymentWorld();
});
afterAll(() => world.close());

// Names that are stored are contracts: records of earlier versions have them. Whoever changes one here has thought of those.
it('the auditor knows every step there is, by the name that is stored', () => {
  expect([...STEPS].sort()).toEqual([
    'orders.cancel.refund',
    'payments.charge',
    'payments.compensate',
    'payments.deadline.refund',
    'payments.decide',
    'payments.late-charge.refund',
    'payments.refund',
  ]);
  expect(world.app.get(StepRegistry, { strict: false }).names.sort()).toEqual([...STEPS].sort());
});

/** They can be deleted again, so that nothing is left to compare. */
const NOT_KEPT = new Set(['createWebhookEndpoint']);

it('the auditor knows every operation whose 201 stands for something new, by the name that is stored', async () => {
  expect([...CREATING].sort()).toEqual(['POST /v1/orders', 'POST /v1/payments', 'POST /v1/payments/:id/refunds', 'POST /v1/tickets']);
  const creating = [...documentedRoutes(world.app.get(ModulesContainer)).values()].filter(
    ({ api, idempotent }) =>
      idempotent && !NOT_KEPT.has(api.id) && api.answers.some(({ status, headers }) => status === 201 && headers?.['Location']),
  );
  expect(creating).toHaveLength(CREATING.length);

  const order = await world.placeOrder();
  const paid = await world.pay(order);
  const made = [paid, await world.refund(String(paid.body['id'])), await world.send('POST', '/v1/tickets', { body: TICKET })];
  const records = await Promise.all(made.map((answer) => recordsOf(world.database, String(answer.headers.get('idempotency-key')))));
  const orders = await world.database.query<{ operation: string }>(
    `SELECT DISTINCT operation FROM idempotency_records WHERE resource ~ '^/v1/orders/'`,
  );
  expect([...records.flat(), ...orders].map(({ operation }) => operation).sort()).toEqual([...CREATING].sort());
});

const TICKET = { subject: 'Lamp', description: 'It is dark.', priority: 'low' };
