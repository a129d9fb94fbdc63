import type { EntityManager } from 'typeorm';

/** The currency of every new account. */
export const DEMO_CURRENCY = 'EUR';

/** What every new account starts with; prices in the currency's minor unit. */
const DEMO_PRODUCTS = [
  { id: '123', name: 'Harbour lamp', unitPrice: 2500, stock: 10_000 },
  { id: 'anchor-small', name: 'Small anchor', unitPrice: 12_900, stock: 250 },
  { id: 'rope-10m', name: 'Rope, 10 m', unitPrice: 1_890, stock: 1_000_000 },
  { id: 'shackle', name: 'Bow shackle', unitPrice: 450, stock: 100_000 },
  { id: 'fender', name: 'Fender', unitPrice: 3_200, stock: 5_000 },
];

/** Gives a new account its catalogue, in the transaction that makes the account. */
export async function insertDemoProducts(manager: EntityManager, accountId: string): Promise<void> {
  await manager.query(
    `WITH p AS (SELECT * FROM unnest($3::text[], $4::text[], $5::bigint[], $6::int[]) AS p (id, name, unit_price, stock)),
          made AS (INSERT INTO products (account_id, id, name, unit_price, currency, stock)
                   SELECT $1, p.id, p.name, p.unit_price, $2, p.stock FROM p)
     INSERT INTO stock_changes (account_id, id, product_id, change, reason)
     SELECT $1, gen_random_uuid(), p.id, p.stock, 'the stock at first' FROM p`,
    [
      accountId,
      DEMO_CURRENCY,
      DEMO_PRODUCTS.map((product) => product.id),
      DEMO_PRODUCTS.map((product) => product.name),
      DEMO_PRODUCTS.map((product) => product.unitPrice),
      DEMO_PRODUCTS.map((product) => product.stock),
    ],
  );
}
