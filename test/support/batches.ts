import { v7 as uuidv7 } from 'uuid';
import type { TestApp, TestResponse } from './app.js';

/** An item as a batch has it. */
export interface BatchItem {
  idempotencyKey: string;
  items: { productId: string; quantity: number }[];
  [member: string]: unknown;
}

/** A result as its answer has it. */
export interface BatchResult {
  index: number;
  status: number;
  order?: Record<string, any>;
  problem?: Record<string, any>;
}

/** One piece of each product, under a fresh key unless one is given. */
export function item(productIds: string | string[], key = uuidv7()): BatchItem {
  return { idempotencyKey: key, items: [productIds].flat().map((productId) => ({ productId, quantity: 1 })) };
}

/** Sends a batch; each item stands alone unless `atomic` says otherwise. */
export function sendBatch(
  app: Pick<TestApp, 'send'>,
  orders: BatchItem[],
  { atomic = false, key = uuidv7(), headers = {} }: { atomic?: boolean; key?: string; headers?: Record<string, string> } = {},
): Promise<TestResponse> {
  return app.send('POST', '/v1/orders/batch', { key, headers, body: { atomic, orders } });
}

/** Sends an item alone. */
export function sendAlone(app: Pick<TestApp, 'send'>, { idempotencyKey, ...order }: BatchItem): Promise<TestResponse> {
  return app.send('POST', '/v1/orders', { key: idempotencyKey, body: order });
}

/** The results of an answer that has some. */
export function resultsOf(answer: TestResponse): BatchResult[] {
  return (answer.body['results'] ?? []) as BatchResult[];
}

/** The status of each result. */
export function statusesOf(answer: TestResponse): number[] {
  return resultsOf(answer).map(({ status }) => status);
}
