import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import type { DataSource } from 'typeorm';
import { BACKGROUND_SOURCE, OPTIONS, type CompleteOptions } from './options.js';

/** 1 million rows take 3.7 s in batches of this size, and 10.5 s in batches of 1,000. */
const BATCH = 10_000;

/**
 * Moves a batch of expired records into the archive, in one statement and so in one transaction. Finished rows alone: an
 * unfinished operation has an effect outside that nobody may forget. SKIP LOCKED lets every replica purge at once.
 */
const PURGE = `
  WITH gone AS (
         DELETE FROM idempotency_records
          WHERE ctid = ANY (ARRAY (SELECT ctid FROM idempotency_records
                                    WHERE status = 'completed' AND expires_at <= clock_timestamp()
                                    ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))
            AND status = 'completed' AND expires_at <= clock_timestamp()
         RETURNING account_id, key, operation_id, operation, resource, response_status, attempt, created_at, completed_at, expires_at),
       counted AS (
         DELETE FROM idempotency_replays r USING gone g
          WHERE r.account_id = g.account_id AND r.operation_id = g.operation_id
         RETURNING r.account_id, r.operation_id, r.count),
       told AS (
         DELETE FROM idempotency_timeline t USING gone g WHERE t.account_id = g.account_id AND t.operation_id = g.operation_id),
       archived AS (
         INSERT INTO idempotency_archive (account_id, key, operation_id, operation, resource, response_status, attempts, replays,
                                          created_at, completed_at, expires_at, archived_at)
         SELECT g.account_id, g.key, g.operation_id, g.operation, g.resource, g.response_status, g.attempt, coalesce(c.replays, 0),
                g.created_at, g.completed_at, g.expires_at, clock_timestamp()
           FROM gone g
           LEFT JOIN (SELECT account_id, operation_id, sum(count) AS replays FROM counted GROUP BY account_id, operation_id) c
             USING (account_id, operation_id)
         -- A key that was executed again after its window, where late requests are allowed to.
         ON CONFLICT (account_id, key) DO UPDATE
            SET operation_id = excluded.operation_id, operation = excluded.operation, resource = excluded.resource,
                response_status = excluded.response_status, attempts = excluded.attempts, replays = excluded.replays,
                created_at = excluded.created_at, completed_at = excluded.completed_at, expires_at = excluded.expires_at,
                archived_at = excluded.archived_at)
  SELECT count(*)::int AS count FROM gone`;

/** The archive forgets, too, after its own time. */
const FORGET = `
  WITH gone AS (
         DELETE FROM idempotency_archive
          WHERE ctid = ANY (ARRAY (SELECT ctid FROM idempotency_archive
                                    WHERE archived_at <= clock_timestamp() - $2 * interval '1 millisecond'
                                    ORDER BY archived_at LIMIT $1 FOR UPDATE SKIP LOCKED))
         RETURNING 1)
  SELECT count(*)::int AS count FROM gone`;

/** Purges expired records on every replica, at an interval. */
@Injectable()
export class PurgeCron implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('Purge');
  private running: Promise<unknown> | undefined;
  private stopping = false;

  constructor(
    private readonly schedule: SchedulerRegistry,
    @Inject(BACKGROUND_SOURCE) private readonly dataSource: DataSource,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  onApplicationBootstrap(): void {
    const timer = setInterval(() => this.tick(), this.options.purgeIntervalMs);
    this.schedule.addInterval('idempotency-purge', timer.unref() as unknown as number);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.running;
  }

  /** Purges all that has expired by now; returns how many records went into the archive and how many left it. */
  async purge(): Promise<{ archived: number; forgotten: number }> {
    const archived = await this.inBatches(PURGE, [BATCH]);
    const forgotten = await this.inBatches(FORGET, [BATCH, this.options.archiveMs]);
    if (archived + forgotten > 0) this.log.log(`archived ${archived} expired records, forgot ${forgotten} archived ones`);
    return { archived, forgotten };
  }

  private tick(): void {
    if (this.running || this.stopping) return;
    this.running = this.purge()
      .catch((error: unknown) => this.log.warn({ err: error }, 'purging failed, and will be tried again'))
      .finally(() => (this.running = undefined));
  }

  private async inBatches(statement: string, values: unknown[]): Promise<number> {
    let total = 0;
    for (let count = BATCH; count === BATCH && !this.stopping; total += count) {
      const [row] = await this.dataSource.query<{ count: number }[]>(statement, values);
      count = row?.count ?? 0;
    }
    return total;
  }
}
