import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { isDistributed } from '../postgres/distribution.js';
import { groupBy } from './group-by.js';
import { batchOf, dropOf, findOf, type Expiring } from './expiring.js';

/**
 * About 2 MB of the server's log. Requests that commit meanwhile wait until the disk has what stands before them in it: with
 * batches of 10,000 back to back their p99 went from 30 ms to 150. Batches of 200 to 300 measured no better.
 */
const BATCH = 1_000;
/**
 * After each batch the purge rests for so many times what the batch took: fewer rows where the machine is slow or busy. On two
 * cores a batch takes about 20 ms, which makes 2,000 rows a second and more, about what one process can insert. With a rest
 * of 8 it was 5,000: the system wrote the pages that a purge leaves to the disk in portions of up to 170 MB, 7 s apart, and
 * commits waited behind them.
 */
const REST = 20;

/** How many rows a batch took, and the time that its last one in order went by; the driver cuts it to milliseconds. */
interface Batch {
  count: number;
  newest: Date | null;
}

/** How a purge takes its time. */
export interface Pace {
  /** In milliseconds; as long as between two purges, say: a batch may have taken hours, where the machine slept. */
  longestRestMs: number;
  /** Ends it after the batch in hand. */
  signal: AbortSignal | undefined;
  /** Hears of each batch that took rows how many they were. */
  took?: ((count: number) => void) | undefined;
}

/** Runs one batch: at most so many rows, whose time is that or later. */
type RunBatch = (limit: number, from: Batch['newest'] | '-infinity') => Promise<Batch>;

/**
 * Deletes what has expired, batch by batch, until a batch finds less than it may take; returns how many rows went. `values`: what
 * `expiring.until` has for parameters.
 */
export function deleteExpired(dataSource: DataSource, expiring: Expiring, values: unknown[], pace: Pace): Promise<number> {
  if (!isDistributed(dataSource)) return deleteInBatches(dataSource, batchOf(expiring), values, pace);
  return inBatches((limit, from) => batchByAccounts(dataSource, expiring, [limit, from, ...values]), pace);
}

/**
 * The same by a statement of its own, which deletes at most $1 rows whose time is $2 or later, in the order of that time, and returns
 * one row: how many they were as `count`, and the latest of their times as `newest`. `values` are its further parameters.
 */
export function deleteInBatches(dataSource: DataSource, statement: string, values: unknown[], pace: Pace): Promise<number> {
  return inBatches(async (limit, from) => {
    const [row] = await dataSource.query<Batch[]>(statement, [limit, from, ...values]);
    if (!row) throw new Error('an aggregate has one row');
    return row;
  }, pace);
}

/** Account by account: a statement is about one server's rows then. What somebody else has in hand is left, and ends the purge early. */
async function batchByAccounts(dataSource: DataSource, expiring: Expiring, values: unknown[]): Promise<Batch> {
  const rows = await dataSource.query<{ account_id: string; key: string; time: Date }[]>(findOf(expiring), values);
  const drop = dropOf(expiring);
  let count = 0;
  for (const [accountId, own] of groupBy(rows, (row) => row.account_id)) {
    const [dropped] = await dataSource.query<{ count: number }[]>(drop, [accountId, own.map(({ key }) => key), ...values.slice(2)]);
    count += dropped?.count ?? 0;
  }
  return { count, newest: rows.at(-1)?.time ?? null };
}

async function inBatches(run: RunBatch, { longestRestMs, signal, took }: Pace): Promise<number> {
  let total = 0;
  let newest: Batch['newest'] | '-infinity' = '-infinity';
  for (let count = BATCH; count === BATCH; total += count) {
    if (signal?.aborted) break;
    const began = performance.now();
    ({ count, newest } = await run(BATCH, newest));
    if (count > 0) took?.(count);
    const rest = Math.min((performance.now() - began) * REST, longestRestMs);
    if (count === BATCH) await sleep(rest, undefined, { signal }).catch(() => undefined);
  }
  return total;
}
