import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

export const DELIVERY_STATUSES = ['pending', 'delivered', 'dead'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** What became of one attempt. */
export interface Attempt {
  /** Counts from 1; one that is missing was cut off by the end of its process. */
  attempt: number;
  /** When it ended; ISO 8601. */
  at: string;
  /** What the receiver answered; null where it didn't. */
  status: number | null;
  /** Why there is no answer; null where there is one. */
  error: string | null;
  /** How long it took, in milliseconds. */
  ms: number;
}

/** One event on its way to one endpoint. */
@Entity('webhook_deliveries')
@Check('webhook_deliveries_status_check', `status IN ('pending', 'delivered', 'dead')`)
@Index('webhook_deliveries_event_key', ['accountId', 'endpointId', 'eventId'], { unique: true })
@Index('webhook_deliveries_list_idx', ['accountId', 'endpointId', 'id'])
@Index('webhook_deliveries_pending_idx', ['accountId', 'endpointId', 'resourceId', 'resourceVersion'], { where: `status = 'pending'` })
@Index('webhook_deliveries_created_idx', ['createdAt'])
export class WebhookDelivery {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'webhook_deliveries_pkey' })
  accountId: string;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'webhook_deliveries_pkey' })
  id: string;

  @Column('uuid', { name: 'endpoint_id' })
  endpointId: string;

  @Column('uuid', { name: 'event_id' })
  eventId: string;

  @Column('text', { name: 'event_type' })
  eventType: string;

  @Column('text', { name: 'resource_type' })
  resourceType: string;

  /** The public id. */
  @Column({ type: 'text', name: 'resource_id', collation: 'C' })
  resourceId: string;

  @Column('integer', { name: 'resource_version' })
  resourceVersion: number;

  /** What is sent where no row of events has it: a test. */
  @Column('text', { nullable: true, select: false })
  body: string | null;

  @Column('text', { default: 'pending' })
  status: DeliveryStatus;

  /** Grows with each attempt that begins: an attempt whose lease has passed settles nothing. */
  @Column('integer', { default: 0 })
  attempt: number;

  /** Failed attempts of this round; a redelivery begins a new one. */
  @Column('integer', { default: 0 })
  failures: number;

  /** When the first attempt of this round failed. */
  @Column('timestamptz', { name: 'failing_since', nullable: true })
  failingSince: Date | null;

  @Column('timestamptz', { name: 'next_attempt_at', nullable: true })
  nextAttemptAt: Date | null;

  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil: Date | null;

  /** The last ones, oldest first. */
  @Column('jsonb', { default: [] })
  attempts: Attempt[];

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'completed_at', nullable: true })
  completedAt: Date | null;
}
