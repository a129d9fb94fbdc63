import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ARCHIVED_COLUMNS, ARCHIVE_GONE } from './archive.js';
import { BACKGROUND_SOURCE, OPTIONS, type CompleteOptions } from '../options.js';
import { PeriodicTask } from '../periodic-task.js';
import { deleteInBatches } from './purge-batches.js';

/**
 * Moves a batch of expired records into the archive, in one statement and so in one transaction. Finished rows alone: an
 * unfinished operation has an effect outside that nobody may forget. SKIP LOCKED lets every replica purge at once.
 *
 * $2 is where the batch before ended, so that none walks over what earlier ones have left in the index. now() instead of
 * clock_timestamp() is for the index, too: it can't be searched for what is not the same throughout the statement, and the
 * last batch would read all the live records there are.
 *
 * The commit doesn't wait for the disk. A crash may undo the last batches, each as a whole: then their records were not
 * purged yet, and will be. No work is done twice by that: what was committed because a record had gone stands behind the
 * batch in the log, so that whoever waited for the one has waited for both. And a late request is refused by the expired
 * record as it is by the archive.
 */
const PURGE = `
  WITH gone AS (
         DELETE FROM idempotency_records
          WHERE ctid = ANY (ARRAY (SELECT ctid FROM idempotency_records
                                    WHERE status = 'completed' AND expires_at BETWEEN $2 AND now()
                                    ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))
            AND status = 'completed' AND expires_at BETWEEN $2 AND now()
         RETURNING ${ARCHIVED_COLUMNS}),
       ${ARCHIVE_GONE}
  SELECT count(*)::int AS count, max(expires_at) AS newest, set_config('synchronous_commit', 'off', true) FROM gone`;

/** The archive forgets, too, after its own time; what is undone by a crash is forgotten again. */
const FORGET = `
  WITH gone AS (
         DELETE FROM idempotency_archive
          WHERE ctid = ANY (ARRAY (SELECT ctid FROM idempotency_archive
                                    WHERE archived_at BETWEEN $2 AND now() - $3 * interval '1 millisecond'
                                    ORDER BY archived_at LIMIT $1 FOR UPDATE SKIP LOCKED))
         RETURNING archived_at)
  SELECT count(*)::int AS count, max(archived_at) AS newest, set_config('synchronous_commit', 'off', true) FROM gone`;

/** Sealed keys are forgotten when the archive would have forgotten them. */
const FORGET_SEALED = `
  WITH gone AS (
         DELETE FROM idempotency_records
          WHERE ctid = ANY (ARRAY (SELECT ctid FROM idempotency_records
                                    WHERE status = 'sealed' AND expires_at BETWEEN $2 AND now()
                                    ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))
            AND status = 'sealed' AND expires_at BETWEEN $2 AND now()
         RETURNING account_id, operation_id, expires_at),
       trimmed AS (
         DELETE FROM idempotency_timeline t USING gone g WHERE t.account_id = g.account_id AND t.operation_id = g.operation_id)
  SELECT count(*)::int AS count, max(expires_at) AS newest, set_config('synchronous_commit', 'off', true) FROM gone`;

/** Purges expired records on every replica, at an interval. */
@Injectable()
export class Purger implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('Purger');
  private readonly task: PeriodicTask;

  constructor(
    @Inject(BACKGROUND_SOURCE) private readonly dataSource: DataSource,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {
    this.task = new PeriodicTask({
      name: 'Purger',
      intervalMs: options.purgeIntervalMs,
      writesTo: dataSource,
      run: (signal) => this.purge(signal),
    });
  }

  onApplicationBootstrap(): void {
    if (this.options.background) this.task.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /**
   * Purges all that has expired by now, or what it gets done before `signal`; returns how many records went into the archive
   * and how many left it or were sealed and are forgotten.
   */
  async purge(signal?: AbortSignal): Promise<{ archived: number; forgotten: number }> {
    const { notice, archiveMs, purgeIntervalMs: longestRestMs } = this.options;
    const forgetting = { longestRestMs, signal, took: (count: number) => notice({ kind: 'forgotten', count }) };
    const archiving = { longestRestMs, signal, took: (count: number) => notice({ kind: 'archived', count }) };
    const archived = await deleteInBatches(this.dataSource, PURGE, [], archiving);
    const unsealed = await deleteInBatches(this.dataSource, FORGET_SEALED, [], forgetting);
    const forgotten = unsealed + (await deleteInBatches(this.dataSource, FORGET, [archiveMs], forgetting));
    if (archived + forgotten > 0) this.log.log(`archived ${archived} expired records, forgot ${forgotten} archived or sealed ones`);
    return { archived, forgotten };
  }
}
