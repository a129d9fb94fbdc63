import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

export const OUTCOMES = ['happened', 'did-not-happen'] as const;
/** What a person found out about a charge or refund of which the provider can't tell. */
export type DecidedOutcome = (typeof OUTCOMES)[number];

/** A person's decision about a payment or refund. */
@Entity('payment_decisions')
@Check('payment_decisions_outcome_check', `outcome IN ('happened', 'did-not-happen')`)
@Index('payment_decisions_settled_idx', ['accountId', 'subjectId'], { unique: true, where: 'settled_at IS NOT NULL' })
export class PaymentDecision {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'payment_decisions_pkey' })
  accountId: string;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'payment_decisions_pkey' })
  id: string;

  /** The operation that is decided. */
  @Column('uuid', { name: 'operation_id' })
  operationId: string;

  /** The payment or refund that the operation had in hand when the decision was made. */
  @Column('uuid', { name: 'subject_id' })
  subjectId: string;

  @Column('text')
  outcome: DecidedOutcome;

  /** The provider's id of what happened, where the person knows it. */
  @Column('text', { name: 'provider_reference', nullable: true })
  providerReference: string | null;

  @Column('text')
  note: string;

  /** Who decided: `key_…`, or the operating system's user. */
  @Column('text')
  actor: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  /** When it was carried out; null where it was not, or not yet. */
  @Column('timestamptz', { name: 'settled_at', nullable: true })
  settledAt: Date | null;
}
