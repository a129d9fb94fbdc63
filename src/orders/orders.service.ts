import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { In, type Repository } from 'typeorm';
import { CatalogService, type PricedLine, type Shelf } from '../catalog/catalog.service.js';
import { checkIfMatch } from '../http/etag.js';
import type { Transaction } from '../idempotency/index.js';
import { newId, uuidOf } from '../kernel/ids.js';
import type { Page } from '../http/page.js';
import { MAX_AMOUNT } from '../kernel/money.js';
import { Problem, noSuch } from '../http/problem.js';
import { findByPublicId, pageBy, readAs } from '../http/reads.js';
import { OrderView, type CreateOrder, type ListOrders, type UpdateOrder } from './order.dto.js';
import { Order, OrderItem } from './order.entity.js';
import { insertOrder, lockOrder, orderExists, readHead, updateOrder, type OrderHead, type OrderState } from './order.store.js';

/** Orders: placing, changing and cancelling them inside a transaction, and reading them. */
@Injectable()
export class OrdersService {
  constructor(
    private readonly catalog: CatalogService,
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    @InjectRepository(OrderItem) private readonly items: Repository<OrderItem>,
  ) {}

  /**
   * Places an order and reserves its stock. `shelf`: where that is, when it is not the catalogue as everybody sees it.
   * @throws Problem `unknown-product`, `insufficient-stock`, `currency-mismatch`, `total-mismatch`, `total-too-large`
   */
  async place(tx: Transaction, accountId: string, wanted: CreateOrder, shelf: Shelf = this.catalog): Promise<OrderView> {
    const items = await shelf.price(tx, accountId, wanted.items);
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
    insertOrder(tx, accountId, order);
    shelf.reserve(tx, accountId, items);
    return OrderView.of(order);
  }

  /** @throws Problem `not-found`, `precondition-failed` */
  async change(tx: Transaction, accountId: string, id: string, ifMatch: string, update: UpdateOrder): Promise<OrderView> {
    const order = await this.lock(tx, accountId, id);
    checkIfMatch(ifMatch, order.version);
    return this.save(tx, accountId, order, 'updated', {
      customerReference: update.customerReference === undefined ? order.customerReference : update.customerReference,
      metadata: update.metadata ?? order.metadata,
    });
  }

  /** Cancels a locked order and gives its stock back. */
  async cancel(tx: Transaction, accountId: string, order: OrderState): Promise<OrderView> {
    this.catalog.release(tx, accountId, order.items);
    return this.save(tx, accountId, order, 'cancelled', { status: 'cancelled' });
  }

  /** Marks a locked order as paid. */
  async markPaid(tx: Transaction, accountId: string, order: OrderState): Promise<OrderView> {
    return this.save(tx, accountId, order, 'paid', { status: 'paid' });
  }

  /** The uuid of an order of this account. @throws Problem `not-found` */
  async require(tx: Transaction, accountId: string, id: string): Promise<string> {
    const uuid = uuidOf('ord', id);
    if (!uuid || !(await orderExists(tx, accountId, uuid))) throw noSuch('order');
    return uuid;
  }

  /** @throws Problem `not-found` */
  async get(accountId: string, id: string): Promise<OrderView> {
    const withItems = { relations: { items: true }, order: { items: { lineNo: 'ASC' } } } as const;
    const order = await findByPublicId(this.orders, 'ord', { accountId, id }, withItems);
    if (!order) throw noSuch('order');
    return OrderView.of(order);
  }

  async list(accountId: string, query: ListOrders): Promise<Page<OrderView>> {
    const page = await pageBy(this.orders, 'ord', query, { accountId, status: query.status }, (order) => order);
    // A query of its own: joined, the page's limit would count lines instead of orders.
    const where = { accountId, orderId: In(page.data.map((order) => order.id)) };
    const items = await readAs(this.items, accountId, (own) => own.find({ where, order: { lineNo: 'ASC' } }));
    const linesOf = new Map<string, OrderItem[]>(page.data.map((order) => [order.id, []]));
    for (const item of items) linesOf.get(item.orderId)?.push(item);
    return { ...page, data: page.data.map((order) => OrderView.of({ ...order, items: linesOf.get(order.id) ?? [] })) };
  }

  /** The order, locked until the transaction ends. @throws Problem `not-found` */
  async lock(tx: Transaction, accountId: string, id: string): Promise<OrderState> {
    const uuid = uuidOf('ord', id);
    const order = uuid && (await lockOrder(tx, accountId, uuid));
    if (!order) throw noSuch('order');
    return order;
  }

  /** What a payment asks of an order, as `readHead` gives it. @throws Problem `not-found` */
  async head(tx: Transaction, accountId: string, uuid: string): Promise<OrderHead> {
    const order = await readHead(tx, accountId, uuid);
    if (!order) throw noSuch('order');
    return order;
  }

  private async save(
    tx: Transaction,
    accountId: string,
    before: OrderState,
    became: Parameters<typeof updateOrder>[3],
    change: Partial<OrderState>,
  ): Promise<OrderView> {
    const order = { ...before, ...change, version: before.version + 1, updatedAt: await tx.now() };
    updateOrder(tx, accountId, order, became);
    return OrderView.of(order);
  }
}

/** Currency and total, as the catalogue has them and the buyer expects them. */
function sumUp(items: PricedLine[], wanted: CreateOrder): { currency: string; total: number } {
  const currency = items[0]?.currency ?? '';
  if ((wanted.currency ?? currency) !== currency) {
    throw new Problem('currency-mismatch', `The catalogue is in ${currency}, the request in ${wanted.currency}.`);
  }
  const total = items.reduce((sum, item) => sum + item.unitPrice * item.quantity, 0);
  // Beyond the safe integers a sum is no longer exact, but never so far off as the limit.
  if (total > MAX_AMOUNT) throw new Problem('total-too-large', `The total would be above ${MAX_AMOUNT}.`);
  if ((wanted.expectedTotal ?? total) !== total) {
    throw new Problem('total-mismatch', `The total is ${total}, not ${wanted.expectedTotal}.`);
  }
  return { currency, total };
}
