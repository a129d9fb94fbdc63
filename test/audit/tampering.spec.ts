import { v7 as uuidv7 } from 'uuid';
import { operationUuid } from '../../src/idempotency/index.js';
import { publicId, uuidOf } from '../../src/kernel/ids.js';
import { ORDER } from '../support/app.js';
import { auditWorld, namesOf } from '../support/audit.js';
import { ACCOUNT_A } from '../support/ledger.js';
import { startPaymentWorld, type PaymentWorld } from '../support/payments.js';

let world: PaymentWorld;
beforeAll(async () => {
  world = await startPaymentWorld();
  // The auditor must find what the constraints would prevent, had somebody dropped them.
  await sql('DROP INDEX payments_one_per_order_idx, payments_reference_idx');
  await sql('ALTER TABLE payments DROP CONSTRAINT payments_refunds_check');
});
afterAll(() => world.close());

const sql = (text: string, ...values: unknown[]): Promise<unknown> => world.database.query(text, values);
const atProvider = (text: string, ...values: unknown[]): Promise<unknown> => world.sandbox.database.query(text, values);

/** A paid and partly refunded order, by its public ids, and the uuids behind them. */
interface Sale {
  order: string;
  product: string;
  payment: string;
  refund: string;
  operation: string;
  orderUuid: string | null;
  paymentUuid: string | null;
  refundUuid: string | null;
  charge: string;
  givenBack: string;
}

async function sell(): Promise<Sale> {
  const order = await world.placeOrder();
  const paid = await world.pay(order);
  const refunded = await world.refund(String(paid.body['id']), { amount: 100 });
  expect([paid.status, refunded.status]).toEqual([201, 201]);
  const [payment, refund] = [String(paid.body['id']), String(refunded.body['id'])];
  const [[charge], [givenBack]] = [await world.chargesOf(order), await world.refundsOf(order)];
  return {
    order: order.id,
    product: order.productId,
    payment,
    refund,
    operation: String(paid.headers.get('operation-id')),
    orderUuid: uuidOf('ord', order.id),
    paymentUuid: uuidOf('pay', payment),
    refundUuid: uuidOf('re', refund),
    charge: charge?.id ?? '',
    givenBack: givenBack?.id ?? '',
  };
}

const NEW = uuidv7();
const NEW_SUFFIX = publicId('ord', NEW).slice('ord_'.length);
const copyOf = (table: string, columns: string, values: string): string =>
  `INSERT INTO ${table} SELECT (jsonb_populate_record(t, ${values})).* FROM ${table} t WHERE ${columns}`;

/** What somebody does by hand, and the differences that must be reported for it, no more and no less. */
const CASES: [what: string, tamper: (sale: Sale) => Promise<unknown>, found: (sale: Sale) => string[]][] = [
  [
    'an order is deleted',
    async () => {
      const placed = await world.send('POST', '/v1/orders', { body: ORDER });
      await sql('DELETE FROM order_items WHERE order_id = $1', uuidOf('ord', placed.body['id']));
      await sql('DELETE FROM orders WHERE id = $1', uuidOf('ord', placed.body['id']));
      deleted = `/v1/orders/${placed.body['id']}`;
    },
    () => [`effect-missing ${deleted}`, 'stock-sum 123'],
  ],
  [
    'an order is doubled',
    async ({ orderUuid }) => {
      await sql(copyOf('orders', 'id = $1', `jsonb_build_object('id', $2::uuid, 'status', 'pending')`), orderUuid, NEW);
      await sql(copyOf('order_items', 'order_id = $1', `jsonb_build_object('order_id', $2::uuid)`), orderUuid, NEW);
    },
    ({ product }) => [
      `effect-without-operation /v1/orders/${publicId('ord', NEW)}`,
      `stock-sum ${product}`,
      `version-without-event ${publicId('ord', NEW)}`,
    ],
  ],
  [
    'an event of an order is deleted',
    ({ order }) => sql('DELETE FROM events WHERE resource_id = $1 AND resource_version = 1', order),
    ({ order }) => [`version-without-event ${order}`],
  ],
  [
    'the event of a payment that succeeded is deleted',
    ({ payment }) => sql(`DELETE FROM events WHERE resource_id = $1 AND type = 'payment.succeeded'`, payment),
    ({ payment }) => [`version-without-event ${payment}`],
  ],
  [
    'a stock is changed',
    ({ product }) => sql('UPDATE products SET stock = stock + 1 WHERE id = $1', product),
    ({ product }) => [`stock-sum ${product}`],
  ],
  [
    'a line of an order is deleted',
    ({ orderUuid }) => sql('DELETE FROM order_items WHERE order_id = $1', orderUuid),
    ({ order, product }) => [`order-total ${order}`, `stock-sum ${product}`],
  ],
  [
    'a line of an order is doubled',
    ({ orderUuid }) => sql(copyOf('order_items', 'order_id = $1', `'{"line_no": 2}'`), orderUuid),
    ({ order, product }) => [`order-total ${order}`, `stock-sum ${product}`],
  ],
  [
    'the total of an order is changed',
    ({ orderUuid }) => sql('UPDATE orders SET total = total + 1 WHERE id = $1', orderUuid),
    ({ order, payment }) => [`order-total ${order}`, `payment-amount ${payment}`],
  ],
  [
    'a paid order is set back to pending',
    ({ orderUuid }) => sql(`UPDATE orders SET status = 'pending' WHERE id = $1`, orderUuid),
    ({ order }) => [`order-status ${order}`],
  ],
  [
    'a paid order is cancelled and its money kept',
    ({ orderUuid }) => sql(`UPDATE orders SET status = 'cancelled' WHERE id = $1`, orderUuid),
    ({ order, product }) => [`cancelled-order-keeps-money ${order}`, `stock-sum ${product}`],
  ],
  [
    'the record of an order is deleted',
    ({ order }) => sql('DELETE FROM idempotency_records WHERE resource = $1', `/v1/orders/${order}`),
    ({ order }) => [`effect-without-operation /v1/orders/${order}`],
  ],
  [
    'the record of an order is doubled',
    ({ order }) =>
      sql(
        copyOf('idempotency_records', 'resource = $1', `jsonb_build_object('key', $2::text, 'operation_id', $2::uuid)`),
        `/v1/orders/${order}`,
        uuidv7(),
      ),
    ({ order }) => [`effect-claimed-twice /v1/orders/${order}`],
  ],
  [
    'a ticket is deleted',
    async () => {
      const ticket = await world.send('POST', '/v1/tickets', { body: { subject: 'a', description: 'b', priority: 'low' } });
      await sql('DELETE FROM tickets WHERE id = $1', uuidOf('tkt', ticket.body['id']));
      deleted = String(ticket.headers.get('location'));
    },
    () => [`effect-missing ${deleted}`],
  ],
  [
    'a payment and its refund are deleted',
    async ({ paymentUuid }) => {
      await sql('DELETE FROM refunds WHERE payment_id = $1', paymentUuid);
      await sql('DELETE FROM payments WHERE id = $1', paymentUuid);
    },
    ({ order, payment, refund, charge, givenBack }) => [
      `charge-unknown-here ${charge}`,
      `effect-missing /v1/payments/${payment}`,
      `effect-missing /v1/refunds/${refund}`,
      `order-status ${order}`,
      `refund-unknown-here ${givenBack}`,
    ],
  ],
  [
    'a payment is doubled, with another reference',
    ({ paymentUuid }) =>
      sql(
        copyOf(
          'payments',
          'id = $1',
          `jsonb_build_object('id', $2::uuid, 'reference', 'hf_copy', 'amount_refunded', 0, 'amount_reserved', 0)`,
        ),
        paymentUuid,
        NEW,
      ),
    ({ order, operation }) => [
      `charge-missing ${publicId('pay', NEW)}`,
      `operation-with-two-effects ${operation}`,
      `order-paid-twice ${order}`,
      `order-status ${order}`,
      `version-without-event ${publicId('pay', NEW)}`,
    ],
  ],
  [
    'the amount of a payment is changed',
    ({ paymentUuid }) => sql('UPDATE payments SET amount = amount + 1 WHERE id = $1', paymentUuid),
    ({ payment }) => [`charge-differs ${payment}`, `payment-amount ${payment}`],
  ],
  [
    'the currency of a payment is changed',
    ({ paymentUuid }) => sql(`UPDATE payments SET currency = 'USD' WHERE id = $1`, paymentUuid),
    ({ payment, refund }) => [`charge-differs ${payment}`, `payment-amount ${payment}`, `refund-currency ${refund}`],
  ],
  [
    'the charge that a payment names is another one',
    ({ paymentUuid }) => sql(`UPDATE payments SET provider_reference = 'ch_other' WHERE id = $1`, paymentUuid),
    ({ payment, refund }) => [`charge-differs ${payment}`, `refund-differs ${refund}`],
  ],
  [
    'a succeeded payment is called failed',
    ({ paymentUuid }) => sql(`UPDATE payments SET status = 'failed' WHERE id = $1`, paymentUuid),
    ({ order, payment }) => [
      `answer-against-payment ${payment}`,
      `charge-though-failed ${payment}`,
      `order-status ${order}`,
      `version-without-event ${payment}`,
    ],
  ],
  [
    'a succeeded payment is called processing',
    ({ paymentUuid }) => sql(`UPDATE payments SET status = 'processing' WHERE id = $1`, paymentUuid),
    ({ order, payment }) => [`answer-against-payment ${payment}`, `order-status ${order}`, `processing-without-operation ${payment}`],
  ],
  [
    'the record of a payment is deleted',
    ({ operation }) => sql('DELETE FROM idempotency_records WHERE operation_id = $1', operationUuid(operation)),
    ({ payment }) => [`effect-without-operation /v1/payments/${payment}`],
  ],
  [
    'a completed record is set back to running',
    ({ operation }) =>
      sql(
        `UPDATE idempotency_records SET status = 'running', next_run_at = now() + interval '1 day' WHERE operation_id = $1`,
        operationUuid(operation),
      ),
    ({ operation }) => [`running-without-effect ${operation}`],
  ],
  [
    'a refund is deleted',
    ({ refundUuid }) => sql('DELETE FROM refunds WHERE id = $1', refundUuid),
    ({ payment, refund, givenBack }) => [
      `effect-missing /v1/refunds/${refund}`,
      `refund-sums ${payment}`,
      `refund-unknown-here ${givenBack}`,
    ],
  ],
  [
    'a refund is doubled, with another reference',
    ({ refundUuid }) => sql(copyOf('refunds', 'id = $1', `jsonb_build_object('id', $2::uuid, 'reference', 'hf_copy')`), refundUuid, NEW),
    ({ payment, refund }) => [
      `operation-with-two-effects ${refundOperation(refund)}`,
      `refund-missing ${publicId('re', NEW)}`,
      `refund-sums ${payment}`,
      `version-without-event ${publicId('re', NEW)}`,
    ],
  ],
  [
    'the amount of a refund is changed',
    ({ refundUuid }) => sql('UPDATE refunds SET amount = amount - 1 WHERE id = $1', refundUuid),
    ({ payment, refund }) => [`refund-differs ${refund}`, `refund-sums ${payment}`],
  ],
  [
    'a refund whose key answers that it was made is called declined',
    ({ refundUuid }) => sql(`UPDATE refunds SET status = 'failed', provider_reference = NULL WHERE id = $1`, refundUuid),
    ({ payment, refund }) => [
      `answer-against-refund ${refund}`,
      `refund-sums ${payment}`,
      `refund-though-failed ${refund}`,
      `version-without-event ${refund}`,
    ],
  ],
  [
    'what a payment says was refunded is changed',
    ({ paymentUuid }) => sql('UPDATE payments SET amount_refunded = 0 WHERE id = $1', paymentUuid),
    ({ payment }) => [`refund-sums ${payment}`],
  ],
  [
    'the provider loses a charge and its refund',
    async ({ charge }) => {
      await atProvider('DELETE FROM refunds WHERE charge_id = $1', charge);
      await atProvider('DELETE FROM charges WHERE id = $1', charge);
    },
    ({ payment, refund }) => [`charge-missing ${payment}`, `refund-missing ${refund}`],
  ],
  [
    'the provider charged twice under one reference',
    ({ charge }) => atProvider(copyAtProvider('charges', `'{"id": "ch_copy", "key": "copy"}'`), charge),
    ({ payment }) => [`charge-differs ${payment}`, `charge-twice ${payment}`],
  ],
  [
    'the provider made a charge that nobody asked for',
    ({ charge }) => atProvider(copyAtProvider('charges', `'{"id": "ch_alien", "key": "alien", "reference": "alien"}'`), charge),
    () => ['charge-unknown-here ch_alien'],
  ],
  [
    'the provider changes the amount of a charge',
    ({ charge }) => atProvider('UPDATE charges SET amount = amount + 1000000 WHERE id = $1', charge),
    ({ payment }) => [`charge-differs ${payment}`],
  ],
  [
    'the provider changes the currency of a refund',
    ({ givenBack }) => atProvider(`UPDATE refunds SET currency = 'USD' WHERE id = $1`, givenBack),
    ({ refund }) => [`refund-differs ${refund}`],
  ],
  [
    'the provider refunded twice under one reference',
    ({ givenBack }) => atProvider(copyAtProvider('refunds', `'{"id": "rf_copy", "key": "copy"}'`), givenBack),
    ({ refund }) => [`refund-differs ${refund}`, `refund-twice ${refund}`],
  ],
];

let deleted = '';
let operations = new Map<string, string>();
const refundOperation = (refund: string): string => operations.get(refund) ?? '';

/** The column `seq` fills itself. */
function copyAtProvider(table: string, changed: string): string {
  const columns = {
    charges: 'id, key, reference, amount, currency, source, created_at',
    refunds: 'id, charge_id, key, reference, amount, currency, created_at',
  }[table];
  return `INSERT INTO ${table} (${columns}) SELECT ${columns} FROM (SELECT (jsonb_populate_record(t, ${changed})).* FROM ${table} t WHERE id = $1) c`;
}

it.each(CASES)('when %s, that is found and named', async (_what, tamper, found) => {
  const sale = await sell();
  const [row] = await world.database.query<{ id: string }>('SELECT operation_id AS id FROM refunds WHERE id = $1', [sale.refundUuid]);
  operations = new Map([[sale.refund, publicId('op' as 'ord', row?.id ?? '')]]);
  await clean();
  await tamper(sale);
  const after = await auditWorld(world);
  const names = namesOf(after);
  expect(names.filter((name) => !known.has(name))).toEqual(found(sale).sort());
  for (const name of names) known.add(name);
  for (const place of after.differences.flatMap(({ places }) => places)) {
    expect(place).toMatchObject({ detail: expect.stringMatching(/\w/) });
    if (!/unknown-here/.test(place.kind)) expect(place.account).toBe(publicId('acct', ACCOUNT_A));
  }
});

/** Differences of earlier cases, which stay. */
const known = new Set<string>();

/** Frees the id that cases give to what they double. */
async function clean(): Promise<void> {
  for (const name of [...known].filter((each) => each.includes(NEW_SUFFIX))) known.delete(name);
  await sql('DELETE FROM payments WHERE id = $1', NEW);
  await sql('DELETE FROM refunds WHERE id = $1', NEW);
  await sql('DELETE FROM order_items WHERE order_id = $1', NEW);
  await sql('DELETE FROM orders WHERE id = $1', NEW);
}

it('differences of one kind are counted beyond those that are kept', async () => {
  await sql(
    `INSERT INTO orders SELECT $1, gen_random_uuid(), 'pending', 'EUR', 1, NULL, '{}', 1, now(), now() FROM generate_series(1, 1234)`,
    ACCOUNT_A,
  );
  const { differences } = await auditWorld(world);
  const findings = differences.find(({ kind }) => kind === 'order-total');
  expect(findings?.count).toBeGreaterThanOrEqual(1_234);
  expect(findings?.places).toHaveLength(1_000);
});

it('where late requests are executed, a row without its record is no difference, and the report says so', async () => {
  const { order } = await sell();
  await sql('DELETE FROM idempotency_records WHERE resource = $1', `/v1/orders/${order}`);
  const report = await auditWorld(world, { lateRequests: 'execute' });
  expect(namesOf(report).filter((name) => name.includes(order))).toEqual([]);
  expect(report.notAudited).toContainEqual(expect.stringMatching(/^rows without operation/));
});
