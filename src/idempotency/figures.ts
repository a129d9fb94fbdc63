import { Inject, Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { BACKGROUND_SOURCE } from './options.js';
import type { Queue as QueueFigures } from './requests/account-turns.js';
import { Attempts } from './requests/attempt.js';
import { StepRegistry } from './steps/step-registry.js';

export type { QueueFigures };

/** Records of all accounts. Those without an outcome are never purged, so these figures are what tells of those that stay. */
export interface RecordFigures {
  /** Without an outcome, in somebody's hands. */
  running: number;
  /** Without an outcome because nobody knows what became of it outside: to be asked again. */
  parked: number;
  /** Without an outcome, in nobody's hands: to be taken over. */
  interrupted: number;
  /** Estimates where the table is large. */
  completed: number;
  sealed: number;
  /** Age of the oldest without an outcome, in seconds; 0 without any. */
  oldestSeconds: number;
  /** The same of those that are parked. */
  oldestParkedSeconds: number;
  /** Those without an outcome whose step this process doesn't know, and therefore leaves to others. */
  unknownStep: number;
}

/** What purged records have become. */
export interface ArchiveFigures {
  /** An estimate where the table is large. */
  records: number;
  /** On disk, with the indexes. */
  bytes: number;
}

/** A table that is smaller is counted, in a few milliseconds; of a larger one PostgreSQL's own estimates are read. In bytes. */
const COUNTED = 8_388_608;

/** A table or an index with its partitions: where it has some, it is empty itself. */
const parts = (name: string): string =>
  `(SELECT '${name}'::regclass AS oid UNION SELECT relid FROM pg_partition_tree('${name}')) p JOIN pg_class c USING (oid)`;
const sizeOf = (table: string): string => `(SELECT sum(pg_relation_size(oid)) FROM ${parts(table)})`;
/** What the last VACUUM or ANALYZE found; of a partial index these are the rows under its condition. */
const estimateOf = (name: string): string => `(SELECT sum(greatest(c.reltuples, 0)) FROM ${parts(name)})`;
const rowsOf = (table: string, index: string, where: string): string =>
  `(CASE WHEN ${sizeOf(table)} < ${COUNTED} THEN (SELECT count(*) FROM ${table} WHERE ${where}) ELSE ${estimateOf(index)} END)::float8`;

const UNFINISHED = `
  SELECT count(*) FILTER (WHERE lease_until > clock_timestamp())::int AS running,
         count(*) FILTER (WHERE is_parked)::int AS parked,
         count(*) FILTER (WHERE NOT is_parked AND (lease_until IS NULL OR lease_until <= clock_timestamp()))::int AS interrupted,
         coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8 AS "oldestSeconds",
         coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE is_parked)), 0)::float8 AS "oldestParkedSeconds",
         count(*) FILTER (WHERE recovery_point <> ALL ($1::text[]))::int AS "unknownStep"
    FROM idempotency_records, LATERAL (SELECT lease_until IS NULL AND parked_reason IS NOT NULL AS is_parked) p
   WHERE status = 'running'`;

const RECORDS = `
  SELECT unfinished.*, ${rowsOf('idempotency_records', 'idempotency_records_expires_idx', `status = 'completed'`)} AS completed,
         ${rowsOf('idempotency_records', 'idempotency_records_sealed_idx', `status = 'sealed'`)} AS sealed
    FROM (${UNFINISHED}) unfinished`;

const ARCHIVE = `
  SELECT ${rowsOf('idempotency_archive', 'idempotency_archive', 'true')} AS records,
         (SELECT sum(pg_total_relation_size(oid)) FROM ${parts('idempotency_archive')})::float8 AS bytes`;

/** How the core's tables and queues stand, for an application's metrics. */
@Injectable()
export class Figures {
  constructor(
    @Inject(BACKGROUND_SOURCE) private readonly dataSource: DataSource,
    private readonly steps: StepRegistry,
    private readonly attempts: Attempts,
  ) {}

  /** Requests of this process that wait for the turn of their account at this moment. */
  queue(): QueueFigures {
    return this.attempts.queue;
  }

  /** As of this moment; it asks the database. @throws Error when that doesn't answer */
  records(): Promise<RecordFigures> {
    return this.read<RecordFigures>(RECORDS, [this.steps.names]);
  }

  /** As of this moment; it asks the database. @throws Error when that doesn't answer */
  archive(): Promise<ArchiveFigures> {
    return this.read<ArchiveFigures>(ARCHIVE, []);
  }

  private async read<Row>(statement: string, values: unknown[]): Promise<Row> {
    const [row] = await this.dataSource.query<Row[]>(statement, values);
    if (!row) throw new Error('an aggregate has one row');
    return row;
  }
}
