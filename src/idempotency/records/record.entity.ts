import { Check, Column, Entity, Index, PrimaryColumn, Unique } from 'typeorm';

/**
 * The record of one idempotency key: claimed and completed in the transaction of the work itself. The row is written
 * by the statements of `record.store.ts`; this entity describes it to TypeORM and to the drift check.
 */
@Entity('idempotency_records')
@Unique('idempotency_records_operation_key', ['accountId', 'operationId'])
@Check('idempotency_records_status_check', `status IN ('running', 'completed', 'sealed')`)
@Check('idempotency_records_hash_check', `octet_length(request_hash) = 32`)
@Check('idempotency_records_sealed_check', `(status = 'sealed') = (request_hash IS NULL)`)
@Check('idempotency_records_key_check', `length(key) BETWEEN 1 AND 255`)
@Check('idempotency_records_body_check', `octet_length(response_body) <= 2097152`)
@Check('idempotency_records_running_check', `status <> 'running' OR (recovery_point IS NOT NULL AND next_run_at IS NOT NULL)`)
@Check(
  'idempotency_records_completed_check',
  `status <> 'completed' OR (response_status IS NOT NULL AND response_body IS NOT NULL AND completed_at IS NOT NULL AND expires_at IS NOT NULL)`,
)
@Index('idempotency_records_expires_idx', ['expiresAt'], { where: `status = 'completed'` })
@Index('idempotency_records_sealed_idx', ['expiresAt'], { where: `status = 'sealed'` })
@Index('idempotency_records_duplicate_idx', ['accountId', 'requestHash'], { where: 'duplicate_until IS NOT NULL' })
@Index('idempotency_records_running_idx', ['nextRunAt'], { where: `status = 'running'` })
export class IdempotencyRecord {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'idempotency_records_pkey' })
  accountId: string;

  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'idempotency_records_pkey' })
  key: string;

  @Column('uuid', { name: 'operation_id' })
  operationId: string;

  @Column('text')
  operation: string;

  /** Null where the key is sealed. */
  @Column('bytea', { name: 'request_hash', nullable: true })
  requestHash: Buffer | null;

  @Column('text')
  status: 'running' | 'completed' | 'sealed';

  @Column('text', { name: 'recovery_point', nullable: true })
  recoveryPoint: string | null;

  @Column('integer', { name: 'step_no', default: 0 })
  stepNo: number;

  @Column('uuid', { name: 'subject_id', nullable: true })
  subjectId: string | null;

  @Column('integer', { default: 1 })
  attempt: number;

  @Column('timestamptz', { name: 'lease_until', nullable: true })
  leaseUntil: Date | null;

  @Column('timestamptz', { name: 'next_run_at', nullable: true })
  nextRunAt: Date | null;

  @Column('text', { name: 'parked_reason', nullable: true })
  parkedReason: string | null;

  /** From then on a request may take a parked operation over; counts while `leaseUntil` is null. */
  @Column('timestamptz', { name: 'resumable_at', nullable: true })
  resumableAt: Date | null;

  @Column('integer', { name: 'response_status', nullable: true })
  responseStatus: number | null;

  @Column('jsonb', { name: 'response_headers', nullable: true })
  responseHeaders: Record<string, string> | null;

  @Column('bytea', { name: 'response_body', nullable: true })
  responseBody: Buffer | null;

  @Column('text', { nullable: true })
  resource: string | null;

  @Column('text', { name: 'trace_id', nullable: true })
  traceId: string | null;

  /** Of the request that claimed the key; null where nothing was traced. */
  @Column('text', { nullable: true })
  traceparent: string | null;

  /** How long the response is kept from completion on; written at the claim, for whoever completes. */
  @Column('bigint', { name: 'window_ms' })
  windowMs: string;

  /** Until then the same request under another key is a possible duplicate; null where the endpoint doesn't look, or it was undone. */
  @Column('timestamptz', { name: 'duplicate_until', nullable: true })
  duplicateUntil: Date | null;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'completed_at', nullable: true })
  completedAt: Date | null;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;
}

/** The story of an operation with steps, one row for each thing that happened to it. */
@Entity('idempotency_timeline')
@Index('idempotency_timeline_operation_idx', ['accountId', 'operationId', 'id'])
export class TimelineEntry {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'idempotency_timeline_pkey' })
  accountId: string;

  @PrimaryColumn('bigint', { generated: 'identity', generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'idempotency_timeline_pkey' })
  id: string;

  @Column('uuid', { name: 'operation_id' })
  operationId: string;

  @Column('timestamptz')
  at: Date;

  @Column('text')
  event: string;

  @Column('text')
  detail: string;
}

/** What is left of a purged record: enough to refuse a late retry and to point to what the first request made. */
@Entity('idempotency_archive')
@Index('idempotency_archive_operation_idx', ['accountId', 'operationId'])
@Index('idempotency_archive_archived_idx', ['archivedAt'])
export class ArchivedRecord {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'idempotency_archive_pkey' })
  accountId: string;

  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'idempotency_archive_pkey' })
  key: string;

  @Column('uuid', { name: 'operation_id' })
  operationId: string;

  @Column('text')
  operation: string;

  @Column('text', { nullable: true })
  resource: string | null;

  @Column('integer', { name: 'response_status' })
  responseStatus: number;

  @Column('integer')
  attempts: number;

  @Column('integer')
  replays: number;

  @Column('timestamptz', { name: 'created_at' })
  createdAt: Date;

  @Column('timestamptz', { name: 'completed_at' })
  completedAt: Date;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('timestamptz', { name: 'archived_at' })
  archivedAt: Date;
}
