import { Inject, Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { BACKGROUND_SOURCE } from '../options.js';
import { PeriodicTask } from '../periodic-task.js';
import { isDistributed } from '../postgres/distribution.js';
import { groupBy } from '../records/group-by.js';
import type { Intent } from '../records/record.store.js';
import type { SaidOfRetry } from './retry-reason.js';

const FLUSH_INTERVAL_MS = 1_000;
/** Beyond this many different entries between two flushes, further ones are not counted: memory is bounded, requests are not. */
const MAX_ENTRIES = 50_000;

/**
 * Found by their key, because whoever is told that a request runs may not know its operation; and only with a record: a purge in
 * between must not leave counts without one. A count that reaches its end stays there, so that the sum over all reasons is an integer still.
 * Times come as how long ago they were, since the clock of this process is not the database's; a try that became the operation came
 * before it, and stands at its beginning.
 */
const add = (own: string): string => `
  WITH t AS (
    SELECT account_id, key, reason, count, tries, attempt,
           clock_timestamp() - make_interval(secs => replayed) AS replayed_at, clock_timestamp() - make_interval(secs => tried) AS tried_at
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[], $6::int[], $7::float8[], $8::float8[])
        AS t (account_id, key, reason, count, tries, attempt, replayed, tried)
  ), added AS (
  INSERT INTO idempotency_replays (account_id, operation_id, reason, count, tries, highest_attempt, last_at, last_try_at)
  SELECT r.account_id, r.operation_id, t.reason, t.count, t.tries, t.attempt,
         coalesce(t.replayed_at, greatest(t.tried_at, r.created_at)), CASE WHEN t.tries > 0 THEN greatest(t.tried_at, r.created_at) END
    FROM t JOIN idempotency_records r USING (account_id, key)
   WHERE ${own} r.status <> 'sealed'
   ORDER BY 1, 2, 3
     FOR KEY SHARE OF r
  ON CONFLICT (account_id, operation_id, reason)
  DO UPDATE SET count = least(idempotency_replays.count::bigint + excluded.count, 200000000)::int,
                tries = least(idempotency_replays.tries::bigint + excluded.tries, 200000000)::int,
                highest_attempt = greatest(idempotency_replays.highest_attempt, excluded.highest_attempt),
                last_at = CASE WHEN excluded.count > 0 THEN greatest(idempotency_replays.last_at, excluded.last_at) ELSE idempotency_replays.last_at END,
                last_try_at = greatest(idempotency_replays.last_try_at, excluded.last_try_at))
  SELECT account_id, key, reason FROM t
   WHERE tries > 0 AND NOT EXISTS (SELECT FROM idempotency_records r WHERE ${own} r.account_id = t.account_id AND r.key = t.key)`;

const ADD = add('');
/** Of one account, $9, whose rows lie on one server. */
const ADD_OF_ACCOUNT = add('r.account_id = $9 AND');

/** A try may be told that a request runs of which nothing is committed yet: so many flushes wait for its record. */
const WAITING_FLUSHES = 30;

/** What was counted of one key under one reason; so there are few for each key, whatever its client sends. */
interface Entry {
  accountId: string;
  key: string;
  reason: string;
  replays: number;
  tries: number;
  /** Highest of them; null where none was told. */
  attempt: number | null;
  /** When the last replay and the last try were, on the monotonic clock of this process; null where there was none. */
  replayedAt: number | null;
  triedAt: number | null;
  /** How many flushes found no record yet. */
  waited: number;
}

type Counted = Pick<Intent, 'accountId' | 'key'>;

/** Counts replays and declared retries in memory and writes them in batches: they write nothing on the request's path. */
@Injectable()
export class ReplayCounter implements OnModuleInit, BeforeApplicationShutdown {
  private entries = new Map<string, Entry>();
  private readonly flushing: PeriodicTask;

  constructor(@Inject(BACKGROUND_SOURCE) private readonly dataSource: DataSource) {
    const run = (): Promise<void> => this.flush();
    this.flushing = new PeriodicTask({ name: 'ReplayCounter', intervalMs: FLUSH_INTERVAL_MS, writesTo: dataSource, run });
  }

  onModuleInit(): void {
    this.flushing.start();
  }

  /** What can't be written now is lost with the process: it is a count, and nothing waits for it. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.flushing.stop();
    await this.flush().catch(() => undefined);
  }

  /** One more replay, now. */
  countReplay(counted: Counted, said: SaidOfRetry): void {
    this.add({ ...entryOf(counted, said), replays: 1, replayedAt: performance.now() });
  }

  /**
   * One more declared retry without a stored answer: told that it runs, answered 202, or the first one to arrive.
   * @param cameAt on the monotonic clock of this process: it may have waited since then, or have become the operation
   */
  countTry(counted: Counted, said: SaidOfRetry, cameAt: number): void {
    this.add({ ...entryOf(counted, said), tries: 1, triedAt: cameAt });
  }

  private add(more: Entry): void {
    const id = idOf(more);
    const entry = this.entries.get(id);
    if (!entry) {
      if (this.entries.size < MAX_ENTRIES) this.entries.set(id, more);
      return;
    }
    entry.replays += more.replays;
    entry.tries += more.tries;
    entry.attempt = highest(entry.attempt, more.attempt);
    entry.replayedAt = highest(entry.replayedAt, more.replayedAt);
    entry.triedAt = highest(entry.triedAt, more.triedAt);
  }

  /** Writes what was counted so far. Counts that can't be written now are kept. @throws the database's error */
  private async flush(): Promise<void> {
    if (this.entries.size === 0) return;
    const counted = [...this.entries.values()];
    this.entries = new Map();
    const batches = isDistributed(this.dataSource) ? groupBy(counted, ({ accountId }) => accountId).values() : [counted];
    let failed: { error: unknown } | undefined;
    for (const batch of batches) await this.write(batch).catch((error: unknown) => (failed ??= { error }));
    if (failed) throw failed.error;
  }

  private async write(batch: Entry[]): Promise<void> {
    const now = performance.now();
    const secondsSince = (at: number | null): number | null => at && (now - at) / 1000;
    const values = [
      batch.map((entry) => entry.accountId),
      batch.map((entry) => entry.key),
      batch.map((entry) => entry.reason),
      batch.map((entry) => entry.replays),
      batch.map((entry) => entry.tries),
      batch.map((entry) => entry.attempt),
      batch.map((entry) => secondsSince(entry.replayedAt)),
      batch.map((entry) => secondsSince(entry.triedAt)),
    ];
    const call: [string, unknown[]] = isDistributed(this.dataSource) ? [ADD_OF_ACCOUNT, [...values, batch[0]?.accountId]] : [ADD, values];
    const written = this.dataSource.query<{ account_id: string; key: string; reason: string }[]>(...call);
    const early = await written.catch((error: unknown) => {
      for (const entry of batch) this.add(entry);
      throw error;
    });
    const known = new Map(batch.map((entry) => [idOf(entry), entry]));
    for (const { account_id: accountId, key, reason } of early) {
      const entry = known.get(idOf({ accountId, key, reason }));
      if (entry && entry.waited < WAITING_FLUSHES) this.add({ ...entry, waited: entry.waited + 1 });
    }
  }
}

function entryOf({ accountId, key }: Counted, { reason = '', attempt }: SaidOfRetry): Entry {
  return { accountId, key, reason, replays: 0, tries: 0, attempt: attempt ?? null, replayedAt: null, triedAt: null, waited: 0 };
}

function highest(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}

/** No key has a space. */
function idOf({ accountId, key, reason }: Pick<Entry, 'accountId' | 'key' | 'reason'>): string {
  return `${accountId} ${key} ${reason}`;
}
