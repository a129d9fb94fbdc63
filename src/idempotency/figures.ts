import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { BACKGROUND_SOURCE } from './options.js';
import { StepRegistry } from './steps/step-registry.js';

/** Operations without an outcome, of all accounts. They are never purged, so these figures are what tells of those that stay. */
export interface UnfinishedFigures {
  /** In somebody's hands. */
  running: number;
  /** In nobody's: they wait for the recoverer, or for their client. */
  interrupted: number;
  /** Age of the oldest, in seconds; 0 without any. */
  oldestSeconds: number;
  /** Those of both kinds whose step this process doesn't know, and therefore leaves to others. */
  unknownStep: number;
}

const UNFINISHED = `
  SELECT count(*) FILTER (WHERE lease_until > clock_timestamp())::int AS running,
         count(*) FILTER (WHERE lease_until IS NULL OR lease_until <= clock_timestamp())::int AS interrupted,
         coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS "oldestSeconds",
         count(*) FILTER (WHERE recovery_point <> ALL ($1::text[]))::int AS "unknownStep"
    FROM idempotency_records WHERE status = 'running'`;

/** How the core's tables stand, for an application's metrics. */
@Injectable()
export class Figures {
  constructor(
    @Inject(BACKGROUND_SOURCE) private readonly dataSource: DataSource,
    private readonly steps: StepRegistry,
  ) {}

  /** As of this moment; it asks the database. @throws Error when that doesn't answer */
  async unfinished(): Promise<UnfinishedFigures> {
    const [row] = await this.dataSource.query<UnfinishedFigures[]>(UNFINISHED, [this.steps.names]);
    if (!row) throw new Error('an aggregate has one row');
    return row;
  }
}
