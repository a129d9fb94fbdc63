import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import type { ClientBase } from 'pg';
import type { DataSource } from 'typeorm';
import { ALL_SOURCES, BACKGROUND_SOURCE } from '../options.js';
import { PeriodicTask } from '../periodic-task.js';
import { FormerPrimary, ServerUnknown, databaseError, isConnectionLost } from './errors.js';
import { WatchedPool } from './watched-pool.js';

const INTERVAL_MS = 1_000;
/** How long a reading says something about the present, in milliseconds. */
const VALID_MS = 2_000;

/**
 * The timeline that the server writes on, which each promotion and each recovery from an archive makes larger, and how far it has
 * written; null on a standby. And the cluster that they count for. Any role may ask (PostgreSQL manual, sections 9.28.3 and 9.28.11).
 */
const READ = `
  SELECT CASE WHEN NOT pg_is_in_recovery() THEN substring(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline,
         CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 END AS written,
         (SELECT system_identifier::text FROM pg_control_system()) AS cluster`;

/** The functions are refused to this role, or unknown to a server that only resembles PostgreSQL (classes 42 and 0A of its errors). */
const MAY_NOT_ASK = /^(42|0A)/;

interface Row {
  timeline: string | null;
  written: number | null;
  cluster: string;
}

/** A server that takes writes, told from those before it and behind it. */
interface Primary {
  timeline: number;
  /** Position in its log, in bytes, which on one timeline only grows. */
  written: number;
  cluster: string;
  /** When this was learned, by the monotonic clock. */
  at: number;
}

/**
 * Knows whether the server is still the one that gave what this process remembers. A failover may lose what was committed last:
 * what was learned before is no answer any more, and a former primary that comes back lacks what was committed since. Asked once a
 * second, since a pooler keeps a connection while the server behind it changes, and over each new connection before it is used.
 */
@Injectable()
export class ServerTimeline implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('ServerTimeline');
  private readonly reading = new PeriodicTask({ name: 'ServerTimeline', intervalMs: INTERVAL_MS, run: () => this.read() });
  private pools: WatchedPool[] = [];
  private primary: Primary | undefined;
  private validUntil = 0;
  private currentTerm = 0;
  /** What was logged last, so that it is said once. */
  private said = '';

  constructor(
    @Inject(BACKGROUND_SOURCE) private readonly background: DataSource,
    @Inject(ALL_SOURCES) private readonly sources: readonly DataSource[],
  ) {}

  async onModuleInit(): Promise<void> {
    const examine = (client: ClientBase): Promise<void> => this.examine(client);
    this.pools = this.sources.map((source) => WatchedPool.watch(source, examine, () => this.doubt()));
    await this.read();
  }

  /** Not before: an application that fails to start is not asked to stop. */
  onApplicationBootstrap(): void {
    this.reading.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.reading.stop();
  }

  /** The present server's reign, by a number that never comes again. */
  get term(): number {
    return this.currentTerm;
  }

  /** Whether what was learned in `term` is still so at `now`, of the monotonic clock. */
  vouchesFor(term: number, now: number): boolean {
    return term === this.currentTerm && now < this.validUntil;
  }

  /** Asks the server. Never throws: what could not be read, vouches for nothing. */
  async read(): Promise<void> {
    const asked = performance.now();
    try {
      const [row] = await this.background.query<Row[]>(READ);
      this.learn(row, asked);
    } catch (error) {
      this.validUntil = 0;
      this.tell(error);
    }
  }

  /** Over a connection that nobody has used. @throws FormerPrimary, ServerUnknown; and what broke the connection */
  private async examine(client: ClientBase): Promise<void> {
    const asked = performance.now();
    try {
      const { rows } = await client.query<Row>(READ);
      this.learn(rows[0], asked);
    } catch (error) {
      if (error instanceof FormerPrimary) {
        this.doubt();
        // The next reading may be a second away, and through a pooler the open connections lead there as well.
        this.tell(error);
      }
      if (isConnectionLost(error)) throw error;
      if (!MAY_NOT_ASK.test(databaseError(error)?.code ?? '')) throw new ServerUnknown(error);
    }
  }

  /** A connection broke, which is how a failover begins, or leads elsewhere. Doubts that come together are one question. */
  private doubt(): void {
    if (this.validUntil === 0) return;
    this.validUntil = 0;
    this.reading.runNow();
  }

  /** @throws FormerPrimary */
  private learn(row: Row | undefined, asked: number): void {
    // A standby takes no writes and gives no answers; its readers see what they see.
    if (!row || row.timeline === null || row.written === null) return;
    const { written, cluster } = row;
    const found = { timeline: Number.parseInt(row.timeline, 16), written, cluster, at: performance.now() };
    const known = this.primary;
    if (known?.cluster === cluster && found.timeline < known.timeline) throw new FormerPrimary(found.timeline, known.timeline);
    this.primary = found;
    this.validUntil = Math.max(this.validUntil, asked + VALID_MS);
    if (!known || continues(found, known, asked)) return;
    this.currentTerm += 1;
    for (const pool of this.pools) pool.renew();
    this.say(`another server answers, on timeline ${found.timeline} after ${known.timeline}: what was remembered is forgotten`);
  }

  private tell(error: unknown): void {
    if (error instanceof FormerPrimary) {
      // Over a connection that is open already a pooler led here, and it may lead the others here too.
      for (const pool of this.pools) pool.renew();
      this.say(error.message);
    } else if (!isConnectionLost(error)) {
      // The functions are refused to this role, or unknown to a server that only resembles PostgreSQL.
      this.say('the timeline can not be read, so no answer is given from memory', error);
    }
  }

  private say(sentence: string, error?: unknown): void {
    if (sentence === this.said) return;
    this.said = sentence;
    this.log.warn(error === undefined ? sentence : { err: error }, sentence);
  }
}

/** Whether `found`, asked for at `asked`, may be the server of `known` some time later. One that was set back, to a snapshot of its disk for instance, isn't. */
function continues(found: Primary, known: Primary, asked: number): boolean {
  const isSame = found.cluster === known.cluster && found.timeline === known.timeline;
  // Of two readings that were under way at once, either may be the later one.
  return isSame && (found.written >= known.written || asked <= known.at);
}
