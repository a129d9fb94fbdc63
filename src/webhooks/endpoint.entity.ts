import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

export const ENDPOINT_STATUSES = ['enabled', 'disabled'] as const;
export type EndpointStatus = (typeof ENDPOINT_STATUSES)[number];

/** Why the service disabled an endpoint: every attempt failed for too long, or the receiver answered 410. */
export const DISABLED_REASONS = ['failing', 'gone'] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

/** Where an account wants to be told of its events. */
@Entity('webhook_endpoints')
@Check('webhook_endpoints_status_check', `status IN ('enabled', 'disabled')`)
export class WebhookEndpoint {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'webhook_endpoints_pkey' })
  accountId: string;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'webhook_endpoints_pkey' })
  id: string;

  @Column('text')
  url: string;

  /** `*` for all. */
  @Column('text', { array: true })
  types: string[];

  @Column('text', { nullable: true })
  description: string | null;

  @Column('text', { default: 'enabled' })
  status: EndpointStatus;

  /** Null where nobody but the account disabled it. */
  @Column('text', { name: 'disabled_reason', nullable: true })
  disabledReason: DisabledReason | null;

  /** Since when every attempt has failed; null when the last one succeeded. */
  @Column('timestamptz', { name: 'failing_since', nullable: true })
  failingSince: Date | null;

  /** `whsec_…`; of it and the one before, nothing is read but to sign and by the route that shows it. */
  @Column('text', { select: false })
  secret: string;

  @Column('text', { name: 'previous_secret', nullable: true, select: false })
  previousSecret: string | null;

  @Column('timestamptz', { name: 'previous_valid_until', nullable: true })
  previousValidUntil: Date | null;

  /** Events up to this transaction and id have become deliveries, or were of other types. */
  @Column('bigint', { name: 'position_transaction' })
  positionTransaction: string;

  @Column('uuid', { name: 'position_event' })
  positionEvent: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'updated_at' })
  updatedAt: Date;
}
