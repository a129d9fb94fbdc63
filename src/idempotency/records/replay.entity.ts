import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How often an operation was answered again, by the reason that the client gave; flushed in batches, never on a request's path. */
@Entity('idempotency_replays')
export class IdempotencyReplay {
  @PrimaryColumn('uuid', { name: 'account_id', primaryKeyConstraintName: 'idempotency_replays_pkey' })
  accountId: string;

  @PrimaryColumn('uuid', { name: 'operation_id', primaryKeyConstraintName: 'idempotency_replays_pkey' })
  operationId: string;

  /** The client's `Retry-Reason`, or the empty text. */
  @PrimaryColumn('text', { primaryKeyConstraintName: 'idempotency_replays_pkey' })
  reason: string;

  @Column('integer')
  count: number;

  /** Declared retries that got no stored answer: told that it runs, answered 202, or the first one to arrive. */
  @Column('integer', { default: 0 })
  tries: number;

  /** Highest `Retry-Attempt` of them all. */
  @Column('integer', { name: 'highest_attempt', nullable: true })
  highestAttempt: number | null;

  /** When the stored answer was given last; where it never was, of the last try. */
  @Column('timestamptz', { name: 'last_at' })
  lastAt: Date;

  /** When the last of the tries came; null where there was none, or an earlier version has it in `lastAt`. */
  @Column('timestamptz', { name: 'last_try_at', nullable: true })
  lastTryAt: Date | null;
}
