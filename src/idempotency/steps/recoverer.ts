import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Call } from '../postgres/statement.js';
import type { HeldRow } from './held-operation.js';
import { findDue, takeDue, unknownDue, type DueRow } from './takeover.store.js';
import { BACKGROUND_SOURCE, OPTIONS, RECOVERY_SOURCE, type CompleteOptions } from '../options.js';
import { PeriodicTask } from '../periodic-task.js';
import { StepRegistry } from './step-registry.js';
import { StepRunner } from './step-runner.js';

/** Operations that one replica drives at once; one that hangs takes one place, not all. */
const CONCURRENCY = 16;
/** Of those, what one account may have: those that hang leave the other accounts' alone. */
const OF_ACCOUNT = CONCURRENCY / 4;

/** Finds operations that nobody holds any more, on every replica, and hands them to the same runner that requests use. */
@Injectable()
export class Recoverer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('Recoverer');
  private readonly task: PeriodicTask;
  private readonly reported = new Set<string>();
  /** Of each account that has any, how many are driven at this moment. */
  private readonly busy = new Map<string, number>();
  /** Whether the last look left something that is due, or may have. */
  private more = false;

  constructor(
    private readonly runner: StepRunner,
    private readonly steps: StepRegistry,
    @Inject(BACKGROUND_SOURCE) private readonly background: DataSource,
    @Inject(RECOVERY_SOURCE) private readonly dataSource: DataSource,
    @Inject(OPTIONS) private readonly options: CompleteOptions,
  ) {
    this.task = new PeriodicTask({
      name: 'Recoverer',
      intervalMs: options.recoveryIntervalMs,
      writesTo: background,
      run: (signal) => this.look(signal),
    });
  }

  onApplicationBootstrap(): void {
    if (this.options.background) this.task.start();
  }

  /** Stops claiming; what is in hand is the runner's to finish. */
  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Takes until nothing is due or no place is left; each time some of each account, so the next time may find others. */
  private async look(signal: AbortSignal): Promise<void> {
    for (let free = this.free(); free > 0 && !signal.aborted && !this.options.isClosing(); free = this.free()) {
      const { found, rows } = await this.take(free);
      for (const row of rows) void this.drive(row);
      if (found > 0) continue;
      this.more = [...this.busy.values()].some((count) => count >= OF_ACCOUNT);
      return this.reportUnknown();
    }
    this.more = true;
  }

  /**
   * Drives what is due, without a timer, and returns how many operations that were once each of them is finished or parked. One that is
   * due again meanwhile is called again, once; there is no third time.
   * @throws the database's error
   */
  async recoverDue(): Promise<number> {
    const seen = new Set<string>();
    for (let isNew = true; isNew && !this.options.isClosing();) {
      const { rows } = await this.take(this.free());
      isNew = rows.some((row) => !seen.has(row.operation_id));
      for (const row of rows) seen.add(row.operation_id);
      await Promise.all(rows.map((row) => this.drive(row)));
    }
    return seen.size;
  }

  /**
   * Looks for what is due, more than is taken, so that one account's many don't hide those of others, and takes each by a statement of its
   * own, which touches one account. `found`: how many it tried to take; another replica may have been faster.
   */
  private async take(limit: number): Promise<{ found: number; rows: HeldRow[] }> {
    const full = [...this.busy].filter(([, count]) => count >= OF_ACCOUNT).map(([accountId]) => accountId);
    const due = await this.ask<DueRow>(findDue(this.steps.names, full, 4 * limit));
    const chosen = this.withinRoom(due).slice(0, limit);
    const taken = await Promise.allSettled(
      chosen.map((row) =>
        this.ask<HeldRow>(takeDue({ accountId: row.account_id, operationId: row.operation_id }, this.steps.names, this.options)),
      ),
    );
    const rows = taken.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    const failed = taken.find((each) => each.status === 'rejected');
    // What was taken is driven, whatever became of the others.
    if (failed && rows.length === 0) throw failed.reason;
    return { found: chosen.length, rows };
  }

  /** Of each account no more than it may have with those that are driven already. */
  private withinRoom(due: readonly DueRow[]): DueRow[] {
    const counts = new Map(this.busy);
    return due.filter(({ account_id: accountId }) => {
      const count = (counts.get(accountId) ?? 0) + 1;
      counts.set(accountId, count);
      return count <= OF_ACCOUNT;
    });
  }

  private ask<Row>({ text, values }: Call): Promise<Row[]> {
    return this.background.query<Row[]>(text, values as unknown[]);
  }

  private free(): number {
    return CONCURRENCY - [...this.busy.values()].reduce((sum, count) => sum + count, 0);
  }

  /** What is due still, after a look that found nothing more, waits for its account's turn or for whoever knows its step. Each name is told once. */
  private async reportUnknown(): Promise<void> {
    for (const { recovery_point: step } of await this.ask<{ recovery_point: string }>(unknownDue(this.steps.names))) {
      if (this.reported.has(step)) continue;
      this.reported.add(step);
      this.log.warn({ step }, 'operations wait for a step that this process does not know; one that knows it will take them');
    }
  }

  /** After an outage more are due than there are places, so the next one takes a place that becomes free at once. */
  private drive(row: HeldRow): Promise<void> {
    const { account_id: accountId } = row;
    const count = (change: 1 | -1): void => {
      const now = (this.busy.get(accountId) ?? 0) + change;
      if (now > 0) this.busy.set(accountId, now);
      else this.busy.delete(accountId);
    };
    count(1);
    return this.runner
      .drive(this.dataSource, this.runner.taken(row, 'recoverer'))
      .then(() => undefined)
      .catch((error: unknown) => this.log.error({ err: error }, 'an operation could not be driven'))
      .finally(() => {
        count(-1);
        if (this.more) this.task.runNow();
      });
  }
}
