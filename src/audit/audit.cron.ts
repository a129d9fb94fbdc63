import { Inject, Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { endSession } from '../database/own-session.js';
import { CONFIG, type Config } from '../kernel/config.js';
import { PeriodicTask } from '../idempotency/index.js';
import { inTenths, type LogFields } from '../kernel/log-fields.js';
import { Metrics } from '../observability/metrics.registry.js';
import { KINDS, addressesFor, audit, linesOf, sumOf, type AuditReport } from './auditor.js';
import { connectForAudit } from './snapshot.js';

const INTERVAL_MS = 600_000;
/** "audit" in ASCII, as a number: whoever holds this advisory lock audits. */
const LOCK = 0x6175646974;
/** What would end the transaction that holds it; the last one is new in PostgreSQL 17. */
const UNLIMITED = ['idle_in_transaction_session_timeout', 'transaction_timeout'];
/** Lines of a report that go into the log. */
const MAX_LINES = 50;

/** Audits every ten minutes, on one replica at a time, and shows in the metrics what it found. */
@Injectable()
export class AuditCron implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly log = new Logger('Audit');
  private readonly task = new PeriodicTask({ name: 'Audit', intervalMs: INTERVAL_MS, run: (signal) => this.auditAndShow(signal) });

  constructor(
    private readonly metrics: Metrics,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    this.task.start();
  }

  /** Cuts an audit under way off: it only reads, and may have minutes to go. */
  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** Audits, unless another replica does at this moment: then null. */
  async audit(signal?: AbortSignal): Promise<AuditReport | null> {
    const client = await connectForAudit(addressesFor(this.config));
    try {
      // Held by a transaction, so it is given back whatever becomes of this process, and stays with no session.
      await client.query('BEGIN');
      await client.query(`SELECT set_config(name, '0', true) FROM pg_settings WHERE name = ANY ($1)`, [UNLIMITED]);
      const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS locked', [LOCK]);
      return rows[0]?.locked ? await audit(this.config, { signal }) : null;
    } finally {
      await endSession(client);
    }
  }

  /** What is known no longer is not shown: neither when another replica audits nor when nobody could. */
  async auditAndShow(signal?: AbortSignal): Promise<void> {
    const began = performance.now();
    const report = await this.audit(signal).catch((error: unknown) => {
      this.metrics.forget('holdfast_audit_differences');
      throw error;
    });
    this.metrics.forget('holdfast_audit_differences');
    if (report) this.show(report, performance.now() - began);
  }

  private show(report: AuditReport, took: number): void {
    for (const kind of KINDS) this.metrics.show('holdfast_audit_differences', { kind }, countOf(report, kind));
    this.metrics.show('holdfast_audit_timestamp_seconds', {}, Date.now() / 1000);
    const differences = sumOf(report);
    const fields: LogFields = { outcome: differences === 0 ? 'clean' : 'differences', ms: inTenths(took) };
    if (differences === 0) return this.log.log(fields, 'audit');
    const lines = [...linesOf(report)];
    this.log.error({ ...fields, differences, report: lines.slice(0, MAX_LINES) }, 'the audit found differences');
  }
}

function countOf({ differences }: AuditReport, kind: string): number {
  return differences.find((findings) => findings.kind === kind)?.count ?? 0;
}
