import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Order } from '../orders/order.entity.js';

export const TICKET_STATUSES = ['open', 'pending', 'closed'] as const;
export const TICKET_PRIORITIES = ['low', 'normal', 'high'] as const;
export type TicketStatus = (typeof TICKET_STATUSES)[number];
export type TicketPriority = (typeof TICKET_PRIORITIES)[number];

/** A request for support, about an order or not. */
@Entity('tickets')
@Check('tickets_status_check', `status IN ('open', 'pending', 'closed')`)
@Check('tickets_priority_check', `priority IN ('low', 'normal', 'high')`)
@Index('tickets_status_idx', ['accountId', 'status', 'id'])
export class Ticket {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'tickets_pkey' })
  accountId: string;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'tickets_pkey' })
  id: string;

  @Column('text')
  subject: string;

  @Column('text')
  description: string;

  @Column('uuid', { name: 'order_id', nullable: true })
  orderId: string | null;

  @ManyToOne(() => Order, { nullable: true })
  @JoinColumn([
    { name: 'account_id', referencedColumnName: 'accountId', foreignKeyConstraintName: 'tickets_order_fkey' },
    { name: 'order_id', referencedColumnName: 'id', foreignKeyConstraintName: 'tickets_order_fkey' },
  ])
  order?: Relation<Order> | null;

  @Column('text')
  status: TicketStatus;

  @Column('text')
  priority: TicketPriority;

  @Column('integer', { default: 1 })
  version: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date;
}
