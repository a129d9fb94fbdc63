import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What became true of a resource, as it was told in the transaction that made it so. */
@Entity('events')
@Index('events_forward_idx', ['accountId', 'transactionId', 'id'])
@Index('events_type_idx', ['accountId', 'type', 'id'])
@Index('events_resource_idx', ['accountId', 'resourceId', 'id'])
export class EventRow {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'events_pkey' })
  accountId: string;

  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'events_pkey' })
  id: string;

  /** Of the transaction that wrote it (`pg_current_xact_id()::text`). */
  @Column('bigint', { name: 'transaction_id' })
  transactionId: string;

  @Column('text')
  type: string;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  /** Null where no key was asked for. */
  @Column('uuid', { name: 'operation_id', nullable: true })
  operationId: string | null;

  @Column('text', { name: 'idempotency_key', nullable: true })
  idempotencyKey: string | null;

  /** Of what made it true; null where that was not traced. */
  @Column('text', { nullable: true })
  traceparent: string | null;

  @Column('text', { name: 'resource_type' })
  resourceType: string;

  /** The public id. */
  @Column({ type: 'text', name: 'resource_id', collation: 'C' })
  resourceId: string;

  @Column('integer', { name: 'resource_version' })
  resourceVersion: number;

  /** The resource as the API showed it at that version. */
  @Column('json')
  data: object;
}
