import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, type EntityManager, type Repository } from 'typeorm';
import { appendOwnEvent, type EventType } from '../events/outbox.js';
import { checkConditions, checkIfNoneMatch, type Conditions } from '../http/etag.js';
import type { Page, ListQuery } from '../http/page.js';
import { Problem, noSuch } from '../http/problem.js';
import { pageBy, readAs } from '../http/reads.js';
import { invalid } from '../http/validation.js';
import { writeAs } from '../http/writes.js';
import type { Statement, Transaction } from '../idempotency/index.js';
import { newId } from '../kernel/ids.js';
import { PRODUCT_ID } from '../openapi/fields.js';
import { CHANGE_STOCK, insufficientStock } from './catalog.service.js';
import { PRODUCT_ID_RULE, ProductView, type ChangeStock, type PutProduct, type StockChangeView } from './product.dto.js';
import { Product } from './product.entity.js';

/** The largest stock that a change makes. Cancelled orders give theirs back on top of it, and the column has room for that. */
export const MAX_STOCK = 1_000_000_000;

const INSERT = `
  INSERT INTO products (account_id, id, name, unit_price, currency, stock) VALUES ($1, $2, $3, $4, $5, 0)
  ON CONFLICT DO NOTHING RETURNING stock, version`;

const LOCK_STOCK: Statement = {
  name: 'products-lock-stock',
  text: `SELECT stock FROM products WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL FOR NO KEY UPDATE`,
};

const INSERT_STOCK_CHANGE: Statement = {
  name: 'stock-changes-insert',
  text: `INSERT INTO stock_changes (account_id, id, product_id, change, reason, operation_id) VALUES ($1, $2, $3, $4, $5, $6)`,
};

/** What a PUT has come to. */
export interface PutResult {
  product: Product;
  /** There was none before. */
  made: boolean;
}

/** Whose product, and which. */
interface Named {
  accountId: string;
  id: string;
}

/** The catalogue as its account changes and reads it. What orders take of it is CatalogService's. */
@Injectable()
export class ProductsService {
  constructor(@InjectRepository(Product) private readonly products: Repository<Product>) {}

  list(accountId: string, query: ListQuery): Promise<Page<ProductView>> {
    return pageBy(this.products, null, query, { accountId, deletedAt: IsNull() }, ProductView.of);
  }

  /** @throws Problem `not-found` */
  async get(named: Named): Promise<Product> {
    const where = { ...named, deletedAt: IsNull() };
    const product = PRODUCT_ID.test(named.id) ? await readAs(this.products, named.accountId, (own) => own.findOneBy(where)) : null;
    if (!product) throw noSuch('product');
    return product;
  }

  /**
   * Makes the product, replaces it, or finds it as it shall be, and then writes nothing. `currency`: the account's.
   * @throws Problem `invalid-request` for an id that none can have, `precondition-failed`
   */
  put(named: Named, currency: string, wanted: PutProduct, conditions: Conditions): Promise<PutResult> {
    if (!PRODUCT_ID.test(named.id)) throw invalid([{ pointer: '/id', detail: PRODUCT_ID_RULE }]);
    return writeAs(this.products.manager.connection, named.accountId, async (manager) => {
      const seen = await manager.findOneBy(Product, named);
      if (seen && isAsAsked(seen, wanted)) return found(seen, conditions);
      return (
        (seen ? null : await this.insert(manager, { ...named, ...wanted, currency }, conditions)) ??
        (await this.replace(manager, named, wanted, conditions))
      );
    });
  }

  /** Null where another request has made it meanwhile. */
  private async insert(manager: EntityManager, product: Named & PutProduct & { currency: string }, conditions: Conditions) {
    checkConditions(conditions, null);
    const { accountId, id, name, unitPrice, currency } = product;
    const [row] = await manager.query<Pick<Product, 'stock' | 'version'>[]>(INSERT, [accountId, id, name, unitPrice, currency]);
    if (!row) return null;
    const made = { ...product, ...row, deletedAt: null };
    await appendOwnEvent(manager, accountId, 'product.created', ProductView.of(made));
    return { product: made, made: true };
  }

  private async replace(manager: EntityManager, named: Named, { name, unitPrice }: PutProduct, conditions: Conditions): Promise<PutResult> {
    const before = await lock(manager, named);
    if (!before) throw new Error('a product that was there has gone');
    // Another request may have made it so meanwhile.
    if (isAsAsked(before, { name, unitPrice })) return found(before, conditions);
    checkConditions(conditions, before.deletedAt ? null : before.version);
    const made = before.deletedAt !== null;
    const product = await this.save(manager, before, { name, unitPrice, deletedAt: null }, made ? 'product.created' : 'product.updated');
    return { product, made };
  }

  /** Deletes the product; nothing where it is deleted already. @throws Problem `not-found`, `precondition-failed` */
  async remove(named: Named, conditions: Conditions): Promise<void> {
    if (!PRODUCT_ID.test(named.id)) throw noSuch('product');
    await writeAs(this.products.manager.connection, named.accountId, async (manager) => {
      const product = await lock(manager, named);
      if (!product) throw noSuch('product');
      if (product.deletedAt) return;
      checkConditions(conditions, product.version);
      await this.save(manager, product, { deletedAt: new Date() }, 'product.deleted');
    });
  }

  /** Writes a change that makes a new version, and its event. */
  private async save(manager: EntityManager, before: Product, change: Partial<Product>, became: EventType): Promise<Product> {
    const changed = { ...change, version: before.version + 1 };
    await manager.update(Product, { accountId: before.accountId, id: before.id }, changed);
    const product = { ...before, ...changed };
    await appendOwnEvent(manager, product.accountId, became, ProductView.of(product));
    return product;
  }

  /** Adds to the stock, or takes from it. @throws Problem `not-found`, `insufficient-stock`, `stock-too-large` */
  async changeStock(tx: Transaction, { accountId, id }: Named, { change, reason = null }: ChangeStock): Promise<StockChangeView> {
    const [product] = PRODUCT_ID.test(id) ? await tx.run<{ stock: number }>(LOCK_STOCK, [accountId, id]) : [];
    if (!product) throw noSuch('product');
    const stock = product.stock + change;
    if (stock < 0) throw insufficientStock(`Product ${id}: ${-change} to be taken, ${product.stock} in stock.`);
    if (change > 0 && stock > MAX_STOCK) throw new Problem('stock-too-large', `The stock would be ${stock}.`);
    tx.write(CHANGE_STOCK, [accountId, id, change]);
    tx.write(INSERT_STOCK_CHANGE, [accountId, newId(), id, change, reason, tx.operationUuid]);
    return { productId: id, change, stock };
  }
}

function lock(manager: EntityManager, named: Named): Promise<Product | null> {
  return manager.findOne(Product, { where: { ...named }, lock: { mode: 'for_no_key_update' } });
}

function isAsAsked({ name, unitPrice, deletedAt }: Product, wanted: PutProduct): boolean {
  return deletedAt === null && name === wanted.name && unitPrice === wanted.unitPrice;
}

/** It is as it shall be: then a stale If-Match is that of a retry (RFC 9110, section 13.1.1). */
function found(product: Product, conditions: Conditions): PutResult {
  checkIfNoneMatch(conditions, product.version);
  return { product, made: false };
}
