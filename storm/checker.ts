import { uuidOf } from '../src/kernel/ids.js';
import { EVENT_RULES } from './event-rules.js';
import { KEY_RULES, codeOf, hasPassed } from './key-rules.js';
import type { Operation } from './client.js';
import type { Facts, PaymentRow, RecordRow } from './facts.js';
import { SECRETS } from './world.js';

/** A rule that was broken, and where. */
export interface Violation {
  rule: Rule;
  what: string;
}

/** Keys of the storm are such. */
const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** What must hold after a storm, whatever happened in it. Each rule finds what breaks it. */
const RULES = {
  'every client gets an end': ({ operations }: Facts) =>
    operations.filter(({ end }) => end === 'stuck').map(({ key, path }) => `${path} under ${key} had none`),

  'all answers of one key are the same bytes': ({ operations }: Facts) =>
    operations.flatMap(({ key, answers: [first, ...others] }) =>
      others
        .filter((other) => !sameAnswer(other, first) && !isSealed(other))
        .map((other) => `${key}: first ${first?.status}, then ${other.status}: ${other.text}`),
    ),

  'the answer is the one that is stored': ({ operations, records }: Facts) => {
    const byKey = new Map(records.map((record) => [record.key, record]));
    return operations.flatMap(({ key, path, answers: [told] }) => {
      const stored = byKey.get(key);
      if (!told || isRefusedBefore(told.status) || isSealed(told)) return [];
      if (!stored) return [`${path} under ${key} was answered ${told.status} and has no record`];
      const answer = { status: stored.response_status ?? 0, text: stored.body, headers: stored.response_headers ?? {} };
      return sameAnswer(told, answer) ? [] : [`${key}: told ${told.status}, stored ${stored.status} ${stored.response_status}`];
    });
  },

  'nothing is left unfinished': ({ records, payments, refunds, operations }: Facts) => {
    const givenUp = new Set(operations.filter(({ end }) => end === 'gave-up').map(({ key }) => key));
    const excused = new Set(records.filter(({ key }) => givenUp.has(key)).map((record) => record.operation_id));
    const left = (what: string, rows: { operation_id: string }[]): string[] =>
      rows.filter((row) => !excused.has(row.operation_id)).map((row) => `${what} of operation ${row.operation_id}`);
    return [
      ...left('the record', records.filter(isRunning)),
      ...left('a payment', payments.filter(isProcessing)),
      ...left('a refund', refunds.filter(isProcessing)),
    ];
  },

  'only outcomes are stored': ({ records }: Facts) =>
    records
      .filter(({ status, response_status }) => status === 'completed' && !isOutcome(response_status ?? 0))
      .map(({ key, response_status }) => `${key} has ${response_status}`),

  'one order and one ticket for each key': (facts: Facts) => [
    ...unlikeRecords(facts, 'POST /v1/orders', facts.orders, 'ord'),
    ...unlikeRecords(facts, 'POST /v1/tickets', facts.tickets, 'tkt'),
  ],

  'what a batch told of its orders is what stands under their keys': ({ operations, records }: Facts) => {
    const byKey = new Map(records.map((record) => [record.key, record]));
    return operations.flatMap(({ key, path, body, answers: [told] }) => {
      if (path !== '/v1/orders/batch' || told?.status !== 200) return [];
      const { orders } = body as { orders: { idempotencyKey: string }[] };
      const { results } = JSON.parse(told.text) as { results: { status: number; order?: unknown; problem?: { code: string } }[] };
      const { atomic } = body as { atomic: boolean };
      const isUndone = atomic && results.some(({ status }) => status >= 400);
      return results.flatMap(({ status, order, problem }, index) => {
        const stored = byKey.get(orders[index]?.idempotencyKey ?? '');
        if (isUndone) return stored ? [`item ${index} of ${key} was rolled back and has a record`] : [];
        const same = stored?.response_status === status && stored.body === JSON.stringify(order ?? problem);
        return same ? [] : [`item ${index} of ${key}: told ${status}, stored ${stored?.response_status}`];
      });
    });
  },

  'every payment and refund belongs to a record': ({ records, payments, refunds }: Facts) => {
    const known = new Set(records.map((record) => record.operation_id));
    return [...payments, ...refunds]
      .filter((row) => !known.has(row.operation_id))
      .map((row) => `${row.id} has operation ${row.operation_id}`);
  },

  'one charge for each payment that succeeded, and none for any other': ({ payments, ledger }: Facts) => {
    const byReference = grouped(ledger.charges, ({ reference }) => reference);
    const ours = new Map(payments.map((payment) => [payment.reference, payment]));
    const wrong = payments.flatMap((payment) => {
      const charges = byReference.get(payment.reference) ?? [];
      const due = payment.status === 'succeeded' ? 1 : 0;
      // While nobody knows whether it happened, either may be true.
      if (payment.status === 'processing' && charges.length <= 1) return [];
      // What was charged has gone back, as a rule of its own says.
      if (hasPassed(payment) && charges.length <= 1) return [];
      if (charges.length !== due) return [`payment ${payment.id}, ${payment.status}, has ${charges.length} charges`];
      const [charge] = charges;
      if (!charge) return [];
      const same = charge.id === payment.provider_reference && charge.amount === payment.amount;
      return same ? [] : [`payment ${payment.id} of ${payment.amount} names another charge than ${charge.id} of ${charge.amount}`];
    });
    const orphans = ledger.charges.filter(({ reference }) => !ours.has(reference)).map(({ id }) => `charge ${id} belongs to no payment`);
    return [...wrong, ...orphans];
  },

  'one refund at the provider for each that succeeded, and none for any other': ({ refunds, ledger }: Facts) => {
    const made = new Map(ledger.refunds.map((refund) => [refund.id, refund]));
    const succeeded = refunds.filter(({ status }) => status === 'succeeded');
    const named = new Set(succeeded.map((refund) => refund.provider_reference));
    return [
      ...succeeded
        .filter((refund) => made.get(refund.provider_reference ?? '')?.amount !== refund.amount)
        .map(({ id }) => `refund ${id} was not made`),
      ...(named.size === succeeded.length ? [] : ['two refunds name the same one at the provider']),
      ...ledger.refunds.filter(({ id }) => !named.has(id)).map(({ id }) => `the provider's refund ${id} belongs to none here`),
    ];
  },

  'refunds add up and never exceed the payment': ({ payments, refunds, ledger }: Facts) => {
    const here = sums(refunds.filter(({ status }) => status === 'succeeded').map((refund) => [refund.payment_id, refund.amount]));
    const there = sums(ledger.refunds.map((refund) => [refund.chargeId, refund.amount]));
    return payments
      .filter((payment) => payment.status === 'succeeded' || hasPassed(payment))
      .filter((payment) => {
        const refunded = here.get(payment.id) ?? 0;
        const given = there.get(payment.provider_reference ?? '') ?? 0;
        const same = refunded === payment.amount_refunded && refunded === payment.amount_reserved && refunded === given;
        return !same || refunded > payment.amount;
      })
      .map(
        ({ id, amount, amount_refunded }) =>
          `payment ${id} of ${amount}, refunded ${amount_refunded}: the sums are ${here.get(id) ?? 0} here`,
      );
  },

  'an order is paid exactly when its money is here': ({ orders, payments }: Facts) => {
    const captured = grouped(
      payments.filter(({ status }) => status === 'succeeded'),
      (payment) => payment.order_id,
    );
    return orders
      .filter(({ id, status }) => !isConsistent(status, captured.get(id) ?? []))
      .map(({ id, status }) => `order ${id} is ${status}`);
  },

  'the stock adds up': ({ stock, orders, items }: Facts) => {
    const cancelled = new Set(orders.filter(({ status }) => status === 'cancelled').map(({ id }) => id));
    const sold = sums(items.filter((item) => !cancelled.has(item.order_id)).map((item) => [item.product_id, item.quantity]));
    return stock
      .filter(({ product, given, after }) => given - (sold.get(product) ?? 0) !== after)
      .map(({ product, given, after }) => `${product}: ${given} came, ${sold.get(product) ?? 0} sold and not returned, ${after} left`);
  },

  'what the client was told of its payment is true': ({ records, payments, orders }: Facts) => {
    const byOperation = new Map(payments.map((payment) => [payment.operation_id, payment]));
    const cancelled = new Set(orders.filter(({ status }) => status === 'cancelled').map(({ id }) => id));
    return records
      .filter(({ operation, status }) => operation === 'POST /v1/payments' && status === 'completed')
      .filter((record) => !agrees(record, byOperation.get(record.operation_id), cancelled))
      .map((record) => `${record.key} was told ${record.response_status}, the payment is ${byOperation.get(record.operation_id)?.status}`);
  },

  'what the client was told of its refund is true': ({ records, refunds }: Facts) => {
    const byOperation = new Map(refunds.map((refund) => [refund.operation_id, refund.status]));
    const told: Record<number, string> = { 201: 'succeeded', 402: 'failed' };
    return records
      .filter(({ operation, status }) => operation === 'POST /v1/payments/:id/refunds' && status === 'completed')
      .filter((record) => byOperation.get(record.operation_id) !== told[record.response_status ?? 0])
      .map((record) => `${record.key} was told ${record.response_status}, the refund is ${byOperation.get(record.operation_id)}`);
  },

  'no process ends by itself': ({ surprises }: Facts) => surprises,

  'no process writes down a key or a secret': ({ operations, records, written }: Facts) => {
    const keys = new Set([...operations, ...records].map(({ key }) => key));
    const found = new Set(written.match(UUID)?.filter((id) => keys.has(id)));
    const secrets = SECRETS.filter((secret) => written.includes(secret));
    return [...[...found].map((key) => `the key ${key} is in a log`), ...secrets.map((secret) => `the secret ${secret} is in a log`)];
  },

  ...KEY_RULES,
  ...EVENT_RULES,
} satisfies Record<string, (facts: Facts) => string[]>;

export type Rule = keyof typeof RULES;

/** Everything that is wrong after a storm; an empty list is the only good one. */
export function check(facts: Facts): Violation[] {
  return Object.entries(RULES).flatMap(([rule, find]) => find(facts).map((what) => ({ rule: rule as Rule, what })));
}

function sameAnswer(one: Operation['answers'][number], other: Operation['answers'][number] | undefined): boolean {
  if (one.status !== other?.status || one.text !== other.text) return false;
  return Object.entries(one.headers).every(([name, value]) => other.headers[name] === value);
}

/** No answer to the request, and not stored: the key was given up. */
function isSealed(answer: Operation['answers'][number]): boolean {
  return codeOf(answer) === 'idempotency-key-sealed';
}

/** Refused before execution: stores nothing. */
function isRefusedBefore(status: number): boolean {
  return [400, 401, 403, 413, 415, 428, 429].includes(status);
}

function isOutcome(status: number): boolean {
  return status !== 202 && status >= 200 && status < 500;
}

const isRunning = ({ status }: { status: string }): boolean => status === 'running';
const isProcessing = ({ status }: { status: string }): boolean => status === 'processing';

/** Rows without a record that made them, records without their row, and rows that two records claim. */
function unlikeRecords({ records }: Facts, operation: string, rows: { id: string }[], prefix: 'ord' | 'tkt'): string[] {
  const made = records.filter((record) => record.operation === operation && record.response_status === 201);
  const ids = made.map(({ resource }) => uuidOf(prefix, resource?.split('/').at(-1) ?? ''));
  const claimed = new Set(ids);
  const present = new Set(rows.map(({ id }) => id));
  return [
    ...(claimed.size === ids.length ? [] : [`two keys of ${operation} have the same resource`]),
    ...rows.filter(({ id }) => !claimed.has(id)).map(({ id }) => `${prefix} ${id} has no record`),
    ...ids.filter((id) => !present.has(id ?? '')).map((id) => `the record of ${prefix} ${id} has no row`),
  ];
}

function isConsistent(status: string, captured: PaymentRow[]): boolean {
  if (status === 'paid') return captured.filter((payment) => payment.amount > 0).length === 1;
  if (status === 'pending') return captured.length === 0;
  return captured.every((payment) => payment.amount_refunded === payment.amount);
}

function agrees(record: RecordRow, payment: PaymentRow | undefined, cancelled: Set<string>): boolean {
  if (record.response_status === 201) return payment?.status === 'succeeded';
  if (record.response_status === 402) return payment?.status === 'failed';
  // Refused: either nothing was made of it, or it came too late and what was charged has gone back: for its deadline, or for its order.
  return (
    !payment ||
    hasPassed(payment) ||
    (payment.status === 'succeeded' && payment.amount_refunded === payment.amount && cancelled.has(payment.order_id))
  );
}

function grouped<T>(rows: T[], nameOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(nameOf(row), [...(groups.get(nameOf(row)) ?? []), row]);
  return groups;
}

function sums(entries: [string, number][]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const [name, amount] of entries) totals.set(name, (totals.get(name) ?? 0) + amount);
  return totals;
}
