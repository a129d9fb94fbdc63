import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ARCHIVED_COLUMNS, archiveGone } from './archive.js';
import type { Expiring } from './expiring.js';
import { BACKGROUND_SOURCE, OPTIONS, type CompleteOptions } from '../options.js';
import { PeriodicTask } from '../periodic-task.js';
import { deleteExpired } from './purge-batches.js';

/**
 * Moves expired records into the archive, each batch in one statement and so in one transaction. Finished rows alone: an
 * unfinished operation has an effect outside that nobody may forget.
 *
 * now() instead of clock_timestamp() is for the index: it can't be searched for what is not the same throughout the statement, and the
 * last batch would read all the live records there are.
 *
 * No work is done twice when a crash undoes batches: what was committed because a record had gone stands behind the
 * batch in the log, so that whoever waited for the one has waited for both. And a late request is refused by the expired
 * record as it is by the archive.
 */
const EXPIRED: Expiring = {
  table: 'idempotency_records',
  key: 'key',
  time: 'expires_at',
  which: `status = 'completed'`,
  until: 'now()',
  returning: ARCHIVED_COLUMNS,
  alongside: archiveGone,
};

/** The archive forgets, too, after its own time. */
const FORGOTTEN: Expiring = {
  table: 'idempotency_archive',
  key: 'key',
  time: 'archived_at',
  until: `now() - $3 * interval '1 millisecond'`,
};

/** Sealed keys are forgotten when the archive would have forgotten them. */
const UNSEALED: Expiring = {
  table: 'idempotency_records',
  key: 'key',
  time: 'expires_at',
  which: `status = 'sealed'`,
  until: 'now()',
  returning: 'account_id, operation_id, expires_at',
  alongside: (own) => `,
       told AS (
         DELETE FROM idempotency_timeline t USING gone g WHERE ${own('t')} t.account_id = g.account_id AND t.operation_id = g.operation_id)`,
};

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
    const archived = await deleteExpired(this.dataSource, EXPIRED, [], archiving);
    const unsealed = await deleteExpired(this.dataSource, UNSEALED, [], forgetting);
    const forgotten = unsealed + (await deleteExpired(this.dataSource, FORGOTTEN, [archiveMs], forgetting));
    if (archived + forgotten > 0) this.log.log(`archived ${archived} expired records, forgot ${forgotten} archived or sealed ones`);
    return { archived, forgotten };
  }
}
