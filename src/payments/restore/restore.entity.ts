import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import { bigintAsNumber } from '../../kernel/money.js';

/** What became of a charge whose payment was lost. */
export const RESTORED_OUTCOMES = ['adopted', 'refunded'] as const;
export type RestoredOutcome = (typeof RESTORED_OUTCOMES)[number];

/** Whether payments may go on: a row for each server that it was opened for. On another one, or another timeline, it is shut. */
@Entity('payments_gate')
export class PaymentsGate {
  /** '' where the server doesn't tell. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'payments_gate_pkey' })
  cluster: string;

  @Column('boolean', { name: 'is_open' })
  isOpen: boolean;

  @Column('integer', { nullable: true })
  timeline: number | null;

  @Column('timestamptz', { name: 'changed_at' })
  changedAt: Date;

  @Column('text', { name: 'changed_by' })
  changedBy: string;

  @Column('text')
  note: string;
}

/** A charge whose payment was lost, and what was decided about it. The lost payment's key leads here by its reference. */
@Entity('restored_charges')
@Check('restored_charges_outcome_check', `outcome IN ('adopted', 'refunded')`)
export class RestoredCharge {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'restored_charges_pkey' })
  accountId: string;

  @PrimaryColumn('text', { primaryKeyConstraintName: 'restored_charges_pkey' })
  reference: string;

  /** The provider's id. */
  @Column('text', { name: 'charge_id' })
  chargeId: string;

  /** In the currency's minor unit. */
  @Column('bigint', { transformer: bigintAsNumber })
  amount: number;

  @Column('text')
  currency: string;

  /** The order may be lost as well. */
  @Column('uuid', { name: 'order_id' })
  orderId: string;

  @Column('uuid', { name: 'payment_id' })
  paymentId: string;

  @Column('timestamptz', { name: 'charged_at' })
  chargedAt: Date;

  @Column('text')
  outcome: RestoredOutcome;

  /** The provider's id of the refund; null until it is known. */
  @Column('text', { name: 'refund_id', nullable: true })
  refundId: string | null;

  @Column('text', { name: 'refund_reference', nullable: true })
  refundReference: string | null;

  @Column('timestamptz', { name: 'decided_at' })
  decidedAt: Date;

  @Column('text', { name: 'decided_by' })
  decidedBy: string;

  @Column('text')
  note: string;
}
