import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { ALL_SOURCES, BACKGROUND_SOURCE } from '../options.js';

const distributed = new WeakSet<DataSource>();

/** Whether the tables of this data source lie on several servers, by account (Citus). */
export function isDistributed(dataSource: DataSource): boolean {
  return distributed.has(dataSource);
}

/** Asks the database whether it is the entry to a Citus cluster. @throws the database's error */
export async function spansServers(dataSource: Pick<DataSource, 'query'>): Promise<boolean> {
  const rows = await dataSource.query<unknown[]>(`SELECT FROM pg_extension WHERE extname = 'citus'`);
  return rows.length > 0;
}

/** Finds out at the start whether the database is one server or the entry to several. */
@Injectable()
export class Distribution implements OnModuleInit {
  constructor(
    @Inject(BACKGROUND_SOURCE) private readonly background: DataSource,
    @Inject(ALL_SOURCES) private readonly sources: readonly DataSource[],
  ) {}

  /** @throws the database's error */
  async onModuleInit(): Promise<void> {
    if (!(await spansServers(this.background))) return;
    for (const source of this.sources) distributed.add(source);
  }
}
