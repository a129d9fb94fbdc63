import type { Operation } from './client.js';
import type { Sealed } from './client.js';
import type { Receipt } from './receiver.js';
import { API_KEY, type World } from './world.js';

export interface RecordRow {
  key: string;
  operation_id: string;
  operation: string;
  status: string;
  response_status: number | null;
  response_headers: Record<string, string> | null;
  body: string;
  resource: string | null;
}

export interface PaymentRow {
  id: string;
  order_id: string;
  operation_id: string;
  status: string;
  failure_code: string | null;
  amount: number;
  reference: string;
  provider_reference: string | null;
  amount_refunded: number;
  amount_reserved: number;
}

export interface RefundRow {
  id: string;
  payment_id: string;
  operation_id: string;
  status: string;
  amount: number;
  provider_reference: string | null;
}

export interface EventRow {
  id: string;
  type: string;
  operation_id: string | null;
  idempotency_key: string | null;
  /** The public one. */
  resource_id: string;
  resource_version: number;
  /** JSON. */
  data: string;
}

/** What the provider did: effects only. */
export interface Ledger {
  charges: { id: string; key: string; reference: string; amount: number }[];
  refunds: { id: string; chargeId: string; key: string; amount: number }[];
  requests: { key: string | null }[];
}

/** Everything that is known of a storm once it is over: the rows, the provider's ledger, and what clients were told. */
export interface Facts {
  /** Of each product, what came to it, what is left, and whether it was there before the storm. */
  stock: { product: string; given: number; after: number; version: number; isOld: boolean }[];
  stockChanges: { product_id: string; change: number; operation_id: string | null }[];
  orders: { id: string; status: string; version: number }[];
  items: { order_id: string; product_id: string; quantity: number }[];
  tickets: { id: string; version: number }[];
  payments: PaymentRow[];
  refunds: RefundRow[];
  records: RecordRow[];
  ledger: Ledger;
  events: EventRow[];
  operations: Operation[];
  seals: Sealed[];
  /** Webhooks as they came. */
  receipts: Receipt[];
  /** Processes that ended by themselves. */
  surprises: string[];
  /** All that processes have written to their logs. */
  written: string;
}

/** The uuid of the account that all clients belong to. */
export async function accountOf(world: World): Promise<string> {
  const [row] = await world.query<{ account_id: string }>('SELECT account_id FROM api_keys WHERE id = $1', [API_KEY.split('_')[2]]);
  if (!row) throw new Error('the replicas have not made the account of the storm');
  return row.account_id;
}

export async function readLedger(world: World): Promise<Ledger> {
  return (await (await fetch(`${world.sandbox.url}/ledger`)).json()) as Ledger;
}

/** Ids of the products that there are. */
export async function readProducts(world: World, accountId: string): Promise<Set<string>> {
  const rows = await world.query<{ id: string }>('SELECT id FROM products WHERE account_id = $1', [accountId]);
  return new Set(rows.map(({ id }) => id));
}

/** What of the facts is not in a database. */
export type Told = Pick<Facts, 'operations' | 'seals' | 'receipts'>;

/** `before`: the products that were there before the storm. */
export async function readFacts(world: World, accountId: string, before: Set<string>, told: Told): Promise<Facts> {
  const read = <R>(columns: string, table: string): Promise<R[]> =>
    world.query<R>(`SELECT ${columns} FROM ${table} WHERE account_id = $1`, [accountId]);
  const stockChanges = await read<Facts['stockChanges'][number]>('product_id, change, operation_id', 'stock_changes');
  const given = (id: string): number => stockChanges.reduce((sum, { product_id, change }) => (product_id === id ? sum + change : sum), 0);
  const products = await read<{ id: string; stock: number; version: number }>('id, stock, version', 'products');
  return {
    stock: products.map(({ id, stock, version }) => ({ product: id, given: given(id), after: stock, version, isOld: before.has(id) })),
    stockChanges,
    orders: await read('id, status, version', 'orders'),
    items: await read('order_id, product_id, quantity', 'order_items'),
    tickets: await read('id, version', 'tickets'),
    payments: await read(
      `id, order_id, operation_id, status, failure_code, amount::float8, reference, provider_reference, amount_refunded::float8, amount_reserved::float8`,
      'payments',
    ),
    refunds: await read('id, payment_id, operation_id, status, amount::float8, provider_reference', 'refunds'),
    records: await read(
      `key, operation_id, operation, status, response_status, response_headers, convert_from(response_body, 'UTF8') AS body, resource`,
      'idempotency_records',
    ),
    ledger: await readLedger(world),
    events: await read('id, type, operation_id, idempotency_key, resource_id, resource_version, data::text', 'events'),
    ...told,
    surprises: world.surprises,
    written: world.written,
  };
}
