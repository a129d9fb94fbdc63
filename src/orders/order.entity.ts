import { Check, Column, Entity, Index, JoinColumn, ManyToOne, OneToMany, PrimaryColumn, type Relation } from 'typeorm';
import { bigintAsNumber } from '../kernel/money.js';

export const ORDER_STATUSES = ['pending', 'paid', 'cancelled'] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

@Entity('orders')
@Check('orders_status_check', `status IN ('pending', 'paid', 'cancelled')`)
@Check('orders_total_check', `total BETWEEN 1 AND 999999999999`)
@Index('orders_status_idx', ['accountId', 'status', 'id'])
export class Order {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'orders_pkey' })
  accountId: string;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'orders_pkey' })
  id: string;

  @Column('text')
  status: OrderStatus;

  @Column('text')
  currency: string;

  /** In the currency's minor unit. */
  @Column('bigint', { transformer: bigintAsNumber })
  total: number;

  @Column('text', { name: 'customer_reference', nullable: true })
  customerReference: string | null;

  @Column('json')
  metadata: Record<string, string>;

  /** Grows with every change; the ETag. */
  @Column('integer', { default: 1 })
  version: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date;

  @OneToMany(() => OrderItem, (item) => item.order)
  items: Relation<OrderItem[]>;
}

/** One line of an order, as agreed when it was placed. */
@Entity('order_items')
@Check('order_items_quantity_check', `quantity BETWEEN 1 AND 1000`)
export class OrderItem {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'order_items_pkey' })
  accountId: string;

  @PrimaryColumn('uuid', { name: 'order_id', primaryKeyConstraintName: 'order_items_pkey' })
  orderId: string;

  @PrimaryColumn('integer', { name: 'line_no', primaryKeyConstraintName: 'order_items_pkey' })
  lineNo: number;

  @ManyToOne(() => Order, (order) => order.items)
  @JoinColumn([
    { name: 'account_id', referencedColumnName: 'accountId', foreignKeyConstraintName: 'order_items_order_fkey' },
    { name: 'order_id', referencedColumnName: 'id', foreignKeyConstraintName: 'order_items_order_fkey' },
  ])
  order: Relation<Order>;

  @Column({ type: 'text', name: 'product_id', collation: 'C' })
  productId: string;

  @Column('text')
  name: string;

  @Column('integer')
  quantity: number;

  @Column('bigint', { name: 'unit_price', transformer: bigintAsNumber })
  unitPrice: number;
}
