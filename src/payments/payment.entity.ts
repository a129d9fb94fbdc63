import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { bigintAsNumber } from '../kernel/money.js';
import { Order } from '../orders/order.entity.js';

export const PAYMENT_STATUSES = ['processing', 'succeeded', 'failed'] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** One try to get the money of an order. */
@Entity('payments')
@Check('payments_status_check', `status IN ('processing', 'succeeded', 'failed')`)
@Check('payments_amount_check', `amount BETWEEN 1 AND 999999999999`)
@Check('payments_refunds_check', `0 <= amount_refunded AND amount_refunded <= amount_reserved AND amount_reserved <= amount`)
@Index('payments_one_per_order_idx', ['accountId', 'orderId'], { unique: true, where: `status IN ('processing', 'succeeded')` })
@Index('payments_order_idx', ['accountId', 'orderId', 'id'])
@Index('payments_status_idx', ['accountId', 'status', 'id'])
@Index('payments_review_idx', ['accountId'], { where: 'review_reason IS NOT NULL' })
@Index('payments_check_idx', ['checkAt'], { where: 'check_at IS NOT NULL' })
@Index('payments_provider_reference_idx', ['providerReference'], { where: 'check_at IS NOT NULL' })
@Index('payments_reference_idx', ['reference', 'accountId'], { unique: true })
export class Payment {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'payments_pkey' })
  accountId: string;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'payments_pkey' })
  id: string;

  @Column('uuid', { name: 'order_id' })
  orderId: string;

  @ManyToOne(() => Order, { nullable: false })
  @JoinColumn([
    { name: 'account_id', referencedColumnName: 'accountId', foreignKeyConstraintName: 'payments_order_fkey' },
    { name: 'order_id', referencedColumnName: 'id', foreignKeyConstraintName: 'payments_order_fkey' },
  ])
  order?: Relation<Order>;

  @Column('uuid', { name: 'operation_id' })
  operationId: string;

  @Column('text')
  status: PaymentStatus;

  /** In the currency's minor unit. */
  @Column('bigint', { transformer: bigintAsNumber })
  amount: number;

  @Column('text')
  currency: string;

  /** The provider's token; never a card number. */
  @Column('text')
  source: string;

  /** Derived from the client's key; the provider finds the charge by it. */
  @Column('text')
  reference: string;

  /** The provider's own id of the charge. */
  @Column('text', { name: 'provider_reference', nullable: true })
  providerReference: string | null;

  @Column('text', { name: 'failure_code', nullable: true })
  failureCode: string | null;

  /** Sum of the refunds that succeeded. */
  @Column('bigint', { name: 'amount_refunded', default: 0, transformer: bigintAsNumber })
  amountRefunded: number;

  /** The same with those under way. */
  @Column('bigint', { name: 'amount_reserved', default: 0, transformer: bigintAsNumber })
  amountReserved: number;

  @Column('text', { name: 'review_reason', nullable: true })
  reviewReason: string | null;

  /** Until when it is wanted; null: nobody said. */
  @Column('timestamptz', { nullable: true })
  deadline: Date | null;

  /** Grows with every change that the API shows; raised under the row's lock. */
  @Column('integer', { default: 1 })
  version: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date;

  /** When the provider's books are looked at again; null: never. */
  @Column('timestamptz', { name: 'check_at', nullable: true })
  checkAt?: Date | null;
}

/** Money of a payment that goes back. */
@Entity('refunds')
@Check('refunds_status_check', `status IN ('processing', 'succeeded', 'failed')`)
@Check('refunds_amount_check', `amount BETWEEN 1 AND 999999999999`)
@Index('refunds_payment_idx', ['accountId', 'paymentId', 'id'])
@Index('refunds_operation_idx', ['accountId', 'operationId'])
@Index('refunds_check_idx', ['checkAt'], { where: 'check_at IS NOT NULL' })
@Index('refunds_reference_idx', ['reference', 'accountId'], { unique: true })
export class Refund {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'refunds_pkey' })
  accountId: string;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'refunds_pkey' })
  id: string;

  @Column('uuid', { name: 'payment_id' })
  paymentId: string;

  @ManyToOne(() => Payment, { nullable: false })
  @JoinColumn([
    { name: 'account_id', referencedColumnName: 'accountId', foreignKeyConstraintName: 'refunds_payment_fkey' },
    { name: 'payment_id', referencedColumnName: 'id', foreignKeyConstraintName: 'refunds_payment_fkey' },
  ])
  payment?: Relation<Payment>;

  @Column('uuid', { name: 'operation_id' })
  operationId: string;

  @Column('text')
  status: PaymentStatus;

  /** In the currency's minor unit. */
  @Column('bigint', { transformer: bigintAsNumber })
  amount: number;

  @Column('text')
  currency: string;

  @Column('text', { nullable: true })
  reason: string | null;

  /** Derived from the client's key and the step; known once the step has run. */
  @Column('text', { nullable: true })
  reference: string | null;

  @Column('text', { name: 'provider_reference', nullable: true })
  providerReference: string | null;

  @Column('text', { name: 'failure_code', nullable: true })
  failureCode: string | null;

  /** Grows with every change that the API shows; raised under the row's lock. */
  @Column('integer', { default: 1 })
  version: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date;

  /** When the provider's books are looked at again; null: never. */
  @Column('timestamptz', { name: 'check_at', nullable: true })
  checkAt?: Date | null;
}

/** An event of the provider, received once. */
@Entity('provider_events')
@Index('provider_events_received_idx', ['receivedAt'])
export class ProviderEvent {
  @PrimaryColumn('text', { primaryKeyConstraintName: 'provider_events_pkey' })
  id: string;

  @Column('text')
  type: string;

  @Column('text', { nullable: true })
  reference: string | null;

  @Column('timestamptz', { name: 'received_at', default: () => 'now()' })
  receivedAt: Date;
}
