import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One change of a stock that is no order's: what there was at first, what came, what was lost. */
@Entity('stock_changes')
export class StockChange {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'stock_changes_pkey' })
  accountId: string;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'stock_changes_pkey' })
  id: string;

  @Column({ type: 'text', name: 'product_id', collation: 'C' })
  productId: string;

  @Column('integer')
  change: number;

  @Column('text', { nullable: true })
  reason: string | null;

  /** Of the request that asked for it. */
  @Column('uuid', { name: 'operation_id', nullable: true })
  operationId: string | null;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt: Date;
}
