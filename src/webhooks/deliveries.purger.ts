import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { PeriodicTask, deleteInBatches } from '../idempotency/index.js';
import { CONFIG, type Config } from '../kernel/config.js';

/** As long as events, in milliseconds. */
const RETENTION = 30 * 86_400_000;

/** What a crash undoes is purged again, so the commit doesn't wait for the disk. */
const PURGE = `
  WITH gone AS (
         DELETE FROM webhook_deliveries
          WHERE ctid = ANY (ARRAY (SELECT ctid FROM webhook_deliveries
                                    WHERE created_at BETWEEN $2 AND now() - $3 * interval '1 millisecond'
                                    ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED))
         RETURNING created_at)
  SELECT count(*)::int AS count, max(created_at) AS newest, set_config('synchronous_commit', 'off', true) FROM gone`;

/** Purges deliveries on every replica, at an interval; those of endpoints that are deleted stay as long as others. */
@Injectable()
export class DeliveriesPurger implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly task: PeriodicTask;
  private readonly intervalMs: number;

  constructor(
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
    @Inject(CONFIG) { purgeInterval }: Config,
  ) {
    this.intervalMs = purgeInterval;
    this.task = new PeriodicTask({ name: 'DeliveriesPurger', intervalMs: purgeInterval, run: (signal) => this.purge(signal) });
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Purges all that is too old by now, or what it gets done before `signal`; returns how many deliveries went. */
  purge(signal?: AbortSignal): Promise<number> {
    return deleteInBatches(this.dataSource, PURGE, [RETENTION], { longestRestMs: this.intervalMs, signal });
  }
}
