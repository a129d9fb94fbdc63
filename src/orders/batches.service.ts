import { Injectable } from '@nestjs/common';
import { CatalogService, type Shelf } from '../catalog/catalog.service.js';
import { Problem, problemDocument } from '../http/problem.js';
import { problemOf } from '../http/problem.filter.js';
import { parseKey, type Item, type ItemOutcome, type Transaction } from '../idempotency/index.js';
import type { BatchView, BatchResultView, CreateBatch } from './batch.dto.js';
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

function resultOf(index: number, outcome: ItemOutcome, context: { instance: string; requestId: string }): BatchResultView {
  if (outcome.kind === 'answered') {
    const { status, body } = outcome.response;
    const said: unknown = JSON.parse(body);
    return status < 400 ? { index, status, order: said } : { index, status, problem: said };
  }
  const problem = outcome.kind === 'refused' ? problemOf(outcome.error) : rolledBack();
  return { index, status: problem.status, problem: problemDocument(problem, context) };
}

/** That another item of an atomic batch failed. */
function rolledBack(): Problem {
  return new Problem('batch-rolled-back', 'Another item of this batch failed, so nothing was ordered. The key of this item is unused.');
}
