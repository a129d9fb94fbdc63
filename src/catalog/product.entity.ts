import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../kernel/money.js';

/** What can be ordered. */
@Entity('products')
@Check('products_price_check', `unit_price BETWEEN 1 AND 999999999999`)
@Check('products_stock_check', `stock >= 0`)
export class Product {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'products_pkey' })
  accountId: string;

  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'products_pkey' })
  id: string;

  @Column('text')
  name: string;

  /** In the currency's minor unit. */
  @Column('bigint', { name: 'unit_price', transformer: bigintAsNumber })
  unitPrice: number;

  @Column('text')
  currency: string;

  @Column('integer')
  stock: number;

  /** Counts changes of name and price, deletions and returns; not the stock. */
  @Column('integer', { default: 1 })
  version: number;

  /** Null while it can be ordered. */
  @Column('timestamptz', { name: 'deleted_at', nullable: true })
  deletedAt: Date | null;
}
