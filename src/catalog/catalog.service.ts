import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Statement, Transaction } from '../idempotency/index.js';
import { Problem } from '../http/problem.js';

/** What a buyer wants of one product. */
export interface WantedLine {
  productId: string;
  quantity: number;
}

/** The same with what the catalogue says. */
export interface PricedLine extends WantedLine {
  name: string;
  /** In the currency's minor unit. */
  unitPrice: number;
  currency: string;
}

interface ProductRow extends Record<string, unknown> {
  id: string;
  name: string;
  unit_price: string;
  currency: string;
  stock: number;
}

/**
 * No lock: the read travels with the claim, and a request that loses its claim must not wait for anybody. The array is read
 * by a subselect, so that its length is nothing to plan by: otherwise PostgreSQL plans each execution anew (manual, PREPARE).
 */
export const FIND_PRODUCTS: Statement = {
  name: 'products-find',
  text: `SELECT id, name, unit_price, currency, stock FROM products
          WHERE account_id = $1 AND id = ANY ((SELECT $2::text[])::text[]) AND deleted_at IS NULL`,
};

/** The same for good: what is locked stays as it was read. In the order of their ids, as all that change several stocks. */
const LOCK_PRODUCTS: Statement = { name: 'products-lock', text: `${FIND_PRODUCTS.text} ORDER BY id FOR NO KEY UPDATE` };

/** One line each: so simple a plan costs a fifth of what a join with all lines does. The CHECK on stock decides between two that race for the last piece. */
export const CHANGE_STOCK: Statement = {
  name: 'products-change-stock',
  text: `UPDATE products SET stock = stock + $3 WHERE account_id = $1 AND id = $2`,
};

/** The same for a line as it was priced: fails where the catalogue says something else by now. */
const changeAsPriced = (failure: 'speculation_failed' | 'product_changed'): string =>
  `WITH changed AS (UPDATE products SET stock = stock + $3
                     WHERE account_id = $1 AND id = $2 AND name = $4 AND unit_price = $5 AND currency = $6 AND deleted_at IS NULL RETURNING id)
   SELECT WHERE CASE WHEN NOT EXISTS (SELECT FROM changed) THEN ${failure}() END`;

/** Priced from memory. */
const CHANGE_STOCK_AS_REMEMBERED: Statement = { name: 'products-change-stock-as-remembered', text: changeAsPriced('speculation_failed') };

/** Priced by a read in the same transaction, which locks nothing: a change of the product may have been committed since. */
const CHANGE_STOCK_AS_READ: Statement = { name: 'products-change-stock-as-read', text: changeAsPriced('product_changed') };

/** Where orders get prices and stock. */
export interface Shelf {
  /**
   * The lines with name and price of the catalogue.
   * @throws Problem `unknown-product`, `insufficient-stock`
   */
  price(tx: Transaction, accountId: string, wanted: WantedLine[]): PricedLine[] | Promise<PricedLine[]>;
  /** Takes the lines out of stock when the transaction commits. */
  reserve(tx: Transaction, accountId: string, lines: PricedLine[]): void;
}

/** Products whose name and price are remembered. */
const REMEMBERED = 10_000;

/** Prices and stock, inside the transactions of those who order. */
@Injectable()
export class CatalogService implements Shelf {
  private readonly known = new LRUCache<string, Omit<PricedLine, 'quantity'>>({ max: REMEMBERED });

  /**
   * The lines with name and price of the catalogue: as they were read some time ago, where the transaction allows that,
   * and then `reserve` makes sure of them.
   * @throws Problem `unknown-product`, `insufficient-stock`
   */
  async price(tx: Transaction, accountId: string, wanted: WantedLine[]): Promise<PricedLine[]> {
    return this.fromMemory(tx, accountId, wanted) ?? (await this.read(tx, accountId, wanted));
  }

  private fromMemory(tx: Transaction, accountId: string, wanted: WantedLine[]): PricedLine[] | undefined {
    const lines: PricedLine[] = [];
    for (const { productId, quantity } of wanted) {
      const known = this.known.get(`${accountId} ${productId}`);
      if (!known) return undefined;
      lines.push({ productId, quantity, name: known.name, unitPrice: known.unitPrice, currency: known.currency });
    }
    return tx.mayUseCached() ? lines : undefined;
  }

  private async read(tx: Transaction, accountId: string, wanted: WantedLine[]): Promise<PricedLine[]> {
    const values = [accountId, wanted.map((line) => line.productId)];
    // What is remembered and may not be used was changed just now, perhaps: were it only read, a run could fail again and again.
    const isChanging = wanted.some(({ productId }) => this.known.has(`${accountId} ${productId}`));
    const rows = await (isChanging ? tx.run<ProductRow>(LOCK_PRODUCTS, values) : tx.read<ProductRow>(FIND_PRODUCTS, values));
    const priced = priceFrom(new Map(rows.map((row) => [row.id, row])), wanted);
    for (const line of priced) this.known.set(`${accountId} ${line.productId}`, line);
    return priced;
  }

  /**
   * Locks the products of several orders until the transaction ends, and says what these get. What it hands out is counted, so an
   * order that took something must not be given up alone.
   */
  async lock(tx: Transaction, accountId: string, wanted: WantedLine[]): Promise<Shelf> {
    const ids = [...new Set(wanted.map((line) => line.productId))];
    return new LockedShelf(await tx.run<ProductRow>(LOCK_PRODUCTS, [accountId, ids]));
  }

  /**
   * Takes the lines out of stock when the transaction commits. The commit fails as `insufficient-stock` when others were first; where
   * a product was changed or deleted meanwhile, the whole is done once more, so that no order has a price of the past.
   */
  reserve(tx: Transaction, accountId: string, lines: PricedLine[]): void {
    const violations = { products_stock_check: () => insufficientStock('Another order took the last pieces.') };
    for (const { productId, quantity, name, unitPrice, currency } of inLockOrder(lines)) {
      const change = [accountId, productId, -quantity];
      const statement = tx.usedCached ? CHANGE_STOCK_AS_REMEMBERED : CHANGE_STOCK_AS_READ;
      tx.write(statement, [...change, name, unitPrice, currency], violations);
    }
  }

  /** Gives the lines back to stock when the transaction commits. */
  release(tx: Transaction, accountId: string, lines: WantedLine[]): void {
    for (const { productId, quantity } of inLockOrder(lines)) tx.write(CHANGE_STOCK, [accountId, productId, quantity]);
  }
}

/** Products that a transaction has locked: their stock is what was read, less what its own orders took. */
class LockedShelf implements Shelf {
  private readonly products: Map<string, ProductRow>;

  constructor(rows: ProductRow[]) {
    this.products = new Map(rows.map((row) => [row.id, row]));
  }

  price(_tx: Transaction, _accountId: string, wanted: WantedLine[]): PricedLine[] {
    return priceFrom(this.products, wanted);
  }

  reserve(tx: Transaction, accountId: string, lines: PricedLine[]): void {
    for (const { productId, quantity } of lines) {
      const product = this.products.get(productId);
      if (product) product.stock -= quantity;
      tx.write(CHANGE_STOCK, [accountId, productId, -quantity]);
    }
  }
}

/** @throws Problem `unknown-product`, `insufficient-stock` */
function priceFrom(products: Map<string, ProductRow>, wanted: WantedLine[]): PricedLine[] {
  const lines = wanted.map((line) => ({ ...line, product: products.get(line.productId) }));
  const unknown = lines.filter((line) => !line.product).map((line) => line.productId);
  if (unknown.length > 0) throw new Problem('unknown-product', `Not in the catalogue: ${unknown.join(', ')}.`);
  const short = lines.find((line) => line.product && line.product.stock < line.quantity);
  if (short) throw insufficientStock(`Product ${short.productId}: ${short.quantity} ordered, ${short.product?.stock} in stock.`);
  return lines.flatMap(({ productId, quantity, product }) =>
    product ? [{ productId, quantity, name: product.name, unitPrice: Number(product.unit_price), currency: product.currency }] : [],
  );
}

/** Whoever changes several stocks locks them in the order of their ids: orders with the same products in another order never deadlock. */
function inLockOrder<Line extends WantedLine>(lines: Line[]): Line[] {
  return lines.toSorted((one, other) => (one.productId < other.productId ? -1 : 1));
}

/** Less is there than would be taken. */
export function insufficientStock(detail: string): Problem {
  return new Problem('insufficient-stock', detail);
}
