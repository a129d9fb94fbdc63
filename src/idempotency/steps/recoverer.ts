import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { heldOf, type HeldRow } from './held-operation.js';
import { takeDue, unknownDue } from './takeover.store.js';
import { BACKGROUND_SOURCE, OPTIONS, type CompleteOptions } from '../options.js';
import { PeriodicTask } from '../periodic-task.js';
import { StepRegistry } from './step-registry.js';
import { StepRunner } from './step-runner.js';

/** Operations that one replica drives at once; one that hangs takes one place, not all. */
const CONCURRENCY = 8;

/** Finds operations that nobody holds any more, on every replica, and hands them to the same runner that requests use. */
@Injectable()
export class Recoverer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('Recoverer');
  private readonly task: PeriodicTask;
  private readonly reported = new Set<string>();
  private busy = 0;

  constructor(
    private readonly runner: StepRunner,
    private readonly steps: StepRegistry,
    @Inject(BACKGROUND_SOURCE) private readonly dataSource: DataSource,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {
    this.task = new PeriodicTask({ name: 'Recoverer', intervalMs: options.recoveryIntervalMs, run: () => this.look() });
  }

  onApplicationBootstrap(): void {
    this.task.start();
  }

  /** Stops claiming; what is in hand is the runner's to finish. */
  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  private async look(): Promise<void> {
    const wanted = CONCURRENCY - this.busy;
    if (wanted <= 0 || this.options.isClosing()) return;
    const { text, values } = takeDue(wanted, this.steps.names, this.options);
    const rows = await this.dataSource.query<HeldRow[]>(text, values);
    for (const row of rows) this.drive(row, rows.length === wanted);
    if (rows.length < wanted) await this.reportUnknown();
  }

  /** What is due still, after a look that found fewer than it wanted, waits for whoever knows its step. Each name is told once. */
  private async reportUnknown(): Promise<void> {
    const { text, values } = unknownDue(this.steps.names);
    for (const { recovery_point: step } of await this.dataSource.query<{ recovery_point: string }[]>(text, values)) {
      if (this.reported.has(step)) continue;
      this.reported.add(step);
      this.log.warn({ step }, 'operations wait for a step that this process does not know; one that knows it will take them');
    }
  }

  /** `more`: after an outage more are due than there are places, so the next one takes the free place at once. */
  private drive(row: HeldRow, more: boolean): void {
    this.busy += 1;
    this.runner
      .drive(this.dataSource, heldOf(row))
      .catch((error: unknown) => this.log.error({ err: error }, 'an operation could not be driven'))
      .finally(() => {
        this.busy -= 1;
        if (more) this.task.runNow();
      });
  }
}
