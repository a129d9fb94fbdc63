import { v7 as uuidv7 } from 'uuid';
import { operationUuid } from '../../src/idempotency/index.js';
import { uuidOf } from '../../src/kernel/ids.js';
import type { TestApp, TestResponse } from './app.js';
import { eventually } from './eventually.js';
import { untilFinal, type PaymentWorld, type PlacedOrder } from './payments.js';

/** A payment or refund of which the provider can't tell, flagged for review. */
export interface FlaggedOperation {
  /** The client's key. */
  key: string;
  /** `op_…` */
  operation: string;
  payment: string;
}

/** Pays an order at a provider that answers nobody, until a person must look at it. The provider stays silent. */
export async function flagPayment(world: PaymentWorld, order: PlacedOrder): Promise<FlaggedOperation> {
  const key = uuidv7();
  await world.faults({ refuse: 1 });
  const answer = await untilAsked(() => world.pay(order, 'tok_visa', { key }));
  const payment = String(answer.body['id']);
  await untilFlagged(world, payment);
  return { key, operation: String(answer.headers.get('operation-id')), payment };
}

/** The same with a refund of all of a payment. */
export async function flagRefund(world: PaymentWorld, payment: string): Promise<FlaggedOperation & { refund: string }> {
  const key = uuidv7();
  await world.faults({ refuse: 1 });
  const answer = await untilAsked(() => world.refund(payment, {}, { key }));
  await untilFlagged(world, payment);
  return { key, operation: String(answer.headers.get('operation-id')), payment, refund: String(answer.body['id']) };
}

/** Has the recoverer leave the operation alone, once it is in nobody's hands: no attempt settles it before a decision does. */
export async function keepFromRecoverer(world: Pick<PaymentWorld, 'database'>, operation: string): Promise<void> {
  const left = `UPDATE idempotency_records SET next_run_at = now() + interval '1 hour' WHERE operation_id = $1 AND lease_until IS NULL RETURNING key`;
  await eventually('it to be in nobody’s hands', async () => {
    return (await world.database.query(`WITH kept AS (${left}) SELECT FROM kept`, [operationUuid(operation)])).length === 1;
  });
}

/** Why a person must look at a payment; null when nobody must. */
export async function reviewOf(world: Pick<PaymentWorld, 'database'>, payment: string): Promise<string | null> {
  const [row] = await world.database.query<{ review_reason: string | null }>('SELECT review_reason FROM payments WHERE id = $1', [
    uuidOf('pay', payment),
  ]);
  return row?.review_reason ?? null;
}

export const HAPPENED = { outcome: 'happened', providerReference: 'ch_seen', note: 'seen in the dashboard' };
export const DID_NOT = { outcome: 'did-not-happen', note: 'their support says so' };

/** Decides with one key, and sends it again for as long as the verdict says so. */
export async function decide(
  world: PaymentWorld,
  operation: string,
  body: unknown,
  { on = world, key = uuidv7() }: { on?: Pick<TestApp, 'send'>; key?: string } = {},
): Promise<TestResponse> {
  return untilFinal(() => on.send('POST', `/v1/operations/${operation}/decision`, { key, body }));
}

/** How many decisions about an operation were carried out. */
export async function settledDecisions(world: Pick<PaymentWorld, 'database'>, operation: string): Promise<number> {
  const [row] = await world.database.query<{ count: number }>(
    'SELECT count(settled_at)::int AS count FROM payment_decisions WHERE operation_id = $1',
    [operationUuid(operation)],
  );
  return row?.count ?? 0;
}

/** In a pause after many silent calls nothing is sent, which is a 503 and leaves nothing: sends until the provider is asked. */
export async function untilAsked(make: () => Promise<TestResponse>): Promise<TestResponse> {
  return eventually('the provider to be asked', () => make().then((answer) => answer.status !== 503 && answer), 40_000);
}

async function untilFlagged(world: PaymentWorld, payment: string): Promise<void> {
  await eventually('it to be flagged for review', async () => (await reviewOf(world, payment)) !== null);
}
