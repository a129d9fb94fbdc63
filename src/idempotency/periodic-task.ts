import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { commitsHang } from './postgres/commits.js';

/** What a periodic task does, and how often. */
export interface PeriodicTaskOptions {
  /** Names it in the log, where its errors go. */
  name: string;
  /** From one tick to the next, in milliseconds. A tick that finds a run in progress starts none. */
  intervalMs: number;
  /** What it writes to: while commits hang there, no run begins. */
  writesTo?: DataSource;
  /** One run. `signal` is aborted by `stop()`, for runs that can end early. */
  run(signal: AbortSignal): Promise<unknown>;
}

/**
 * A background duty that every replica has: it runs at an interval, one run at a time, until it is stopped. A run that fails
 * is logged, and the next tick tries again. Its timer keeps no process alive.
 */
export class PeriodicTask {
  private readonly log: Logger;
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private again = false;

  constructor(private readonly options: PeriodicTaskOptions) {
    this.log = new Logger(options.name);
  }

  /** Runs from now on, for the first time after one interval. */
  start(): void {
    this.timer ??= setInterval(() => {
      if (!this.running) this.runNow();
    }, this.options.intervalMs).unref();
  }

  /** Runs without waiting for the tick: at once, or after the run in progress. Does nothing once the task is stopped, nor while commits hang. */
  runNow(): void {
    const { writesTo } = this.options;
    if (this.stopping.signal.aborted || (writesTo && commitsHang(writesTo))) return;
    this.again = this.running !== undefined;
    this.running ??= this.runOnce().finally(() => {
      this.running = undefined;
      if (this.again) this.runNow();
    });
  }

  /** No run begins from now on; resolves when the one in progress has ended. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    await this.running;
  }

  private async runOnce(): Promise<void> {
    const { signal } = this.stopping;
    try {
      await this.options.run(signal);
    } catch (error) {
      // What a stop has cut off is no failure.
      if (!signal.aborted) this.log.warn({ err: error }, 'a run failed, and the next one will try again');
    }
  }
}
