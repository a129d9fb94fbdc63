import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../service.js';
import { percentile, spread, type Spread } from '../statistics.js';
import { connect } from '../world.js';
import { EXPIRED, LIVE } from './filling.js';
import type { Options } from './options.js';
import { PacedLoad, type Answered } from './paced.js';
import { sizesOf, walPosition } from './sizes.js';
import type { Database, Stage } from './stage.js';

/** p99 of first requests while a purge runs, relative to quiet, at most. */
const PURGE_GOAL = 1.5;

/** Requests a second: well below what saturates one process. */
const PER_SECOND = 200;
/**
 * Roughly the pace of a purge. Without one the service is watched for as long as with one: what the system writes to the disk
 * in portions, some seconds apart, makes the p99 of a short time.
 */
const ROWS_PER_SECOND = 2_000;

/** One of a million rows takes a quarter of an hour. */
const MOST_ROUNDS = 2;
/** What a client of the service doesn't wait for must not be in what it waits for: the second process starts before this is over. */
const PURGE_INTERVAL = '3s';
const LONGEST_PURGE_MS = 1_800_000;

/** Times of first requests in milliseconds. */
interface Times {
  requests: number;
  p50: number | null;
  p99: number | null;
}

/** One purge, with the same load before and during it. */
export interface PurgeRound {
  quiet: Times;
  during: Times;
  p99Ratio: number | null;
  seconds: number;
  rowsPerSecond: number;
  /** What the server's log grew by meanwhile, with the load's share in it. */
  walBytesPerRow: number;
  /** Expired records before, those archived, those archived that had not expired, and expired ones that are still there. */
  expired: number;
  archived: number;
  archivedEarly: number;
  left: number;
  /** Sizes with all expired records, and after the purge and a VACUUM; `freeBytes`: of the table, which new records can take. */
  filled: Sizes;
  vacuumed: Sizes & { freeBytes: number };
}

interface Sizes {
  tableBytes: number;
  indexBytes: number;
}

/** All purges, and how large the table is after as many records were inserted again. */
export interface PurgeResult {
  rows: number;
  live: number;
  perSecond: number;
  rounds: PurgeRound[];
  p99Ratio: Spread;
  goal: number;
  /** After the last purge and one more filling. */
  refilled: Sizes;
}

/** Purges a table again and again. The service under load purges nothing itself: a second one does, as another replica would. */
export async function measurePurge(stage: Stage, options: Options): Promise<PurgeResult> {
  const database = await stage.database('purge');
  const live = Math.ceil(options.purgeRows / 10);
  const expired = { count: options.purgeRows, keys: 'uuidv7', ...EXPIRED } as const;
  await database.add({ count: live, keys: 'uuidv7', ...LIVE });
  const api = await database.start();
  await stage.load(api, { connections: 32, amount: options.requests, traffic: { kind: 'fresh', keys: 'uuidv7' } });
  const rounds: PurgeRound[] = [];
  const all = Math.min(options.rounds, MOST_ROUNDS);
  for (let round = 1; round <= all; round += 1) {
    await database.add(expired);
    stage.progress.step(`purge: round ${round} of ${all}`);
    rounds.push(await purgeOnce(database, api, options));
  }
  await database.add(expired);
  const refilled = await sizes(database);
  await database.drop();
  const ratios = rounds.flatMap(({ p99Ratio }) => p99Ratio ?? []);
  return { rows: options.purgeRows, live, perSecond: PER_SECOND, rounds, p99Ratio: spread(ratios), goal: PURGE_GOAL, refilled };
}

async function purgeOnce(database: Database, api: Service, { purgeRows }: Options): Promise<PurgeRound> {
  const filled = await sizes(database);
  const quiet = await quietly(api, purgeRows / ROWS_PER_SECOND);
  const before = await walPosition(database);
  const { answered, from, to, ...counts } = await whilePurging(database, api);
  const walBytesPerRow = ((await walPosition(database)) - before) / counts.archived;
  await database.query('VACUUM idempotency_records');
  const during = answered.filter(({ sentAt, took }) => sentAt + took >= from && sentAt <= to);
  const times = { quiet: timesOf(quiet), during: timesOf(during) };
  const seconds = (to - from) / 1_000;
  return {
    ...times,
    p99Ratio: times.during.p99 && times.quiet.p99 && times.during.p99 / times.quiet.p99,
    seconds,
    rowsPerSecond: counts.archived / seconds,
    walBytesPerRow,
    expired: purgeRows,
    ...counts,
    filled,
    vacuumed: { ...(await sizes(database)), freeBytes: await freeBytes(database) },
  };
}

async function quietly(api: Service, seconds: number): Promise<Answered[]> {
  const load = new PacedLoad(api, PER_SECOND);
  await sleep(seconds * 1_000);
  return load.stop();
}

interface Purge {
  answered: Answered[];
  /** When the first and the last expired record were archived, in milliseconds since 1970. */
  from: number;
  to: number;
  archived: number;
  archivedEarly: number;
  left: number;
}

/** Load from before the purge until after it. */
async function whilePurging(database: Database, api: Service): Promise<Purge> {
  const lastKey = await lastExpired(database);
  const [start] = await database.query<{ at: Date }>('SELECT clock_timestamp() AS at');
  const purger = await database.start({ IDEMPOTENCY_PURGE_INTERVAL: PURGE_INTERVAL });
  const load = new PacedLoad(api, PER_SECOND);
  let answered: Answered[];
  try {
    await untilGone(database, lastKey);
  } finally {
    // The purge of the last batch is followed by a look at the archive; stopping waits for it.
    await purger.stop();
    answered = await load.stop();
  }
  const [row] = await database.query<Omit<Purge, 'answered'>>(
    `SELECT count(*)::int AS archived, (count(*) FILTER (WHERE expires_at > archived_at))::int AS "archivedEarly",
            (SELECT count(*)::int FROM idempotency_records WHERE status = 'completed' AND expires_at <= $1) AS "left",
            (extract(epoch FROM min(archived_at)) * 1000)::float8 AS "from", (extract(epoch FROM max(archived_at)) * 1000)::float8 AS "to"
       FROM idempotency_archive WHERE archived_at >= $1`,
    [start?.at],
  );
  if (!row || row.archived === 0) throw new Error('nothing was purged');
  return { answered, ...row };
}

async function lastExpired(database: Database): Promise<string> {
  const [row] = await database.query<{ key: string }>(
    `SELECT key FROM idempotency_records WHERE status = 'completed' AND expires_at <= clock_timestamp() ORDER BY expires_at DESC LIMIT 1`,
  );
  if (!row) throw new Error('no record has expired');
  return row.key;
}

/** A purge goes by age, so it is over when the youngest of the expired is gone. One look is a probe of the primary key. */
async function untilGone(database: Database, key: string): Promise<void> {
  const client = await connect(database.url);
  try {
    for (const end = Date.now() + LONGEST_PURGE_MS; Date.now() < end; await sleep(50)) {
      const { rowCount } = await client.query(
        `SELECT FROM idempotency_records WHERE account_id = (SELECT account_id FROM sample) AND key = $1`,
        [key],
      );
      if (rowCount === 0) return;
    }
    throw new Error('the purge does not end');
  } finally {
    await client.end();
  }
}

async function sizes(database: Database): Promise<Sizes> {
  const { tableBytes, indexBytes } = await sizesOf(database);
  return { tableBytes, indexBytes: Object.values(indexBytes).reduce((sum, bytes) => sum + bytes, 0) };
}

async function freeBytes(database: Database): Promise<number> {
  const [row] = await database.query<{ bytes: number }>(
    `SELECT coalesce(sum(avail), 0)::float8 AS bytes FROM pg_freespace('idempotency_records')`,
  );
  return row?.bytes ?? Number.NaN;
}

/** Without requests, as in a purge that was over at once, there are no percentiles. */
function timesOf(answered: Answered[]): Times {
  const took = answered.map((each) => each.took);
  if (took.length === 0) return { requests: 0, p50: null, p99: null };
  return { requests: took.length, p50: percentile(took, 0.5), p99: percentile(took, 0.99) };
}
