import { DataSource } from 'typeorm';
import { ProductsService } from '../../../src/catalog/products.service.js';
import { CoreObserver } from '../../../src/observability/core.observer.js';
import { HandlerTransaction } from '../../../src/idempotency/postgres/handler-transaction.js';
import { BatchesService } from '../../../src/orders/batches.service.js';
import { DeadlineRefundStep } from '../../../src/payments/deadline-refund.step.js';
import { DeliveryStore } from '../../../src/webhooks/delivery.store.js';
import type { Plan } from '../../../storm/plan.js';
import { CALM_RECEIVER } from '../../../storm/receiver.js';
import type { Saboteur } from './saboteurs.js';
import { override, replaceStatement, runSql } from './seams.js';

/** Enough for what each request does. */
const SMALL: Partial<Plan> = { operations: 24, stuckAfter: 6_000, restWithin: 3_000 };

/** Those that break what is told of effects, and of what a key can do besides. */
export const SABOTEURS_OF_WHAT_IS_TOLD: Saboteur[] = [
  {
    name: 'an event is lost',
    sabotage: loseEvents,
    plan: { ...SMALL, actions: { pay: 1 } },
    noticedBy: ['each version of an order, a ticket and a product has one event'],
  },
  {
    name: 'the outcome of a payment is not told',
    sabotage: loseOutcomes,
    plan: { ...SMALL, actions: { pay: 1 } },
    noticedBy: ['each outcome of a payment and a refund has one event'],
  },
  {
    name: 'an event is written outside of its transaction',
    sabotage: tellAtOnce,
    plan: { ...SMALL, actions: { batch: 1 }, cadence: { kill: 0, pause: 0, terminate: 2, sandbox: 0 } },
    noticedBy: ['no event tells of what was rolled back'],
  },
  {
    name: 'an atomic batch keeps what could be placed',
    sabotage: keepHalfOfBatches,
    plan: { ...SMALL, actions: { batch: 1 } },
    noticedBy: ['what a batch told of its orders is what stands under their keys'],
  },
  {
    name: 'the log has the keys of requests',
    sabotage: writeKeys,
    plan: { ...SMALL, actions: { order: 1 } },
    noticedBy: ['no process writes down a key or a secret'],
  },
  {
    name: 'a seal lets its request through',
    sabotage: sealNothing,
    plan: { ...SMALL, actions: { 'give-up': 1 } },
    noticedBy: ['a sealed key never executes'],
  },
  {
    name: 'what was charged after a deadline is not given back',
    sabotage: keepLateCharges,
    plan: { ...SMALL, actions: { 'pay-in-time': 1 } },
    noticedBy: ['a deadline that passed leaves nothing charged'],
  },
  {
    name: 'any request of a moment ago is a possible duplicate',
    sabotage: suspectAll,
    plan: { ...SMALL, actions: { pay: 1 } },
    noticedBy: ['a possible duplicate asks what another key has asked'],
  },
  {
    name: 'a stock is changed twice',
    sabotage: changeStockTwice,
    plan: { ...SMALL, actions: { product: 1, stock: 2 } },
    noticedBy: ['one change of a stock for each key'],
  },
  {
    name: 'a webhook is skipped',
    sabotage: skipDeliveries,
    plan: { ...SMALL, actions: { order: 1 } },
    noticedBy: ['every receiver has every event that it asked for'],
  },
  {
    name: 'a webhook overtakes the one before it',
    sabotage: reorderDeliveries,
    plan: { ...SMALL, actions: { pay: 1, cancel: 1 }, receiver: { ...CALM_RECEIVER, refuse: 0.3 } },
    noticedBy: ['no version is sent before the one below it was taken'],
  },
  {
    name: 'a webhook says something else than its event',
    sabotage: signForeignBytes,
    plan: { ...SMALL, actions: { order: 1 } },
    noticedBy: ['what receivers are told is signed, and stands in an event'],
  },
];

/** The events' own statement, with a condition that the service's doesn't have. */
function tellOnly(condition: string): void {
  const columns =
    'account_id, id, transaction_id, type, created_at, operation_id, idempotency_key, traceparent, resource_type, resource_id, resource_version, data';
  replaceStatement(
    'events-append',
    `INSERT INTO events (${columns})
     SELECT $1, $2, pg_current_xact_id()::text::bigint, $3, now(), $4, $5, $6, $7, $8, $9, $10 WHERE ${condition}`,
  );
}

function loseEvents(): void {
  tellOnly(`$3::text <> 'order.paid'`);
}

function loseOutcomes(): void {
  tellOnly(`$3::text <> 'payment.succeeded'`);
}

function tellAtOnce(): void {
  override(
    HandlerTransaction.prototype,
    'write',
    (write, used) =>
      function (this: HandlerTransaction, statement, values, violations) {
        if (statement.name !== 'events-append') return write.call(this, statement, values, violations);
        used();
        runSql(statement.text, values).catch(() => undefined);
      },
  );
}

function keepHalfOfBatches(): void {
  override(
    BatchesService.prototype,
    'place',
    (place, used) =>
      async function (this: BatchesService, tx, accountId, batch, requestId) {
        const told = await place.call(this, tx, accountId, { ...batch, atomic: false }, requestId);
        if (batch.atomic && told.results.some(({ status }) => status >= 400)) used();
        return told;
      },
  );
}

function sealNothing(): void {
  replaceStatement('idempotency-seal', 'SELECT $1::uuid, $2::text, $3::uuid, $4::bigint');
}

function keepLateCharges(): void {
  override(DeadlineRefundStep.prototype, 'call', (_call, used) => (refundId) => {
    used();
    return Promise.resolve({ kind: 'succeeded', providerReference: `never made ${refundId}` });
  });
}

function suspectAll(): void {
  replaceStatement(
    'idempotency-find-duplicate',
    `SELECT operation_id FROM idempotency_records
      WHERE account_id = $1 AND $2::text <> '' AND key <> $3 AND duplicate_until > clock_timestamp() LIMIT 1`,
  );
}

function changeStockTwice(): void {
  override(
    ProductsService.prototype,
    'changeStock',
    (change, used) =>
      async function (this: ProductsService, tx, product, body) {
        used();
        await change.call(this, tx, product, body);
        return change.call(this, tx, product, body);
      },
  );
}

/** One in four is said to be delivered. */
function skipDeliveries(): void {
  override(
    DeliveryStore.prototype,
    'claim',
    (claim, used) =>
      async function (this: DeliveryStore, wanted) {
        const claimed = await claim.call(this, wanted);
        const skipped = claimed.filter(({ id }) => /[0-3]$/.test(id));
        if (skipped.length > 0) used();
        for (const delivery of skipped) await this.delivered(delivery, { attempt: delivery.attempt, status: 204, error: null, ms: 1 });
        return claimed.filter((delivery) => !skipped.includes(delivery));
      },
  );
}

/** Nothing waits for what is pending of its resource, and the newest goes first. */
function reorderDeliveries(): void {
  override(
    DataSource.prototype,
    'query',
    (query, used) =>
      function (this: DataSource, text, ...more) {
        const careless = text.replace(/AND NOT EXISTS \(\s+SELECT FROM webhook_deliveries o[^)]+\) < \([^)]+\)\)/, '');
        if (careless !== text) used();
        return query.call(this, careless, ...more) as never;
      },
  );
}

function signForeignBytes(): void {
  override(
    DeliveryStore.prototype,
    'claim',
    (claim, used) =>
      async function (this: DeliveryStore, wanted) {
        used();
        return (await claim.call(this, wanted)).map((delivery) => ({
          ...delivery,
          body: delivery.body?.replace('"pending"', '"paid"') ?? null,
        }));
      },
  );
}

function writeKeys(): void {
  override(
    CoreObserver.prototype,
    'observe',
    (observe, used) =>
      function (this: CoreObserver, told) {
        used();
        process.stdout.write(`${JSON.stringify({ msg: 'request', key: told.key })}\n`);
        observe.call(this, told);
      },
  );
}
