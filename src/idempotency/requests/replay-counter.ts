import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { BACKGROUND_SOURCE } from '../options.js';

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
export class ReplayTally implements OnModuleInit, BeforeApplicationShutdown {
  private readonly log = new Logger('Idempotency');
  private entries = new Map<string, Entry>();
  private timer: NodeJS.Timeout | undefined;
  private flushing: Promise<void> = Promise.resolve();

  constructor(@Inject(BACKGROUND_SOURCE) private readonly dataSource: DataSource) {}

  onModuleInit(): void {
    this.timer = setInterval(() => void this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flush();
  }

  /** One more replay; `reason` is the client's `Retry-Reason`. */
  count(accountId: string, operationId: string, reason: string | undefined): void {
    const id = `${accountId} ${operationId} ${reason ?? ''}`;
    const entry = this.entries.get(id);
    if (entry) entry.count += 1;
    else if (this.entries.size < MAX_ENTRIES) this.entries.set(id, { accountId, operationId, reason: reason ?? '', count: 1 });
  }

  /** Writes what was counted so far. Counts that can't be written now are kept. */
  flush(): Promise<void> {
    this.flushing = this.flushing.then(() => this.write());
    return this.flushing;
  }

  private async write(): Promise<void> {
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
      this.log.warn({ err: error }, 'replays could not be counted now');
      for (const { accountId, operationId, reason, count } of batch) {
        this.count(accountId, operationId, reason);
        const entry = this.entries.get(`${accountId} ${operationId} ${reason}`);
        if (entry) entry.count += count - 1;
      }
    }
  }
}
