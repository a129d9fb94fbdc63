import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ALL_SOURCES, BACKGROUND_SOURCE, OPTIONS, type CompleteOptions } from '../options.js';
import { PeriodicTask } from '../periodic-task.js';
import { heedCommits, REMOTE_APPLY, type Commits } from './commits.js';
import { TransactionConnection } from './transaction-connection.js';

const INTERVAL_MS = 1_000;
/** A commit waits for a flush and a standby's answer; one that waits longer, in milliseconds, waits for a standby that does not answer. */
const PATIENCE_MS = 2_500;
/** The longest that node-postgres takes: given up, a probe would leave a backend behind, and the next one another. */
const UNBOUNDED_MS = 2 ** 31 - 1;

/** Whether commits wait for a standby at all (PostgreSQL manual, section 19.6.2); $1: some of them in any case. */
const AWAITED = `
  SELECT current_setting('synchronous_standby_names') <> ''
         AND ($1 OR current_setting('synchronous_commit') NOT IN ('off', 'local')) AS awaited`;
/** A transaction of its own that writes to the log and to no table; everybody may call it (PostgreSQL manual, section 9.28.6). */
const PROBE = `SELECT pg_logical_emit_message(true, 'holdfast', '')`;

/**
 * Knows whether commits are confirmed. With a synchronous standby each waits until that one has it, and while none answers, without
 * end: who gives up leaves a backend behind that goes on waiting, until the server has none left. So where standbys are awaited, one
 * commit a second of this process's own tells. When that one hangs, those under way are cut off, unconfirmed as they are, and nothing
 * is written any more; it alone waits, for all, until it is confirmed. Reading goes on.
 */
@Injectable()
export class CommitWatch implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('CommitWatch');
  private readonly commits: Commits = { hang: false, cuts: new Set() };
  private readonly probing = new PeriodicTask({ name: 'CommitWatch', intervalMs: INTERVAL_MS, run: (signal) => this.probe(signal) });

  constructor(
    @Inject(BACKGROUND_SOURCE) private readonly background: DataSource,
    @Inject(ALL_SOURCES) private readonly sources: readonly DataSource[],
    @Inject(OPTIONS) private readonly options: Pick<CompleteOptions, 'remoteApply'>,
  ) {}

  /** Some commits wait for more than the others; the probe waits for as much. */
  private get isStrict(): boolean {
    return this.options.remoteApply.length > 0;
  }

  onModuleInit(): void {
    heedCommits(this.sources, this.commits);
  }

  onApplicationBootstrap(): void {
    this.probing.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.probing.stop();
  }

  /** Commits where standbys are awaited. @throws what broke the connection; what hung may hang still */
  private async probe(signal: AbortSignal): Promise<void> {
    const [{ awaited } = { awaited: false }] = await this.background.query<{ awaited: boolean }[]>(AWAITED, [this.isStrict]);
    if (awaited) await this.commitOne(signal);
    this.goOn();
  }

  private async commitOne(signal: AbortSignal): Promise<void> {
    const connection = await TransactionConnection.take(this.background, { whileHanging: true });
    const late = setTimeout(() => this.hold(), PATIENCE_MS);
    const discard = (): void => connection.discard();
    signal.addEventListener('abort', discard);
    try {
      const text = this.isStrict ? `${REMOTE_APPLY.text}; ${PROBE}` : PROBE;
      await connection.client.query({ text, query_timeout: UNBOUNDED_MS } as { text: string });
    } finally {
      clearTimeout(late);
      signal.removeEventListener('abort', discard);
      await connection.giveBack({ rollBack: false });
    }
  }

  private hold(): void {
    if (!this.commits.hang) this.log.warn('no synchronous standby answers, so no commit is confirmed: nothing is written until one is');
    this.commits.hang = true;
    for (const cut of this.commits.cuts) cut();
  }

  private goOn(): void {
    if (this.commits.hang) this.log.log('commits are confirmed again');
    this.commits.hang = false;
  }
}
