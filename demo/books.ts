import type { DemoWorld } from './world.js';

/** What came of everything that was sent, in the service's database and at the provider. */
export interface Books {
  orders: { id: string; total: number; status: string }[];
  payments: { status: string; charge: string | null }[];
  /** Pieces that are gone from the stock. */
  taken: number;
  charges: { id: string; amount: number }[];
  /** The provider's key of each request for a charge that reached it. */
  asked: string[];
}

/** One line of the reckoning: what must be there, and what is. */
export interface Line {
  what: string;
  wanted: string;
  found: string;
}

const TAKEN = `SELECT ((SELECT sum(change) FROM stock_changes) - (SELECT sum(stock) FROM products))::int AS taken`;

/** Reads the rows of the database and the ledger of the sandbox. */
export async function readBooks(world: Pick<DemoWorld, 'query' | 'ledger'>): Promise<Books> {
  const [stock] = await world.query<{ taken: number }>(TAKEN);
  const { charges, requests } = await world.ledger();
  return {
    orders: await world.query('SELECT id, total::float8 AS total, status FROM orders'),
    payments: await world.query('SELECT status, provider_reference AS charge FROM payments'),
    taken: stock?.taken ?? Number.NaN,
    charges,
    asked: requests.filter(({ path }) => path === '/charges').map(({ key }) => key),
  };
}

/** Holds the books against one order of one piece that was paid once. */
export function reckon({ orders, payments, taken, charges, asked }: Books): Line[] {
  const sum = (amounts: number[]): string => amounts.reduce((total, amount) => total + amount, 0).toString();
  const of = (charge: string | null | undefined): string => charge ?? 'none';
  return [
    { what: 'orders in the database', wanted: '1', found: String(orders.length) },
    { what: 'pieces gone from the stock', wanted: '1', found: String(taken) },
    { what: 'payments in the database', wanted: '1', found: String(payments.length) },
    { what: 'charges at the provider', wanted: '1', found: String(charges.length) },
    { what: 'cents taken for the order', wanted: sum(orders.map(({ total }) => total)), found: sum(charges.map(({ amount }) => amount)) },
    { what: 'charge that the payment names', wanted: of(charges[0]?.id), found: of(payments[0]?.charge) },
    { what: 'status of order and payment', wanted: 'paid, succeeded', found: `${orders[0]?.status}, ${payments[0]?.status}` },
    { what: `keys under which it was asked ${asked.length} times`, wanted: '1', found: String(new Set(asked).size) },
  ];
}

/** Whether the books say what they must. */
export function holds({ wanted, found }: Line): boolean {
  return wanted === found;
}
