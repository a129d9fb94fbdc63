import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Gauge } from 'prom-client';
import { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { Figures, type UnfinishedFigures } from '../idempotency/index.js';
import { countForReview } from '../payments/payment.store.js';
import { Metrics } from './metrics.js';

/** While the database is away. The other metrics are wanted most then, so that is no error. */
const UNKNOWN: UnfinishedFigures = {
  running: Number.NaN,
  interrupted: Number.NaN,
  oldestSeconds: Number.NaN,
  unknownStep: Number.NaN,
};

/** Gauges of what has no outcome yet. At each scrape they ask those whose tables know. */
@Injectable()
export class UnfinishedGauges implements OnModuleInit {
  private asked: Promise<UnfinishedFigures> | undefined;

  constructor(
    private readonly metrics: Metrics,
    private readonly figures: Figures,
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
  ) {}

  onModuleInit(): void {
    const operations = new Gauge({
      name: 'idempotency_unfinished_operations',
      help: 'Operations without an outcome: running, or interrupted and waiting for the recoverer',
      labelNames: ['state'],
      registers: [this.metrics.registry],
      collect: async () => {
        const { running, interrupted } = await this.unfinished();
        operations.set({ state: 'running' }, running);
        operations.set({ state: 'interrupted' }, interrupted);
      },
    });
    this.gauge('idempotency_oldest_unfinished_seconds', 'Age of the oldest operation without an outcome', async () => {
      return (await this.unfinished()).oldestSeconds;
    });
    this.gauge(
      'idempotency_unknown_step_operations',
      'Operations without an outcome that wait for a step which this process does not know, and another version may',
      async () => (await this.unfinished()).unknownStep,
    );
    this.gauge('payments_for_review', 'Payments whose outcome the provider cannot tell; a person must look', () =>
      countForReview(this.dataSource).catch(() => Number.NaN),
    );
  }

  private gauge(name: string, help: string, read: () => Promise<number>): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.metrics.registry],
      collect: async (): Promise<void> => gauge.set(await read()),
    });
  }

  /** One query for all gauges of a scrape: they ask at the same moment. */
  private unfinished(): Promise<UnfinishedFigures> {
    this.asked ??= this.figures
      .unfinished()
      .catch(() => UNKNOWN)
      .finally(() => (this.asked = undefined));
    return this.asked;
  }
}
