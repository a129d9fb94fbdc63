import { randomUUID } from 'node:crypto';
import { eventually } from '../support/eventually.js';
import { promote } from '../support/restores.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';
import { ACCOUNT_A } from '../support/ledger.js';

let world: PaymentWorld;
beforeAll(async () => {
  // Nobody takes over while the figures are read.
  world = await startPaymentWorld({ IDEMPOTENCY_RECOVERY_INTERVAL: '1h' });
});
afterAll(() => world.close());

const gauge = async (name: string): Promise<number> => {
  const { text } = await world.send('GET', '/metrics', { as: null });
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return Number(line?.slice(name.length));
};

const insertRunning = (step: string, lease: string, age: string) =>
  world.database.query(
    `INSERT INTO idempotency_records (account_id, key, operation_id, operation, request_hash, status, recovery_point, subject_id, window_ms,
                                      response_status, response_headers, response_body, lease_until, next_run_at, created_at)
     VALUES ($1, $2::text, gen_random_uuid(), 'POST /v1/payments', sha256('x'), 'running', $3, $1, 1, 202, '{}', '{}',
             now() + $4::interval, now() + interval '1 day', now() - $5::interval)`,
    [ACCOUNT_A, randomUUID(), step, lease, age],
  );

it('are of the moment of the scrape, the first one included', async () => {
  await insertRunning('payments.charge', '1 hour', '2 hours');
  expect(await gauge('idempotency_oldest_unfinished_seconds')).toBeGreaterThanOrEqual(7_200);
  await insertRunning('payments.refund', '-1 hour', '3 hours');
  expect(await gauge('idempotency_oldest_unfinished_seconds')).toBeGreaterThanOrEqual(10_800);
  expect(await gauge('idempotency_records{state="running"}')).toBe(1);
  expect(await gauge('idempotency_records{state="interrupted"}')).toBe(1);
});

it('count the operations of steps that only another version knows', async () => {
  expect(await gauge('idempotency_unknown_step_operations')).toBe(0);
  await insertRunning('payments.split', '-1 hour', '1 hour');
  expect(await gauge('idempotency_unknown_step_operations')).toBe(1);
});

it('count the payments that wait for a person', async () => {
  const order = await world.placeOrder();
  await world.pay(order);
  expect(await gauge('payments_for_review')).toBe(0);
  await world.database.query(`UPDATE payments SET review_reason = 'nobody can tell'`);
  expect(await gauge('payments_for_review')).toBe(1);
});

it('tell what is not sent because the provider is silent, and nothing else', async () => {
  await world.faults({ dropBefore: 1 });
  const charge = async () => world.pay(await world.placeOrder());
  expect((await charge()).status).toBe(202);
  expect(await gauge('payments_provider_held_back_total')).toBe(0);
  await eventually('the pause', async () => {
    await charge();
    return (await gauge('payments_provider_held_back_total')) > 0;
  });
});

it('tell that payments are closed after a promotion, until they are opened', async () => {
  expect(await gauge('payments_gate_closed')).toBe(0);
  await promote(world);
  await eventually('it to be closed', async () => (await gauge('payments_gate_closed')) === 1);
  await world.database.query('UPDATE payments_gate SET timeline = timeline + 1');
  await eventually('it to be open', async () => (await gauge('payments_gate_closed')) === 0);
});
