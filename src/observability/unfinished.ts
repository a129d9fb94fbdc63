import { Injectable, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Gauge } from 'prom-client';
import { DataSource } from 'typeorm';
import { BACKGROUND } from '../database/data-source.js';
import { Metrics } from './metrics.js';

const COUNT = `
  SELECT count(*) FILTER (WHERE lease_until > clock_timestamp())::int AS running,
         count(*) FILTER (WHERE lease_until IS NULL OR lease_until <= clock_timestamp())::int AS interrupted,
         coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS oldest,
         (SELECT count(*) FROM payments WHERE review_reason IS NOT NULL)::int AS review
    FROM idempotency_records WHERE status = 'running'`;

/** Gauges of what has no outcome yet, read from the database at each scrape. An unfinished operation is never purged: here it is reported. */
@Injectable()
export class UnfinishedGauges implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    @InjectDataSource(BACKGROUND) private readonly dataSource: DataSource,
  ) {}

  onModuleInit(): void {
    const registers = [this.metrics.registry];
    const oldest = new Gauge({
      name: 'idempotency_oldest_unfinished_seconds',
      help: 'Age of the oldest operation without an outcome',
      registers,
    });
    const review = new Gauge({
      name: 'payments_for_review',
      help: 'Payments whose outcome the provider cannot tell; a person must look',
      registers,
    });
    const operations = new Gauge({
      name: 'idempotency_unfinished_operations',
      help: 'Operations without an outcome: running, or interrupted and waiting for the recoverer',
      labelNames: ['state'],
      registers,
      collect: async () => {
        const [row] = await this.count();
        operations.set({ state: 'running' }, row?.running ?? Number.NaN);
        operations.set({ state: 'interrupted' }, row?.interrupted ?? Number.NaN);
        oldest.set(row?.oldest ?? Number.NaN);
        review.set(row?.review ?? Number.NaN);
      },
    });
  }

  /** Nothing while the database is away: the other metrics are wanted most then. */
  private count(): Promise<{ running: number; interrupted: number; oldest: number; review: number }[]> {
    return this.dataSource.query<{ running: number; interrupted: number; oldest: number; review: number }[]>(COUNT).catch(() => []);
  }
}
