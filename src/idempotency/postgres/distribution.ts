import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ALL_SOURCES, BACKGROUND_SOURCE } from '../options.js';
import type { Call } from './statement.js';

const distributed = new WeakSet<DataSource>();

/** Whether the tables of this data source lie on several servers, by account (Citus). */
export function isDistributed(dataSource: DataSource): boolean {
  return distributed.has(dataSource);
}

/** The calls in the words that this data source wants. */
export function spelledFor(dataSource: DataSource, calls: readonly Call[]): readonly Call[] {
  if (!distributed.has(dataSource)) return calls;
  return calls.map(({ name, text, spread = text, values }) => ({ name, text: spread, values }));
}

/** Asks the database whether it is the entry to a Citus cluster. @throws the database's error */
export async function spansServers(dataSource: Pick<DataSource, 'query'>): Promise<boolean> {
  const rows = await dataSource.query<unknown[]>(`SELECT FROM pg_extension WHERE extname = 'citus'`);
  return rows.length > 0;
}

/** By hash; a table that only refers to such is known to the cluster too, and on one server still. */
const IS_SPREAD = `SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass('idempotency_records') AND partmethod = 'h'`;

/** Finds out at the start whether the tables lie on one server or on several. */
@Injectable()
export class Distribution implements OnModuleInit {
  constructor(
    @Inject(BACKGROUND_SOURCE) private readonly background: DataSource,
    @Inject(ALL_SOURCES) private readonly sources: readonly DataSource[],
  ) {}

  /** @throws the database's error */
  async onModuleInit(): Promise<void> {
    if (!(await spansServers(this.background)) || (await this.background.query<unknown[]>(IS_SPREAD)).length === 0) return;
    for (const source of this.sources) distributed.add(source);
  }
}
