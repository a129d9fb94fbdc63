import type { PoolClient, QueryResult } from 'pg';
import { claimCheck } from '../../src/idempotency/requests/claim-check.js';
import { withDuplicates } from '../../src/idempotency/requests/duplicates.js';
import { publicOperationId } from '../../src/idempotency/operation-id.js';
import type { OpeningCheck } from '../../src/idempotency/postgres/opening-check.js';
import type { Call, Statement } from '../../src/idempotency/postgres/statement.js';
import type { Intent } from '../../src/idempotency/records/record.store.js';
import { appendTimeline } from '../../src/idempotency/records/story.store.js';
import { firstHeld, providerKeyOf } from '../../src/idempotency/steps/held-operation.js';
import { completeHeld, fenceCheck, insertRunning } from '../../src/idempotency/steps/operation.store.js';
import type { Transaction } from '../../src/idempotency/transaction.js';
import { publicId, uuidOf } from '../../src/kernel/ids.js';
import { readHead, updateOrder } from '../../src/orders/order.store.js';
import { findObstacles } from '../../src/payments/obstacles.store.js';
import { PaymentView, type CreatePayment } from '../../src/payments/payment.dto.js';
import type { Payment } from '../../src/payments/payment.entity.js';
import { finishPayment, lockWithOrder, openPayment } from '../../src/payments/payment.store.js';
import { referenceOf } from '../../src/payments/provider/ask.js';
import { SandboxProvider } from '../../src/payments/provider/sandbox-provider.js';
import { RestoreGate } from '../../src/payments/restore/restore-gate.js';
import { Refusal, config, inTransaction, serveByHand, type Answered } from './by-hand.js';
import { flight, type Query } from './order-work.js';

/**
 * A payment by hand on node:http and node-postgres: the service's statements in its two transactions, of two flights each, and one call
 * of the provider between them; key, fingerprint, validation and log line included. No framework, one route, no second case.
 */
const OPERATION = 'POST /v1/payments';
const STEP = 'payments.charge';
const LEASES = { leaseMs: 30_000, recoveryIntervalMs: 2_000 };
const LATE = { policy: 'refuse', horizonMs: 400 * 86_400_000 } as const;

const provider = new SandboxProvider(config.providerUrl);
const gate = new RestoreGate(config);

serveByHand('/v1/payments', ({ accountId, key, body, fingerprint, operationId, requestId }) => {
  const named = { accountId, key, operationId, operation: OPERATION, fingerprint };
  const kept = { windowMs: config.window, duplicateWindowMs: 120_000, traceId: requestId, traceparent: null };
  return pay({ ...named, ...kept }, validated(body as CreatePayment));
});

function validated(body: CreatePayment): CreatePayment {
  if (typeof body.orderId !== 'string' || !Number.isInteger(body.amount) || typeof body.source !== 'string') throw new Refusal(400);
  return body;
}

async function pay(intent: Intent, body: CreatePayment): Promise<Answered> {
  const { accountId } = intent;
  const providerKey = providerKeyOf({ accountId, key: intent.key, step: STEP, stepNo: 1 });
  const reference = referenceOf(providerKey);
  const payment = await inTransaction((client) => open(client, intent, body, reference));
  const { amount, currency, source, orderId } = payment;
  const operation = publicOperationId(intent.operationId);
  const origin = { order: publicId('ord', orderId), payment: publicId('pay', payment.id), operation };
  const asked = { account: publicId('acct', accountId), reference, amount, currency, source, origin };
  const outcome = await provider.charge(asked, providerKey, config.providerTimeout);
  if (outcome.kind !== 'succeeded') throw new Error(`the provider said ${outcome.kind}`);
  return inTransaction((client) => settle(client, intent, payment.id, outcome.providerReference));
}

async function open(client: PoolClient, intent: Intent, body: CreatePayment, reference: string): Promise<Payment> {
  const { accountId } = intent;
  const orderId = uuidOf('ord', body.orderId) ?? '';
  const check = withDuplicates(claimCheck(intent, LATE), intent, false);
  const reads = new Together(intent, true);
  const asked = Promise.all([
    gate.enter(reads.tx, accountId, reference),
    readHead(reads.tx, accountId, orderId),
    findObstacles(reads.tx, { accountId, orderId }, { order: 10, account: 60 }),
  ]);
  const { now } = checked(check, await reads.send(client, check.calls()));
  const [, order, obstacles] = await asked;
  if (order?.status !== 'pending' || order.total !== body.amount || obstacles.inFlight) throw new Error('the order is not payable');
  const writes = new Together(intent, true);
  const { amount, currency, source } = body;
  const payment = openPayment(writes.tx, { accountId, orderId, amount, currency, source, reference, deadline: null }, now);
  const content = JSON.stringify(PaymentView.of(payment));
  const pending = { status: 202, headers: { 'content-type': 'application/json; charset=utf-8' }, body: content };
  const started = { step: STEP, subjectId: payment.id, pending, resource: `/v1/payments/${publicId('pay', payment.id)}` };
  await writes.commit(client, [
    appendTimeline(intent, ['claimed', OPERATION], ['step-started', STEP]),
    insertRunning(intent, started, LEASES),
  ]);
  return payment;
}

async function settle(client: PoolClient, intent: Intent, paymentId: string, providerReference: string): Promise<Answered> {
  const { accountId } = intent;
  const held = firstHeld(intent, { step: STEP, subjectId: paymentId, pending: { status: 202, headers: {}, body: '' } });
  const check = fenceCheck(held);
  const reads = new Together(intent, false);
  const locking = lockWithOrder(reads.tx, accountId, paymentId);
  const { now } = checked(check, await reads.send(client, check.calls()));
  const { order, payment } = await locking;
  const writes = new Together(intent, false);
  const finished = finishPayment(writes.tx, { ...payment, status: 'succeeded', providerReference, reviewReason: null, updatedAt: now });
  updateOrder(writes.tx, accountId, { ...order, status: 'paid', version: order.version + 1, updatedAt: now }, 'paid');
  const content = JSON.stringify(PaymentView.of(finished));
  const path = `/v1/payments/${publicId('pay', paymentId)}`;
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    location: path,
    'operation-id': publicOperationId(intent.operationId),
  };
  const completed = await writes.commit(client, [
    appendTimeline(intent, ['provider-answered', `${STEP}, attempt 1`], ['settled', '201']),
    completeHeld(held, { status: 201, headers, body: content }, path),
  ]);
  const [{ expires_at: expiresAt }] = completed.rows as [{ expires_at: Date }];
  return { content, headers, expiresAt };
}

function checked<Found>(check: OpeningCheck<Found>, results: QueryResult[]): { now: Date } {
  const opened = check.evaluate(results);
  if (!opened.won) throw new Error('the claim was lost');
  return opened;
}

/** Statements that leave together: the verbs of a transaction of which the service's stores make use, and nothing else of it. */
class Together {
  readonly operationUuid: string;
  readonly idempotencyKey: string;
  readonly traceparent = null;
  private readonly calls: Call[] = [];
  private readonly heard: ((rows: unknown[]) => void)[] = [];

  constructor(
    { operationId, key }: Intent,
    readonly usedCached: boolean,
  ) {
    this.operationUuid = operationId;
    this.idempotencyKey = key;
  }

  get tx(): Transaction {
    return this as unknown as Transaction;
  }

  write(statement: Statement, values: unknown[]): void {
    this.calls.push({ ...statement, values });
  }

  run<R>(statement: Statement, values: unknown[] = []): Promise<R[]> {
    this.write(statement, values);
    return new Promise((resolve) => this.heard.push(resolve as (rows: unknown[]) => void));
  }

  read<R>(statement: Statement, values?: unknown[]): Promise<R[]> {
    return this.run(statement, values);
  }

  /** Begins a transaction with a check; gives the check's results. */
  async send(client: PoolClient, check: Call[]): Promise<QueryResult[]> {
    const results = await flight(client, ['BEGIN', ...([...check, ...this.calls] as Query[])]);
    for (const [at, hear] of this.heard.entries()) hear(results[1 + check.length + at]?.rows ?? []);
    return results.slice(1, 1 + check.length);
  }

  /** Ends it behind these calls; gives the result of the last of them. */
  async commit(client: PoolClient, behind: Call[]): Promise<QueryResult> {
    const results = await flight(client, [...([...this.calls, ...behind] as Query[]), 'COMMIT']);
    const [last, end] = results.slice(-2);
    if (!last || end?.command !== 'COMMIT') throw new Error('it did not commit');
    return last;
  }
}
