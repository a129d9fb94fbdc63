import { Injectable, type OnModuleInit } from '@nestjs/common';
import { commitsHang, Figures } from '../idempotency/index.js';
import { DataSource } from 'typeorm';
import { Metrics } from './metrics.registry.js';

/** Shows how the core's tables and queues stand at each scrape. */
@Injectable()
export class CoreFigures implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly figures: Figures,
    private readonly dataSource: DataSource,
  ) {}

  onModuleInit(): void {
    this.metrics.atScrape(() => this.showMoment());
    this.metrics.readTables(
      [
        'idempotency_records',
        'idempotency_oldest_unfinished_seconds',
        'idempotency_oldest_parked_seconds',
        'idempotency_unknown_step_operations',
      ],
      () => this.showRecords(),
    );
    this.metrics.readTables(['idempotency_archive_records', 'idempotency_archive_bytes'], () => this.showArchive());
  }

  private showMoment(): void {
    const { requests, accounts, longest } = this.figures.queue();
    this.metrics.show('idempotency_queued_requests', {}, requests);
    this.metrics.show('idempotency_queued_accounts', {}, accounts);
    this.metrics.show('idempotency_longest_account_queue', {}, longest);
    this.metrics.show('idempotency_commits_unconfirmed', {}, commitsHang(this.dataSource) ? 1 : 0);
  }

  private async showRecords(): Promise<void> {
    const records = await this.figures.records();
    for (const state of ['running', 'parked', 'interrupted', 'completed', 'sealed'] as const) {
      this.metrics.show('idempotency_records', { state }, records[state]);
    }
    this.metrics.show('idempotency_oldest_unfinished_seconds', {}, records.oldestSeconds);
    this.metrics.show('idempotency_oldest_parked_seconds', {}, records.oldestParkedSeconds);
    this.metrics.show('idempotency_unknown_step_operations', {}, records.unknownStep);
  }

  private async showArchive(): Promise<void> {
    const { records, bytes } = await this.figures.archive();
    this.metrics.show('idempotency_archive_records', {}, records);
    this.metrics.show('idempotency_archive_bytes', {}, bytes);
  }
}
