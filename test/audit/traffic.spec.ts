import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { Purger } from '../../src/idempotency/records/purger.js';
import { ORDER, atOnce, type TestApp } from '../support/app.js';
import { auditWorld, namesOf } from '../support/audit.js';
import { eventually } from '../support/eventually.js';
import { countOf } from '../support/ledger.js';
import { WAIT, useTwoReplicas, type PaymentWorld } from '../support/payments.js';

let world: PaymentWorld;
let replica: TestApp;
useTwoReplicas((...started) => ([world, replica] = started));

const SOURCES = ['tok_visa', 'tok_hang_after', 'tok_drop_after', 'tok_declined', 'tok_error_500', 'tok_drop_before'];

/** One customer: orders, pays, perhaps twice, then changes their mind in one way or another. */
async function visit(n: number): Promise<void> {
  const on = n % 2 ? world : replica;
  const order = await world.placeOrder();
  const key = uuidv7();
  await world.pay(order, SOURCES[n % SOURCES.length], { key, on });
  const payment = await world.pay(order, SOURCES[n % SOURCES.length], { key, on, headers: WAIT });
  if (n % 3 === 0 && payment.status === 201) await world.refund(String(payment.body['id']), { amount: 100 }, { on });
  if (n % 4 === 0) await world.cancel(order, { on });
  if (n % 5 === 0) await on.send('POST', '/v1/tickets', { body: { subject: 'a', description: 'b', orderId: order.id, priority: 'low' } });
  if (n % 6 === 0) await Promise.all([world.refund(String(payment.body['id'])), world.cancel(order, { on, headers: WAIT })]);
}

const unfinished = (): Promise<number> => countOf(world.database, 'idempotency_records', `status = 'running'`);

it('an empty world has no differences, and the report says what was not audited', async () => {
  const report = await auditWorld(world);
  expect([namesOf(report), report.pendingAtProvider, report.waiting.count]).toEqual([[], 0, 0]);
  expect(report.notAudited).toEqual([]);
});

it('traffic under faults has no differences, neither while it runs nor afterwards', async () => {
  expect((await world.pay(await world.placeOrder(), 'tok_unavailable')).status).toBe(503);
  const traffic = { ended: false };
  const ended = (async () => {
    for (let round = 0; round < 2; round += 1) {
      await world.faults({ dropAfter: 0.2, dropBefore: 0.1, refuse: 0.1, error500: 0.1, hangAfter: 0.05 });
      await atOnce(10, (n) => visit(round * 10 + n));
    }
  })().finally(() => (traffic.ended = true));
  const during: string[] = [];
  let audits = 0;
  for (; !traffic.ended; audits += 1) {
    during.push(...namesOf(await auditWorld(world)));
    await sleep(200);
  }
  await ended;
  expect([during, audits > 2]).toEqual([[], true]);
  await world.faults({});
  await eventually('all operations to be finished', async () => (await unfinished()) === 0, 20_000);
  const report = await auditWorld(world);
  expect([namesOf(report), report.pendingAtProvider, report.waiting.count]).toEqual([[], 0, 0]);
  expect((await world.ledger()).charges.length).toBeGreaterThan(10);
});

it('what was purged into the archive is no difference', async () => {
  await world.send('POST', '/v1/orders', { body: ORDER });
  await world.database.query(`UPDATE idempotency_records SET expires_at = now() WHERE status = 'completed'`);
  expect((await world.app.get(Purger).purge()).archived).toBeGreaterThan(10);
  expect(namesOf(await auditWorld(world))).toEqual([]);
});

it('an effect whose operation is not finished is pending; one that runs for long is waiting', async () => {
  const order = await world.placeOrder();
  await world.faults({ hangAfter: 1 });
  const answer = await world.pay(order);
  expect(answer.status).toBe(202);
  await world.faults({ refuse: 1 });
  const report = await auditWorld(world);
  expect([namesOf(report), report.pendingAtProvider, report.waiting.count]).toEqual([[], 1, 0]);
  const later = await auditWorld(world, { longMs: 0 });
  expect(later.waiting.places).toMatchObject([{ kind: 'waiting', subject: answer.headers.get('operation-id') }]);
  expect(namesOf(later)).toEqual([]);
  await eventually('the payment to be parked for review', async () => {
    return (await countOf(world.database, 'payments', 'review_reason IS NOT NULL')) === 1;
  });
  const last = await auditWorld(world, { longMs: 0 });
  expect([namesOf(last), last.waiting.count]).toEqual([[`needs-review ${answer.body['id']}`], 0]);
});
