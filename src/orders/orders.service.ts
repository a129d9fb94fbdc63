import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, type Repository } from 'typeorm';
import { CatalogService, type PricedLine } from '../catalog/catalog.service.js';
import { checkIfMatch } from '../http/etag.js';
import type { Statement, Transaction } from '../idempotency/index.js';
import { newId, uuidOf } from '../kernel/ids.js';
import type { Page } from '../http/page.js';
import { MAX_AMOUNT } from '../kernel/money.js';
import { Problem, noSuch } from '../http/problem.js';
import { findByPublicId, pageBy } from '../http/reads.js';
import { OrderView, type CreateOrder, type ListOrders, type UpdateOrder } from './order.dto.js';
import { Order, OrderItem, type OrderStatus } from './order.entity.js';

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

/** Locks the order: whoever changes it waits for the one before, and sees what that one left. */
const LOCK_ORDER: Statement = {
  name: 'orders-lock',
  text: `SELECT id, status, currency, total, customer_reference, metadata, version, created_at, updated_at
           FROM orders WHERE account_id = $1 AND id = $2 FOR NO KEY UPDATE`,
};

const FIND_ORDER: Statement = {
  name: 'orders-find',
  text: `SELECT id FROM orders WHERE account_id = $1 AND id = $2`,
};

const FIND_ITEMS: Statement = {
  name: 'order-items-find',
  text: `SELECT product_id, name, quantity, unit_price FROM order_items WHERE account_id = $1 AND order_id = $2 ORDER BY line_no`,
};

const UPDATE_ORDER: Statement = {
  name: 'orders-update',
  text: `UPDATE orders SET status = $3, customer_reference = $4, metadata = $5, version = $6, updated_at = $7
          WHERE account_id = $1 AND id = $2`,
};

/** An order as a transaction has it in hand. */
export type OrderState = Omit<Order, 'accountId' | 'items'> & { items: Pick<OrderItem, 'productId' | 'name' | 'quantity' | 'unitPrice'>[] };

/** Orders: placing, changing and cancelling them inside a transaction, and reading them. */
@Injectable()
export class OrdersService {
  constructor(
    private readonly catalog: CatalogService,
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    @InjectRepository(OrderItem) private readonly items: Repository<OrderItem>,
  ) {}

  /**
   * Places an order and reserves its stock.
   * @throws Problem `unknown-product`, `insufficient-stock`, `currency-mismatch`, `total-mismatch`, `total-too-large`
   */
  async place(tx: Transaction, accountId: string, wanted: CreateOrder): Promise<OrderView> {
    const items = await this.catalog.price(tx, accountId, wanted.items);
    const now = new Date();
    const order: OrderState = {
      id: newId(),
      status: 'pending',
      items,
      ...sumUp(items, wanted),
      customerReference: wanted.customerReference ?? null,
      metadata: wanted.metadata ?? {},
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
    tx.write(INSERT_ORDER, [
      accountId,
      order.id,
      order.currency,
      order.total,
      order.customerReference,
      JSON.stringify(order.metadata),
      now,
    ]);
    tx.write(INSERT_ITEMS, [
      accountId,
      order.id,
      items.map((item) => item.productId),
      items.map((item) => item.name),
      items.map((item) => item.quantity),
      items.map((item) => item.unitPrice),
    ]);
    this.catalog.reserve(tx, accountId, items);
    return OrderView.of(order);
  }

  /** @throws Problem `not-found`, `precondition-failed` */
  async change(tx: Transaction, accountId: string, id: string, ifMatch: string, update: UpdateOrder): Promise<OrderView> {
    const order = await this.lock(tx, accountId, id);
    checkIfMatch(ifMatch, order.version);
    return this.save(tx, accountId, order, {
      customerReference: update.customerReference === undefined ? order.customerReference : update.customerReference,
      metadata: update.metadata ?? order.metadata,
    });
  }

  /** Cancels a locked order and gives its stock back. */
  async cancel(tx: Transaction, accountId: string, order: OrderState): Promise<OrderView> {
    this.catalog.release(tx, accountId, order.items);
    return this.save(tx, accountId, order, { status: 'cancelled' });
  }

  /** Marks a locked order as paid. */
  async markPaid(tx: Transaction, accountId: string, order: OrderState): Promise<OrderView> {
    return this.save(tx, accountId, order, { status: 'paid' });
  }

  /** The uuid of an order of this account. @throws Problem `not-found` */
  async require(tx: Transaction, accountId: string, id: string): Promise<string> {
    const uuid = uuidOf('ord', id);
    const [row] = uuid ? await tx.read<{ id: string }>(FIND_ORDER, [accountId, uuid]) : [];
    if (!row) throw noSuch('order');
    return row.id;
  }

  /** @throws Problem `not-found` */
  async get(accountId: string, id: string): Promise<OrderView> {
    const withItems = { relations: { items: true }, order: { items: { lineNo: 'ASC' } } } as const;
    const order = await findByPublicId(this.orders, 'ord', { accountId, id }, withItems);
    if (!order) throw noSuch('order');
    return OrderView.of(order);
  }

  async list(accountId: string, query: ListOrders): Promise<Page<OrderView>> {
    const page = await pageBy(this.orders, 'ord', query, { accountId, status: query.status });
    // A query of its own: joined, the page's limit would count lines instead of orders.
    const items = await this.items.find({
      where: { accountId, orderId: In(page.data.map((order) => order.id)) },
      order: { lineNo: 'ASC' },
    });
    const linesOf = new Map<string, OrderItem[]>(page.data.map((order) => [order.id, []]));
    for (const item of items) linesOf.get(item.orderId)?.push(item);
    return { ...page, data: page.data.map((order) => OrderView.of({ ...order, items: linesOf.get(order.id) ?? [] })) };
  }

  /** The order, locked until the transaction ends. @throws Problem `not-found` */
  async lock(tx: Transaction, accountId: string, id: string): Promise<OrderState> {
    const uuid = uuidOf('ord', id);
    if (!uuid) throw noSuch('order');
    return this.lockUuid(tx, accountId, uuid);
  }

  /** The same by the id that the database has. @throws Problem `not-found` */
  async lockUuid(tx: Transaction, accountId: string, uuid: string): Promise<OrderState> {
    const [[row], items] = await Promise.all([
      tx.run<OrderRow>(LOCK_ORDER, [accountId, uuid]),
      tx.run<ItemRow>(FIND_ITEMS, [accountId, uuid]),
    ]);
    if (!row) throw noSuch('order');
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

  private async save(tx: Transaction, accountId: string, before: OrderState, change: Partial<OrderState>): Promise<OrderView> {
    const order = { ...before, ...change, version: before.version + 1, updatedAt: await tx.now() };
    tx.write(UPDATE_ORDER, [
      accountId,
      order.id,
      order.status,
      order.customerReference,
      JSON.stringify(order.metadata),
      order.version,
      order.updatedAt,
    ]);
    return OrderView.of(order);
  }
}

interface OrderRow extends Record<string, unknown> {
  id: string;
  status: OrderStatus;
  currency: string;
  total: string;
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

/** Currency and total, as the catalogue has them and the buyer expects them. */
function sumUp(items: PricedLine[], wanted: CreateOrder): { currency: string; total: number } {
  const currency = items[0]?.currency ?? '';
  if ((wanted.currency ?? currency) !== currency) {
    throw new Problem('currency-mismatch', `The catalogue is in ${currency}, the request in ${wanted.currency}.`);
  }
  const total = items.reduce((sum, item) => sum + item.unitPrice * item.quantity, 0);
  if (total > MAX_AMOUNT) throw new Problem('total-too-large', `The total would be ${total}.`);
  if ((wanted.expectedTotal ?? total) !== total) {
    throw new Problem('total-mismatch', `The total is ${total}, not ${wanted.expectedTotal}.`);
  }
  return { currency, total };
}
