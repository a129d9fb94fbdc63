import { RateLimiterMemory, RateLimiterPostgres, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { Pool, QueryConfig, QueryResult } from 'pg';
import type { DataSource } from 'typeorm';
import type { PostgresDriver } from 'typeorm/driver/postgres/PostgresDriver.js';
import { PeriodicTask } from '../idempotency/index.js';

/** A count takes well under a millisecond; a request does not wait longer than this for one. In milliseconds. */
const WAIT_MS = 500;
/** For so long after a failure nobody waits for the store at all, in milliseconds. */
const PAUSE_MS = 1_000;
/** Between two removals of what has expired, in milliseconds. */
const CLEAR_MS = 60_000;

const CLEAR = 'DELETE FROM rate_limits WHERE expire < $1';

/** What is counted under one name: so many points in so many seconds. */
export interface Quota {
  name: string;
  points: number;
  /** In seconds. */
  duration: number;
}

/**
 * Counters that all replicas share, in the table `rate_limits`: one statement for each request that is counted, none for one
 * that is beyond its quota. Where the store does not answer, each process counts for itself: nobody is refused for that.
 */
export class SharedCounters {
  private resumeAt = -Infinity;
  private readonly clearing: PeriodicTask;

  constructor(private readonly dataSource: DataSource) {
    this.clearing = new PeriodicTask({ name: 'RateLimits', intervalMs: CLEAR_MS, writesTo: dataSource, run: () => this.clear() });
    this.clearing.start();
  }

  /** The counter of a quota. */
  counterOf({ name, points, duration }: Quota): RateLimiterAbstract {
    return new RateLimiterPostgres({
      storeClient: this,
      storeType: 'client',
      tableName: 'rate_limits',
      tableCreated: true,
      // It would keep the rows of an hour.
      clearExpiredByTimeout: false,
      keyPrefix: name,
      points,
      duration,
      inMemoryBlockOnConsumed: points,
      insuranceLimiter: new RateLimiterMemory({ points, duration }),
    });
  }

  /** What the library asks the database through. @throws the database's error, and at once for a second after one */
  async query(query: QueryConfig): Promise<QueryResult> {
    if (performance.now() < this.resumeAt) throw new Error('the store of the rate limits has failed a moment ago');
    let timer: NodeJS.Timeout | undefined;
    // Beside the statement's own time: who waits for a connection behind others must not wait any longer.
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the store of the rate limits does not answer')), WAIT_MS);
    });
    try {
      const pool = (this.dataSource.driver as PostgresDriver).master as Pool;
      return await Promise.race([pool.query({ ...query, query_timeout: WAIT_MS } as QueryConfig), late]);
    } catch (error) {
      this.resumeAt = performance.now() + PAUSE_MS;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Removes what has expired. @throws the database's error */
  async clear(): Promise<void> {
    await this.dataSource.query(CLEAR, [Date.now()]);
  }

  close(): Promise<void> {
    return this.clearing.stop();
  }
}
