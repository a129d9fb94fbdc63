import { ask, type Page } from './api.js';

/** A product of the account, as `GET /v1/products` tells it. */
export interface Product {
  id: string;
  name: string;
  unitPrice: number;
  currency: string;
  stock: number;
}

/** An order, as the API tells it. */
export interface Order {
  id: string;
  total: number;
  currency: string;
  customerReference: string | null;
}

interface Payment {
  status: 'processing' | 'succeeded' | 'failed';
  amount: number;
  currency: string;
}

const ORDERS = '/v1/orders';

/** One piece of a product, under a reference by which the order is found again. */
export function orderOf(productId: string, reference: string): object {
  return { items: [{ productId, quantity: 1 }], customerReference: reference, metadata: { madeBy: 'console' } };
}

/** What the account sells, as much as one page holds. @throws Refusal */
export async function products(): Promise<Product[]> {
  return (await ask<Page<Product>>('/v1/products?limit=100')).data;
}

/** The newest order, or null: what is counted later is newer. @throws Refusal */
export async function newestOrder(): Promise<string | null> {
  return (await ask<Page<Order>>(`${ORDERS}?limit=1`)).data[0]?.id ?? null;
}

/** How many orders there are with this reference, among those made since `after`. @throws Refusal */
export async function countOrders(reference: string, after: string | null): Promise<number> {
  let count = 0;
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: Page<Order> = await ask(`${ORDERS}?limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    count += page.data.filter(({ customerReference }) => customerReference === reference).length;
    // Ids grow with time.
    const last = page.data.at(-1)?.id ?? '';
    cursor = after !== null && last <= after ? null : page.nextCursor;
  }
  return count;
}

/** The payments of an order. @throws Refusal */
export async function paymentsOf(orderId: string): Promise<Payment[]> {
  return (await ask<Page<Payment>>(`/v1/payments?limit=100&orderId=${encodeURIComponent(orderId)}`)).data;
}
