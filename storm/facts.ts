import type { Operation } from './client.js';
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

/** What the provider did: effects only. */
export interface Ledger {
  charges: { id: string; key: string; reference: string; amount: number }[];
  refunds: { id: string; chargeId: string; key: string; amount: number }[];
  requests: { key: string | null }[];
}

/** Everything that is known of a storm once it is over: the rows, the provider's ledger, and what clients were told. */
export interface Facts {
  stock: { product: string; before: number; after: number }[];
  orders: { id: string; status: string }[];
  items: { order_id: string; product_id: string; quantity: number }[];
  tickets: { id: string }[];
  payments: PaymentRow[];
  refunds: RefundRow[];
  records: RecordRow[];
  ledger: Ledger;
  operations: Operation[];
  /** Processes that ended by themselves. */
  surprises: string[];
}

/** The uuid of the account that all clients belong to. */
export async function accountOf(world: World): Promise<string> {
  const [row] = await world.query<{ account_id: string }>('SELECT account_id FROM api_keys WHERE id = $1', [API_KEY.split('_')[2]]);
  if (!row) throw new Error('the replicas have not made the account of the storm');
  return row.account_id;
}

export async function readStock(world: World, accountId: string): Promise<Map<string, number>> {
  const rows = await world.query<{ id: string; stock: number }>('SELECT id, stock FROM products WHERE account_id = $1', [accountId]);
  return new Map(rows.map(({ id, stock }) => [id, stock]));
}

export async function readFacts(world: World, accountId: string, before: Map<string, number>, operations: Operation[]): Promise<Facts> {
  const read = <R>(columns: string, table: string): Promise<R[]> =>
    world.query<R>(`SELECT ${columns} FROM ${table} WHERE account_id = $1`, [accountId]);
  const after = await readStock(world, accountId);
  return {
    stock: [...after].map(([product, stock]) => ({ product, before: before.get(product) ?? 0, after: stock })),
    orders: await read('id, status', 'orders'),
    items: await read('order_id, product_id, quantity', 'order_items'),
    tickets: await read('id', 'tickets'),
    payments: await read(
      `id, order_id, operation_id, status, amount::float8, reference, provider_reference, amount_refunded::float8, amount_reserved::float8`,
      'payments',
    ),
    refunds: await read('id, payment_id, operation_id, status, amount::float8, provider_reference', 'refunds'),
    records: await read(
      `key, operation_id, operation, status, response_status, response_headers, convert_from(response_body, 'UTF8') AS body, resource`,
      'idempotency_records',
    ),
    ledger: (await (await fetch(`${world.sandbox.url}/ledger`)).json()) as Ledger,
    operations,
    surprises: world.surprises,
  };
}
