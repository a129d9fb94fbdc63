import type { PoolClient, QueryResult } from 'pg';
import { etagOf } from '../../src/http/etag.js';
import { newId } from '../../src/kernel/ids.js';
import { OrderView, type CreateOrder } from '../../src/orders/order.dto.js';
import { CHANGE_STOCK, FIND_PRODUCTS, INSERT_ITEMS, INSERT_ORDER } from './statements.js';

/** A named statement with its values, as node-postgres takes it. */
export interface Query {
  name: string;
  text: string;
  values: unknown[];
}

interface ProductRow {
  id: string;
  name: string;
  unit_price: string;
  currency: string;
  stock: number;
}

/** What finds the products of an order. */
export function findProducts(accountId: string, wanted: CreateOrder): Query {
  return { ...FIND_PRODUCTS, values: [accountId, wanted.items.map((item) => item.productId)] };
}

/** The order that these products make, and the statements that write it. */
export function makeOrder(accountId: string, wanted: CreateOrder, products: unknown[]): { view: OrderView; writes: Query[] } {
  const rows = new Map((products as ProductRow[]).map((row) => [row.id, row]));
  const items = wanted.items.map(({ productId, quantity }) => {
    const row = rows.get(productId);
    if (!row || row.stock < quantity) throw new Error(`product ${productId} is missing`);
    return { productId, quantity, name: row.name, unitPrice: Number(row.unit_price), currency: row.currency };
  });
  const now = new Date();
  const id = newId();
  const currency = items[0]?.currency ?? '';
  const total = items.reduce((sum, item) => sum + item.unitPrice * item.quantity, 0);
  const { customerReference = null } = wanted;
  const metadata = wanted.metadata ?? {};
  const view = OrderView.of({
    id,
    status: 'pending',
    items,
    currency,
    total,
    customerReference,
    metadata,
    version: 1,
    createdAt: now,
    updatedAt: now,
  });
  const ids = items.map((item) => item.productId);
  return {
    view,
    writes: [
      { ...INSERT_ORDER, values: [accountId, id, currency, total, customerReference, JSON.stringify(metadata), now] },
      {
        ...INSERT_ITEMS,
        values: [
          accountId,
          id,
          ids,
          items.map((item) => item.name),
          items.map((item) => item.quantity),
          items.map((item) => item.unitPrice),
        ],
      },
      ...items
        .toSorted((one, other) => (one.productId < other.productId ? -1 : 1))
        .map(({ productId, quantity }) => ({ ...CHANGE_STOCK, values: [accountId, productId, -quantity] })),
    ],
  };
}

/** The headers that go with a new order. */
export function headersOf(view: OrderView): Record<string, string> {
  return { location: `/v1/orders/${view.id}`, etag: etagOf(view.version) };
}

/** Runs `work` on a connection; a failure rolls back. */
export async function orRollBack<T>(client: PoolClient, work: (client: PoolClient) => Promise<T>): Promise<T> {
  try {
    return await work(client);
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/** One packet for all queries. Rejects with the first failure, once all are answered. */
export async function flight(client: PoolClient, queries: (Query | string)[]): Promise<QueryResult[]> {
  const { stream } = (client as unknown as { connection: { stream: { cork(): void; uncork(): void } } }).connection;
  stream.cork();
  const settled = Promise.allSettled(queries.map((query) => client.query(query as string)));
  stream.uncork();
  return (await settled).map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
