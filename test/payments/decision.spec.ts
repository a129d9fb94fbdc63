import { Logger } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { operationUuid } from '../../src/idempotency/index.js';
import { publicId, uuidOf } from '../../src/kernel/ids.js';
import { ProviderBooks } from '../../src/payments/provider-books.js';
import { KEY_A, KEY_B, type TestApp, type TestResponse } from '../support/app.js';
import { addApiKey } from '../support/api-keys.js';
import { auditWorld, namesOf } from '../support/audit.js';
import { DID_NOT, HAPPENED, decide, flagPayment, flagRefund, keepFromRecoverer, reviewOf, settledDecisions } from '../support/decisions.js';
import { eventually } from '../support/eventually.js';
import { ACCOUNT_A, countOf, recordsOf } from '../support/ledger.js';
import { untilBlocked } from '../support/locks.js';
import { WAIT, useTwoReplicas, type PaymentWorld } from '../support/payments.js';
import { expectProblem } from '../support/problems.js';

let world: PaymentWorld;
let replica: TestApp;
useTwoReplicas((...started) => ([world, replica] = started));

const post = (operation: unknown, body: unknown, more: { key?: string | null; as?: string } = {}): Promise<TestResponse> =>
  world.send('POST', `/v1/operations/${String(operation)}/decision`, { body, ...more });
const endLease = (operation: string): Promise<unknown> =>
  world.database.query(`UPDATE idempotency_records SET lease_until = now() - interval '1 second' WHERE operation_id = $1`, [
    operationUuid(operation),
  ]);

/** News of a payment, and the run of the books that follows. */
async function lookAgain(payment: string): Promise<void> {
  const [row] = await world.database.query<{ reference: string }>('SELECT reference FROM payments WHERE id = $1', [uuidOf('pay', payment)]);
  const books = world.app.get(ProviderBooks, { strict: false });
  await books.lookAgain(ACCOUNT_A, row?.reference ?? '');
  await books.check();
}

/** The charge of a payment shows at the provider. */
async function showCharge(payment: string): Promise<void> {
  const [row] = await world.database.query<Record<string, string>>('SELECT reference, amount, currency FROM payments WHERE id = $1', [
    uuidOf('pay', payment),
  ]);
  const { reference = '', amount, currency } = row ?? {};
  const answer = await fetch(`${world.sandbox.url}/charges`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': reference },
    body: JSON.stringify({ reference, amount: Number(amount), currency, source: 'tok_visa' }),
  });
  expect(answer.status).toBe(201);
}

describe('a payment that happened, a person decides', () => {
  it('is its 201, in the story with who decided it and why; the decision\u2019s own key replays the story', async () => {
    const order = await world.placeOrder();
    const { key, operation, payment } = await flagPayment(world, order);
    const own = uuidv7();
    const logged = jest.spyOn(Logger.prototype, 'log');
    const answer = await decide(world, operation, HAPPENED, { key: own });
    const acts = logged.mock.calls.map(([line]) => line as Record<string, unknown>).filter(({ act }) => act === 'review.decided');
    logged.mockRestore();
    expect(acts).toEqual([
      {
        act: 'review.decided',
        actor: `key_${KEY_A.split('_')[2]}`,
        accountId: publicId('acct', ACCOUNT_A),
        operationId: operation,
        outcome: 'happened',
      },
    ]);
    expect([answer.status, answer.body]).toEqual([
      200,
      expect.objectContaining({ id: operation, status: 'completed', response: { status: 201 } }),
    ]);
    const told = (answer.body['timeline'] as { event: string; detail: string }[]).slice(-2);
    expect(told.map(({ event, detail }) => [event, detail])).toEqual([
      ['decided', `happened, by key_${KEY_A.split('_')[2]}: seen in the dashboard`],
      ['settled', '201'],
    ]);
    const again = await post(operation, HAPPENED, { key: own });
    expect([again.text, again.headers.get('idempotent-replayed')]).toEqual([answer.text, 'true']);
    const replay = await world.pay(order, 'tok_visa', { key, on: replica });
    expect([replay.status, replay.body]).toEqual([
      201,
      expect.objectContaining({ id: payment, status: 'succeeded', providerReference: 'ch_seen', failureCode: null }),
    ]);
    expect([await reviewOf(world, payment), (await world.stateOf(order)).order]).toEqual([null, 'paid']);
  });

  it('without the provider\u2019s name of it learns that once the charge shows; a refund before that is refused and flagged', async () => {
    const order = await world.placeOrder();
    const { operation, payment } = await flagPayment(world, order);
    expect((await decide(world, operation, { outcome: 'happened', note: 'on the statement' })).status).toBe(200);
    await world.faults({});
    expectProblem(await world.refund(payment, {}, { headers: WAIT }), 'refund-declined');
    expect(await reviewOf(world, payment)).toMatch(/books differ/);
    await showCharge(payment);
    await lookAgain(payment);
    const [charge] = await world.chargesOf(order);
    expect((await world.send('GET', `/v1/payments/${payment}`)).body).toMatchObject({ status: 'succeeded', providerReference: charge?.id });
    expect((await world.refund(payment, {}, { headers: WAIT })).status).toBe(201);
  });
});

describe('a payment that did not happen, a person decides', () => {
  it('is 402 with decided_not_charged, and its order is paid under a new key', async () => {
    const order = await world.placeOrder();
    const { key, operation, payment } = await flagPayment(world, order);
    expect((await decide(world, operation, DID_NOT)).body).toMatchObject({ status: 'completed', response: { status: 402 } });
    await world.faults({});
    const replay = await world.pay(order, 'tok_visa', { key });
    expectProblem(replay, 'payment-declined');
    expect(replay.body['payment']).toMatchObject({ id: payment, status: 'failed', failureCode: 'decided_not_charged' });
    expect((await world.pay(order, 'tok_visa', { headers: WAIT })).status).toBe(201);
    expect(await world.stateOf(order)).toMatchObject({ order: 'paid', payments: ['failed', 'succeeded'], charges: 1 });
  });

  it('whose charge shows later all the same is refunded once and flagged, never booked', async () => {
    const order = await world.placeOrder();
    const { key, operation, payment } = await flagPayment(world, order);
    await decide(world, operation, DID_NOT);
    await world.faults({});
    await lookAgain(payment);
    expect(await countOf(world.database, 'refunds', 'payment_id = $1', [uuidOf('pay', payment)])).toBe(0);
    await showCharge(payment);
    for (const _time of [1, 2]) await lookAgain(payment);
    await eventually('the late charge to be refunded', async () => (await world.stateOf(order)).amountRefunded === order.total);
    await lookAgain(payment);
    expect(await world.stateOf(order)).toEqual({
      order: 'pending',
      payments: ['failed'],
      amountRefunded: order.total,
      charges: 1,
      refunded: order.total,
    });
    expect(await world.refundsOf(order)).toHaveLength(1);
    expect(await reviewOf(world, payment)).toBe('the charge showed after it was concluded that it did not happen, and it is refunded');
    expectProblem(await world.pay(order, 'tok_visa', { key }), 'payment-declined');
    const differences = namesOf(await auditWorld(world)).filter((name) => name.includes(payment) || name.includes(order.id));
    expect(differences).toEqual([]);
  });
});

it('an event of the provider tells of a charge that shows later', async () => {
  const order = await world.placeOrder();
  const { operation, payment } = await flagPayment(world, order);
  await decide(world, operation, DID_NOT);
  await world.restartSandbox({ webhooks: true });
  await showCharge(payment);
  const isDue = 'id = $1 AND check_at <= now()';
  await eventually('the event to arrive', async () => (await countOf(world.database, 'payments', isDue, [uuidOf('pay', payment)])) === 1);
  await world.app.get(ProviderBooks, { strict: false }).check();
  await eventually('the late charge to be refunded', async () => (await world.stateOf(order)).refunded === order.total);
  expect(await world.stateOf(order)).toMatchObject({ order: 'pending', payments: ['failed'], charges: 1 });
  await world.restartSandbox();
});

describe('a refund', () => {
  it.each([
    [HAPPENED, 201, 'succeeded', null, 0],
    [DID_NOT, 402, 'failed', 'decided_not_charged', 1],
  ])('decided as %j is %d', async (body, status, refundStatus, failureCode, left) => {
    const order = await world.placeOrder();
    const paid = await world.pay(order);
    const { key, operation, payment, refund } = await flagRefund(world, String(paid.body['id']));
    expect((await decide(world, operation, body)).status).toBe(200);
    const replay = await world.refund(payment, {}, { key });
    expect([replay.status, replay.body['refund'] ?? replay.body]).toEqual([
      status,
      expect.objectContaining({ id: refund, status: refundStatus, failureCode }),
    ]);
    const where = 'id = $1 AND amount - amount_reserved = $2 AND review_reason IS NULL';
    expect(await countOf(world.database, 'payments', where, [uuidOf('pay', payment), left * order.total])).toBe(1);
  });

  it('leaves what the provider\u2019s books, or another refund, left to be looked at', async () => {
    const order = await world.placeOrder();
    const paid = await world.pay(order);
    const { operation, payment } = await flagRefund(world, String(paid.body['id']));
    const disputed = `review_reason = review_reason || '; the charge is disputed'`;
    await world.database.query(`UPDATE payments SET ${disputed} WHERE id = $1`, [uuidOf('pay', payment)]);
    const before = await attemptOf(operation);
    await eventually('it to be flagged once more', async () => (await attemptOf(operation)) > before + 1);
    expect(await reviewOf(world, payment)).toMatch(/the charge is disputed/);
    await decide(world, operation, HAPPENED);
    expect(await reviewOf(world, payment)).toBe('the charge is disputed');
  });
});

it('of a cancelled order\u2019s refund, the cancelling goes on and its key answers the cancelled order', async () => {
  const order = await world.placeOrder();
  const paid = await world.pay(order);
  const key = uuidv7();
  await world.faults({ refuse: 1 });
  const cancelled = await world.cancel(order, { key });
  expect(cancelled.status).toBe(202);
  const payment = String(paid.body['id']);
  await eventually('the refund to be flagged', async () => (await reviewOf(world, payment)) !== null);
  expect((await decide(world, String(cancelled.headers.get('operation-id')), HAPPENED)).status).toBe(200);
  await world.faults({});
  const replay = await world.cancel(order, { key });
  expect([replay.status, replay.body['status']]).toEqual([200, 'cancelled']);
  expect(await world.stateOf(order)).toMatchObject({ amountRefunded: order.total });
});

describe('is refused', () => {
  it('where nothing is flagged: not-under-review', async () => {
    const paid = await world.pay(await world.placeOrder());
    const operation = paid.headers.get('operation-id');
    const key = uuidv7();
    for (const _time of [1, 2]) expectProblem(await post(operation, HAPPENED, { key }), 'not-under-review');
  });

  it('while somebody has it in hand: operation-running, and the key stays unused', async () => {
    const { operation } = await flagPayment(world, await world.placeOrder());
    const key = uuidv7();
    const inHand = `lease_until = now() + interval '1 hour', attempt = attempt + 1`;
    await world.database.query(`UPDATE idempotency_records SET ${inHand} WHERE operation_id = $1`, [operationUuid(operation)]);
    expectProblem(await post(operation, DID_NOT, { key }), 'operation-running');
    expect(await recordsOf(world.database, key)).toEqual([]);
    await endLease(operation);
    expect((await decide(world, operation, DID_NOT, { key })).status).toBe(200);
  });

  it('with another scope than admin, from another account, without a key, and with a body that decides nothing', async () => {
    const { operation } = await flagPayment(world, await world.placeOrder());
    const as = await addApiKey(world.database, ['operations:write', 'payments:write', 'operations:read']);
    expectProblem(await post(operation, DID_NOT, { as }), 'insufficient-scope');
    expectProblem(await post(operation, DID_NOT, { as: KEY_B }), 'not-found');
    expectProblem(await post(operation, DID_NOT, { key: null }), 'idempotency-key-missing');
    for (const body of [{}, { outcome: 'happened' }, { outcome: 'perhaps', note: 'x' }, { ...DID_NOT, note: '' }]) {
      expectProblem(await post(operation, body), 'invalid-request');
    }
    expect((await decide(world, operation, DID_NOT)).status).toBe(200);
  });

  it('where the provider can tell by now: what it tells counts', async () => {
    const order = await world.placeOrder();
    const { key, operation, payment } = await flagPayment(world, order);
    await keepFromRecoverer(world, operation);
    await world.faults({});
    await showCharge(payment);
    expectProblem(await decide(world, operation, DID_NOT), 'not-under-review');
    expect((await world.pay(order, 'tok_visa', { key, headers: WAIT })).status).toBe(201);
    expect([await world.stateOf(order), await settledDecisions(world, operation)]).toEqual([
      expect.objectContaining({ order: 'paid', charges: 1 }),
      0,
    ]);
  });
});

describe('one outcome, whatever races', () => {
  it.each([1, 2, 3])('with other decisions, on two replicas, and with retries of the client (%d)', async () => {
    const order = await world.placeOrder();
    const { key, operation } = await flagPayment(world, order);
    const answers = await Promise.all([
      ...[HAPPENED, DID_NOT, HAPPENED, DID_NOT].map((body, at) => decide(world, operation, body, { on: at % 2 ? replica : world })),
      ...[world, replica].map((on) => world.pay(order, 'tok_visa', { key, on, headers: WAIT })),
    ]);
    const decisions = answers.slice(0, 4);
    expect(decisions.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const answer of decisions) if (answer.status !== 200) expectProblem(answer, 'not-under-review');
    expect(await settledDecisions(world, operation)).toBe(1);
    const [record] = await recordsOf(world.database, key);
    const winner = decisions.findIndex(({ status }) => status === 200);
    expect(record?.response_status).toBe(winner % 2 ? 402 : 201);
    for (const { status, text } of answers.slice(4)) {
      if (status !== 202 && status !== 409) expect(text).toBe(String(record?.response_body));
    }
    expect(await world.stateOf(order)).toMatchObject(
      winner % 2 ? { order: 'pending', payments: ['failed'] } : { order: 'paid', payments: ['succeeded'] },
    );
  });

  it('with one that took the operation over while the provider was asked: the one before writes nothing', async () => {
    const order = await world.placeOrder();
    const { key, operation } = await flagPayment(world, order);
    await keepFromRecoverer(world, operation);
    await world.faults({ error500: 1, latencyMs: 500 });
    const first = post(operation, DID_NOT);
    const isTaken = async (): Promise<boolean> => (await timelineOf(operation)).some((detail) => detail.startsWith('by a decision'));
    await eventually('the first one to have it', isTaken);
    await endLease(operation);
    const second = await decide(world, operation, HAPPENED, { on: replica });
    expect([(await first).status, second.status, await settledDecisions(world, operation)]).toEqual([409, 200, 1]);
    const [record] = await recordsOf(world.database, key);
    expect([record?.response_status, await world.stateOf(order)]).toEqual([
      201,
      expect.objectContaining({ order: 'paid', payments: ['succeeded'] }),
    ]);
    expect((await timelineOf(operation)).filter((detail) => detail.includes(', by key_'))).toHaveLength(1);
  });

  it('with an answer of the provider that comes too late: it settles nothing, and its charge is refunded', async () => {
    const order = await world.placeOrder();
    const { key, operation, payment } = await flagPayment(world, order);
    const provider = await world.sandbox.hold();
    await world.faults({});
    // A charge waits at the provider; whoever sent it loses its lease.
    await untilBlocked(world.sandbox.database);
    await endLeaseIfAny(operation);
    const decided = await decide(world, operation, DID_NOT);
    await provider.release();
    expect(decided.status).toBe(200);
    await eventually('the late charge', async () => (await world.chargesOf(order)).length === 1);
    await lookAgain(payment);
    await eventually('it to be refunded', async () => (await world.stateOf(order)).refunded === order.total);
    expect(await world.stateOf(order)).toMatchObject({ order: 'pending', payments: ['failed'] });
    expectProblem(await world.pay(order, 'tok_visa', { key }), 'payment-declined');
  });
});

async function timelineOf(operation: string): Promise<string[]> {
  const { body } = await world.send('GET', `/v1/operations/${operation}`);
  return (body['timeline'] as { detail: string }[]).map(({ detail }) => detail);
}

async function attemptOf(operation: string): Promise<number> {
  const [row] = await world.database.query<{ attempt: number }>('SELECT attempt FROM idempotency_records WHERE operation_id = $1', [
    operationUuid(operation),
  ]);
  return row?.attempt ?? 0;
}

async function isLeased(operation: string): Promise<boolean> {
  return (
    (await countOf(world.database, 'idempotency_records', 'operation_id = $1 AND lease_until > now()', [operationUuid(operation)])) === 1
  );
}

async function endLeaseIfAny(operation: string): Promise<void> {
  if (await isLeased(operation)) await endLease(operation);
}
