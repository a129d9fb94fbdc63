import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { PeriodicTask, deleteInBatches } from '../idempotency/index.js';
import { CONFIG, type Config } from '../kernel/config.js';

/**
 * How long an event is kept, in milliseconds. It is there to know one that is sent again, which Stripe does for three days (Stripe docs,
 * "Webhooks", "Automatic retries"), and for who looks into a payment later. One that comes after that wakes its operation once more.
 */
const RETENTION = 30 * 86_400_000;

/** What a crash undoes is purged again, so the commit doesn't wait for the disk. */
const PURGE = `
  WITH gone AS (
         DELETE FROM provider_events
          WHERE ctid = ANY (ARRAY (SELECT ctid FROM provider_events
                                    WHERE received_at BETWEEN $2 AND now() - $3 * interval '1 millisecond'
                                    ORDER BY received_at LIMIT $1 FOR UPDATE SKIP LOCKED))
         RETURNING received_at)
  SELECT count(*)::int AS count, max(received_at) AS newest, set_config('synchronous_commit', 'off', true) FROM gone`;

/** Purges the inbox of the provider's events on every replica, at an interval. */
@Injectable()
export class ProviderEventsPurger implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly task: PeriodicTask;
  private readonly intervalMs: number;

  constructor(
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
    @Inject(CONFIG) { purgeInterval }: Config,
  ) {
    this.intervalMs = purgeInterval;
    this.task = new PeriodicTask({ name: 'ProviderEventsPurger', intervalMs: purgeInterval, run: (signal) => this.purge(signal) });
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Purges all that is too old by now, or what it gets done before `signal`; returns how many events went. */
  purge(signal?: AbortSignal): Promise<number> {
    return deleteInBatches(this.dataSource, PURGE, [RETENTION], { longestRestMs: this.intervalMs, signal });
  }
}
