import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { Metrics } from '../observability/metrics.registry.js';
import { RestoreGate } from './restore/restore-gate.js';

/** Shows how payments stand at each scrape. */
@Injectable()
export class PaymentsFigures implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly gate: RestoreGate,
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
  ) {}

  onModuleInit(): void {
    this.metrics.readTables(['payments_for_review'], async () => {
      this.metrics.show('payments_for_review', {}, await countForReview(this.dataSource));
    });
    this.metrics.readTables(['payments_gate_closed'], async () => {
      this.metrics.show('payments_gate_closed', {}, (await this.gate.isOpen(this.dataSource)) ? 0 : 1);
    });
  }
}

/** How many payments of all accounts wait for a person, since the provider can't tell what became of them. */
async function countForReview(dataSource: DataSource): Promise<number> {
  const [row] = await dataSource.query<{ count: number }[]>('SELECT count(*)::int AS count FROM payments WHERE review_reason IS NOT NULL');
  return row?.count ?? 0;
}
