import { Inject, Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { BACKGROUND_SOURCE } from '../options.js';
import { PeriodicTask } from '../periodic-task.js';

const FLUSH_INTERVAL_MS = 1_000;
/** Beyond this many different operations between two flushes, further ones are not counted: memory is bounded, replays are not. */
const MAX_ENTRIES = 50_000;

/** Only for operations that still have a record: a purge in between must not leave counts without one. */
const ADD = `
  INSERT INTO idempotency_replays (account_id, operation_id, reason, count, last_at)
  SELECT t.account_id, t.operation_id, t.reason, t.count, clock_timestamp()
    FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[]) AS t (account_id, operation_id, reason, count)
    JOIN idempotency_records r USING (account_id, operation_id)
   ORDER BY 1, 2, 3
     FOR KEY SHARE OF r
  ON CONFLICT (account_id, operation_id, reason)
  DO UPDATE SET count = idempotency_replays.count + excluded.count, last_at = excluded.last_at`;

interface Entry {
  accountId: string;
  operationId: string;
  reason: string;
  count: number;
}

/** Counts replays in memory and writes them in batches: a replay writes nothing on the request's path. */
@Injectable()
export class ReplayCounter implements OnModuleInit, BeforeApplicationShutdown {
  private entries = new Map<string, Entry>();
  private readonly flushing = new PeriodicTask({ name: 'ReplayCounter', intervalMs: FLUSH_INTERVAL_MS, run: () => this.flush() });

  constructor(@Inject(BACKGROUND_SOURCE) private readonly dataSource: DataSource) {}

  onModuleInit(): void {
    this.flushing.start();
  }

  /** What can't be written now is lost with the process: it is a count, and nothing waits for it. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.flushing.stop();
    await this.flush().catch(() => undefined);
  }

  /** One more replay, or `times` of them; `reason` is the client's `Retry-Reason`. */
  count(accountId: string, operationId: string, reason = '', times = 1): void {
    const id = `${accountId} ${operationId} ${reason}`;
    const entry = this.entries.get(id);
    if (entry) entry.count += times;
    else if (this.entries.size < MAX_ENTRIES) this.entries.set(id, { accountId, operationId, reason, count: times });
  }

  /** Writes what was counted so far. Counts that can't be written now are kept. */
  private async flush(): Promise<void> {
    if (this.entries.size === 0) return;
    const batch = [...this.entries.values()];
    this.entries = new Map();
    try {
      await this.dataSource.query(ADD, [
        batch.map((entry) => entry.accountId),
        batch.map((entry) => entry.operationId),
        batch.map((entry) => entry.reason),
        batch.map((entry) => entry.count),
      ]);
    } catch (error) {
      for (const { accountId, operationId, reason, count } of batch) this.count(accountId, operationId, reason, count);
      throw error;
    }
  }
}
