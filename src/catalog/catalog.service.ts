import { Injectable } from '@nestjs/common';
import type { Statement, Transaction } from '../idempotency/index.js';
import { Problem } from '../problem.js';

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

interface ProductRow {
  id: string;
  name: string;
  unit_price: string;
  currency: string;
  stock: number;
}

/** No lock: the read travels with the claim, and a request that loses its claim must not wait for anybody. */
const FIND: Statement = {
  name: 'products-find',
  text: `SELECT id, name, unit_price, currency, stock FROM products WHERE account_id = $1 AND id = ANY ($2::text[])`,
};

/**
 * Changes several stocks at once, locked in the order of their ids, so that orders with the same products in another order
 * never deadlock. The CHECK on stock decides between two that race for the last piece.
 */
const CHANGE_STOCK: Statement = {
  name: 'products-change-stock',
  text: `WITH wanted AS (SELECT id, quantity FROM unnest($2::text[], $3::int[]) AS w (id, quantity)),
              locked AS (SELECT id FROM products WHERE account_id = $1 AND id = ANY ($2::text[]) ORDER BY id FOR NO KEY UPDATE)
         UPDATE products p SET stock = p.stock + w.quantity
           FROM wanted w JOIN locked USING (id)
          WHERE p.account_id = $1 AND p.id = w.id`,
};

/** Prices and stock, inside the transactions of those who order. */
@Injectable()
export class CatalogService {
  /**
   * The lines with name and price of the catalogue.
   * @throws Problem `unknown-product`, `insufficient-stock`
   */
  async price(tx: Transaction, accountId: string, wanted: WantedLine[]): Promise<PricedLine[]> {
    const rows = await tx.read<ProductRow & Record<string, unknown>>(FIND, [accountId, wanted.map((line) => line.productId)]);
    const products = new Map(rows.map((row) => [row.id, row]));
    const lines = wanted.map((line) => ({ ...line, product: products.get(line.productId) }));
    const unknown = lines.filter((line) => !line.product).map((line) => line.productId);
    if (unknown.length > 0) throw new Problem('unknown-product', `Not in the catalogue: ${unknown.join(', ')}.`);
    const short = lines.find((line) => line.product && line.product.stock < line.quantity);
    if (short) throw insufficientStock(`Product ${short.productId}: ${short.quantity} ordered, ${short.product?.stock} in stock.`);
    return lines.flatMap(({ productId, quantity, product }) =>
      product ? [{ productId, quantity, name: product.name, unitPrice: Number(product.unit_price), currency: product.currency }] : [],
    );
  }

  /** Takes the lines out of stock when the transaction commits. The commit fails as `insufficient-stock` when others were first. */
  reserve(tx: Transaction, accountId: string, lines: WantedLine[]): void {
    changeStock(tx, accountId, lines, -1);
  }

  /** Gives the lines back to stock when the transaction commits. */
  release(tx: Transaction, accountId: string, lines: WantedLine[]): void {
    changeStock(tx, accountId, lines, 1);
  }
}

function changeStock(tx: Transaction, accountId: string, lines: WantedLine[], sign: 1 | -1): void {
  tx.write(CHANGE_STOCK, [accountId, lines.map((line) => line.productId), lines.map((line) => sign * line.quantity)], {
    products_stock_check: () => insufficientStock('Another order took the last pieces.'),
  });
}

function insufficientStock(detail: string): Problem {
  return new Problem('insufficient-stock', detail);
}
