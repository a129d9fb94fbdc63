import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import type { DataSource } from 'typeorm';
import { heldOf, takeDue, type HeldRow } from './operation.store.js';
import { BACKGROUND_SOURCE, OPTIONS, type CompleteOptions } from '../options.js';
import { StepRunner } from './step-runner.js';

/** Operations that one replica drives at once; one that hangs takes one place, not all. */
const CONCURRENCY = 8;

/** Finds operations that nobody holds any more, on every replica, and hands them to the same runner that requests use. */
@Injectable()
export class Recoverer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('Recoverer');
  private busy = 0;
  private looking: Promise<void> | undefined;
  private stopping = false;

  constructor(
    private readonly schedule: SchedulerRegistry,
    private readonly runner: StepRunner,
    @Inject(BACKGROUND_SOURCE) private readonly dataSource: DataSource,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {}

  onApplicationBootstrap(): void {
    const timer = setInterval(() => this.tick(), this.options.intervalMs);
    this.schedule.addInterval('idempotency-recovery', timer.unref() as unknown as number);
  }

  /** Stops claiming; what is in hand is the runner's to finish. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.looking;
  }

  private tick(): void {
    if (this.stopping || this.options.isClosing() || this.looking || this.busy >= CONCURRENCY) return;
    this.looking = this.look()
      .catch((error: unknown) => this.log.warn({ err: error }, 'looking for interrupted operations failed, and will be tried again'))
      .finally(() => (this.looking = undefined));
  }

  private async look(): Promise<void> {
    const wanted = CONCURRENCY - this.busy;
    const { text, values } = takeDue(wanted, this.options);
    const rows = await this.dataSource.query<HeldRow[]>(text, values);
    const more = rows.length === wanted;
    for (const row of rows) {
      this.busy += 1;
      this.runner
        .drive(this.dataSource, heldOf(row))
        .catch((error: unknown) => this.log.error({ err: error }, 'an operation could not be driven'))
        .finally(() => {
          this.busy -= 1;
          // After an outage there are more than an interval's worth: the next ones take the free place at once.
          if (more) this.tick();
        });
    }
  }
}
