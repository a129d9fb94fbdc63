import { Injectable } from '@nestjs/common';
import { CatalogService, type Shelf } from '../catalog/catalog.service.js';
import { parseKey, type Item, type Transaction } from '../idempotency/index.js';
import type { BatchView, CreateBatch } from './batch.dto.js';
import { resultOf } from './batch-results.js';
import { ORDERS_PATH, placed, type CreateOrder } from './order.dto.js';
import { OrdersService } from './orders.service.js';

/** Several orders in one transaction, each under its own key. */
@Injectable()
export class BatchesService {
  constructor(
    private readonly orders: OrdersService,
    private readonly catalog: CatalogService,
  ) {}

  /**
   * Places the orders of a batch. Each item counts as if it had been sent alone to POST /v1/orders.
   * @throws IdempotencyRefusal `idempotency-request-in-progress` when the key of an item is in other hands
   */
  async place(tx: Transaction, accountId: string, { atomic, orders }: CreateBatch, requestId: string): Promise<BatchView> {
    const wanted = orders.map(({ idempotencyKey, ...order }): Item & { body: CreateOrder } => ({
      key: parseKey(idempotencyKey),
      method: 'POST',
      path: ORDERS_PATH,
      body: order,
    }));
    const orderAt = (index: number): CreateOrder => (wanted[index] as (typeof wanted)[number]).body;
    let shelf: Shelf | undefined;
    const outcomes = await tx.items(wanted, {
      atomic,
      prepare: async (fresh) => {
        const lines = fresh.flatMap((index) => orderAt(index).items);
        shelf = await this.catalog.lock(tx, accountId, lines);
      },
      work: async (own, index) => placed(await this.orders.place(own, accountId, orderAt(index), shelf)),
    });
    const context = { instance: `/v1/operations/${tx.operationId}`, requestId };
    return { results: outcomes.map((outcome, index) => resultOf(index, outcome, context)) };
  }
}
