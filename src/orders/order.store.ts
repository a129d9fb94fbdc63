import type { Statement, Transaction } from '../idempotency/index.js';
import { appendEvent } from '../events/outbox.js';
import { OrderView } from './order.dto.js';
import type { Order, OrderItem, OrderStatus } from './order.entity.js';

/** The order's own row. */
export const INSERT_ORDER: Statement = {
  name: 'orders-insert',
  text: `INSERT INTO orders (account_id, id, status, currency, total, customer_reference, metadata, version, created_at, updated_at)
         VALUES ($1, $2, 'pending', $3, $4, $5, $6, 1, $7, $7)`,
};

/** Its lines, all at once. */
export const INSERT_ITEMS: Statement = {
  name: 'order-items-insert',
  text: `INSERT INTO order_items (account_id, order_id, line_no, product_id, name, quantity, unit_price)
         SELECT $1, $2, i.line_no, i.product_id, i.name, i.quantity, i.unit_price
           FROM unnest($3::text[], $4::text[], $5::int[], $6::bigint[]) WITH ORDINALITY
                AS i (product_id, name, quantity, unit_price, line_no)`,
};

/** What reads an order, with a lock or without one, and what reads its lines. */
export interface OrderReads {
  order: Statement;
  lines: Statement;
}

const ORDER = `SELECT id, status, currency, total, customer_reference, metadata, version, created_at, updated_at
                 FROM orders WHERE account_id = $1`;

/**
 * Locks an order: whoever changes it waits for the one before, and sees what that one left. `id`: an SQL expression that never changes its
 * value, of $1, the account, and $2.
 */
export function lockOn(what: string, id: string): OrderReads {
  return {
    order: { name: `${what}-lock`, text: `${ORDER} AND id = ${id} FOR NO KEY UPDATE` },
    lines: {
      name: `${what}-find-lines`,
      text: `SELECT product_id, name, quantity, unit_price FROM order_items WHERE account_id = $1 AND order_id = ${id} ORDER BY line_no`,
    },
  };
}

const BY_ID = lockOn('orders', '$2');
const AS_IT_STANDS: OrderReads = { order: { name: 'orders-read', text: `${ORDER} AND id = $2` }, lines: BY_ID.lines };

const HEAD = `SELECT id, status, currency, total FROM orders WHERE account_id = $1 AND id = $2`;
const FIND_HEAD: Statement = { name: 'orders-find-head', text: HEAD };
const LOCK_HEAD: Statement = { name: 'orders-lock-head', text: `${HEAD} FOR NO KEY UPDATE` };

const FIND_ORDER: Statement = {
  name: 'orders-find',
  text: `SELECT id FROM orders WHERE account_id = $1 AND id = $2`,
};

const UPDATE_ORDER: Statement = {
  name: 'orders-update',
  text: `UPDATE orders SET status = $3, customer_reference = $4, metadata = $5, version = $6, updated_at = $7
          WHERE account_id = $1 AND id = $2`,
};

/** An order as a transaction has it in hand. */
export type OrderState = Omit<Order, 'accountId' | 'items'> & { items: Pick<OrderItem, 'productId' | 'name' | 'quantity' | 'unitPrice'>[] };

/** Queues the rows of an order that was just placed, and its event. */
export function insertOrder(tx: Transaction, accountId: string, order: OrderState): void {
  const { id, currency, total, customerReference, metadata, items, createdAt } = order;
  tx.write(INSERT_ORDER, [accountId, id, currency, total, customerReference, JSON.stringify(metadata), createdAt]);
  tx.write(INSERT_ITEMS, [
    accountId,
    id,
    items.map((item) => item.productId),
    items.map((item) => item.name),
    items.map((item) => item.quantity),
    items.map((item) => item.unitPrice),
  ]);
  appendEvent(tx, accountId, 'order.created', OrderView.of(order));
}

/** Whether the account has this order. */
export async function orderExists(tx: Transaction, accountId: string, id: string): Promise<boolean> {
  return (await tx.read(FIND_ORDER, [accountId, id])).length > 0;
}

/** The order as it stands, which others may change. */
export function readOrder(tx: Transaction, accountId: string, id: string): Promise<OrderState | null> {
  return fetchOrder(tx, accountId, id, AS_IT_STANDS);
}

/** The order, locked until the transaction ends; `by`: where `id` is not its own. */
export function lockOrder(tx: Transaction, accountId: string, id: string, by: OrderReads = BY_ID): Promise<OrderState | null> {
  return fetchOrder(tx, accountId, id, by);
}

async function fetchOrder(tx: Transaction, accountId: string, id: string, { order, lines }: OrderReads): Promise<OrderState | null> {
  const values = [accountId, id];
  const [[row], items] = await Promise.all([tx.run<OrderRow>(order, values), tx.run<ItemRow>(lines, values)]);
  if (!row) return null;
  return {
    id: row.id,
    status: row.status,
    items: items.map((item) => ({
      productId: item.product_id,
      name: item.name,
      quantity: item.quantity,
      unitPrice: Number(item.unit_price),
    })),
    currency: row.currency,
    total: Number(row.total),
    customerReference: row.customer_reference,
    metadata: row.metadata,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

/** What a payment asks of its order. */
export type OrderHead = Pick<OrderState, 'id' | 'status' | 'currency' | 'total'>;

/** The order: locked until the transaction ends; or with `tx.usedCached` as it stands, and then whoever writes makes sure of it. */
export async function readHead(tx: Transaction, accountId: string, id: string): Promise<OrderHead | null> {
  const values = [accountId, id];
  const [row] = await (tx.usedCached ? tx.read<OrderHeadRow>(FIND_HEAD, values) : tx.run<OrderHeadRow>(LOCK_HEAD, values));
  return row ? { ...row, total: Number(row.total) } : null;
}

/** Queues what may change in an order, and the event of what became of it. */
export function updateOrder(tx: Transaction, accountId: string, order: OrderState, became: 'updated' | 'cancelled' | 'paid'): void {
  const { id, status, customerReference, metadata, version, updatedAt } = order;
  tx.write(UPDATE_ORDER, [accountId, id, status, customerReference, JSON.stringify(metadata), version, updatedAt]);
  appendEvent(tx, accountId, `order.${became}`, OrderView.of(order));
}

interface OrderHeadRow extends Record<string, unknown> {
  id: string;
  status: OrderStatus;
  currency: string;
  total: string;
}

interface OrderRow extends OrderHeadRow {
  customer_reference: string | null;
  metadata: Record<string, string>;
  version: number;
  created_at: Date;
  updated_at: Date;
}

interface ItemRow extends Record<string, unknown> {
  product_id: string;
  name: string;
  quantity: number;
  unit_price: string;
}
