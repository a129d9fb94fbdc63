import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What replicas have counted together; written by rate-limiter-flexible. */
@Entity('rate_limits')
export class RateLimit {
  @PrimaryColumn('text', { collation: 'C', primaryKeyConstraintName: 'rate_limits_pkey' })
  key: string;

  @Column('integer')
  points: number;

  /** Milliseconds since 1970, by the clock of the process that counted first. */
  @Column('bigint')
  expire: string;
}
