import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { DatabaseClient } from '../database/client.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { Metrics } from '../observability/metrics.js';
import { KINDS, audit, linesOf, sumOf, type AuditReport } from './auditor.js';

const INTERVAL_MS = 600_000;
/** "audit" in ASCII, as a number: whoever holds this advisory lock audits. */
const LOCK = 0x6175646974;
/** Lines of a report that go into the log. */
const MAX_LINES = 50;

/** Audits every ten minutes, on one replica at a time, and shows in the metrics what it found. */
@Injectable()
export class AuditCron implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('Audit');
  private running: Promise<unknown> | undefined;
  private stopping = false;

  constructor(
    private readonly schedule: SchedulerRegistry,
    private readonly metrics: Metrics,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    const timer = setInterval(() => this.tick(), INTERVAL_MS);
    this.schedule.addInterval('audit', timer.unref() as unknown as number);
  }

  /** An audit under way isn't waited for: it only reads, and its sessions end with the process. */
  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  /** Audits, unless another replica does at this moment: then null. */
  async audit(): Promise<AuditReport | null> {
    const client = new DatabaseClient({
      connectionString: this.config.databaseUrl,
      application_name: 'holdfast-audit',
      connectionTimeoutMillis: 5_000,
    });
    await client.connect();
    try {
      // Held by the session, so it is given back whatever becomes of this process.
      const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [LOCK]);
      return rows[0]?.locked ? await audit(this.config) : null;
    } finally {
      await client.end();
    }
  }

  private tick(): void {
    if (this.running || this.stopping) return;
    this.running = this.auditAndShow().finally(() => (this.running = undefined));
  }

  /** What is known no longer is not shown: neither when another replica audits nor when nobody could. */
  async auditAndShow(): Promise<void> {
    try {
      const report = await this.audit();
      this.metrics.showAudit(report && new Map(KINDS.map((kind) => [kind, countOf(report, kind)])));
      if (!report || sumOf(report) === 0) return;
      const lines = [...linesOf(report)];
      this.log.error({ differences: sumOf(report), report: lines.slice(0, MAX_LINES) }, 'the audit found differences');
    } catch (error) {
      this.metrics.showAudit(null);
      if (!this.stopping) this.log.warn({ err: error }, 'the audit could not be made, and will be tried again');
    }
  }
}

function countOf({ differences }: AuditReport, kind: string): number {
  return differences.find((findings) => findings.kind === kind)?.count ?? 0;
}
