import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What replicas count together where `RATE_LIMIT_STORE` is `postgres`. Its columns, in this order, are those that
 * rate-limiter-flexible writes.
 */
export class RateLimits1700000000008 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      -- Unlogged: no request waits for the disk to be counted. A crash of the server or a failover empties it, and quotas begin anew.
      CREATE UNLOGGED TABLE rate_limits (
        key    text    COLLATE "C" CONSTRAINT rate_limits_pkey PRIMARY KEY,
        points integer NOT NULL,
        -- Milliseconds since 1970, by the clock of the process that counted first.
        expire bigint  NOT NULL
      )
      -- Few rows that change with each request: room on each page keeps those updates off the index (HOT).
      WITH (fillfactor = 25);
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE rate_limits');
  }
}
