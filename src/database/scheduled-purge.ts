import { Inject, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { PeriodicTask, deleteExpired, deleteInBatches, type Expiring } from '../idempotency/index.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { BACKGROUND } from './data-source.js';

/** A purge on every replica, at the interval that the configuration says, from the start of the process to its end. */
export abstract class ScheduledPurge implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly task: PeriodicTask;

  constructor(
    @InjectDataSource(BACKGROUND) protected readonly dataSource: DataSource,
    @Inject(CONFIG) private readonly config: Config,
  ) {
    this.task = new PeriodicTask({
      name: this.constructor.name,
      intervalMs: config.purgeInterval,
      writesTo: this.dataSource,
      run: (signal) => this.purge(signal),
    });
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Purges all that is too old by now, or what it gets done before `signal`; returns how many rows went. */
  abstract purge(signal?: AbortSignal): Promise<number>;

  /** Deletes what has expired as `deleteExpired` does, at the pace of this purge. */
  protected deleteDue(expiring: Expiring, values: unknown[], signal: AbortSignal | undefined): Promise<number> {
    return deleteExpired(this.dataSource, expiring, values, { longestRestMs: this.config.purgeInterval, signal });
  }

  /** Runs `statement` as `deleteInBatches` does, at the pace of this purge. */
  protected deleteAll(statement: string, values: unknown[], signal: AbortSignal | undefined): Promise<number> {
    return deleteInBatches(this.dataSource, statement, values, { longestRestMs: this.config.purgeInterval, signal });
  }
}
