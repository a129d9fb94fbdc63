import { HoldfastClient } from '../../client/src/index.js';
import { publicId } from '../../src/kernel/ids.js';
import type { Progress } from '../../src/kernel/progress.js';
import { Random } from '../random.js';
import { BadNetwork, type Fault } from './bad-network.js';
import { SCARCE_EVERY, judge, letFinish, letOrder, type Books, type Caller, type OrderRow, type Shelf } from './orders.js';

/** The service that is ordered from, and a look at its rows. */
export interface Service {
  replicas: readonly string[];
  apiKey: string;
  query<Row>(text: string, values: unknown[]): Promise<Row[]>;
}

/** How much is ordered by how many callers at once, and how bad the network is: the share of requests to which something happens. */
export interface Terms {
  orders: number;
  callers: number;
  share: number;
  seed: number;
}

/** How callers of one kind came through. */
export interface Result {
  name: string;
  books: Books;
  /** Orders without an answer, of which the caller got one when it came back to them. */
  answeredLater: number;
  requests: number;
  faults: Record<Fault, number>;
  seconds: number;
}

/** Callers of one kind. */
export interface Contestants {
  name: string;
  open: (url: string) => Caller | Promise<Caller>;
}

/** Lets callers of one kind order through a bad network of their own, and holds what they were told against the rows. */
export async function run(service: Service, terms: Terms, { name, open }: Contestants, progress?: Progress): Promise<Result> {
  progress?.step(`${name} orders`);
  const shelf = await fill(service, terms, name);
  const network = await BadNetwork.start(service.replicas, new Random(terms.seed), terms.share);
  const began = performance.now();
  try {
    const callers = await Promise.all(Array.from({ length: terms.callers }, async () => open(network.url)));
    const ended = (orders: number): void => progress?.count(orders, terms.orders, 'orders');
    const first = await letOrder(callers, { count: terms.orders, shelf, name, ended });
    progress?.step(`${name} comes back to what it had no answer of`);
    const stories = await letFinish(callers, first);
    const seconds = (performance.now() - began) / 1_000;
    const books = judge(stories, await rowsOf(service, name));
    const answeredLater = judge(first, []).unanswered - books.unanswered;
    return { name, books, answeredLater, requests: network.requests, faults: network.done, seconds };
  } finally {
    await network.close();
  }
}

/** Two products for one kind of callers; of one there is half of what is ordered. */
async function fill({ replicas: [baseUrl = ''], apiKey }: Service, { orders }: Terms, name: string): Promise<Shelf> {
  const client = new HoldfastClient({ baseUrl, authorization: () => `Bearer ${apiKey}` });
  const shelf = { plenty: `${name}-plenty`, scarce: `${name}-scarce` };
  const stock = { [shelf.plenty]: orders, [shelf.scarce]: Math.ceil(orders / SCARCE_EVERY / 2) };
  for (const [id, change] of Object.entries(stock)) {
    const put = await client.products.put(id, { name: id, unitPrice: 100 });
    const filled = await client.products.changeStock(id).place({ change });
    if (put.kind !== 'done' || filled.kind !== 'done') throw new Error(`the shelf can't be filled: ${JSON.stringify([put, filled])}`);
  }
  return shelf;
}

async function rowsOf(service: Service, name: string): Promise<OrderRow[]> {
  const rows = await service.query<{ id: string; customer_reference: string }>(
    'SELECT id, customer_reference FROM orders WHERE starts_with(customer_reference, $1)',
    [`${name}-`],
  );
  return rows.map((row) => ({ id: publicId('ord', row.id), customerReference: row.customer_reference }));
}
