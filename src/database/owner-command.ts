import { Logger } from '@nestjs/common';
import { pino } from 'pino';
import { DataSource } from 'typeorm';
import { inDatabase } from '../kernel/cli.js';
import type { Config } from '../kernel/config.js';
import { NestLogger, createLogger } from '../kernel/logger.js';
import { databaseOptions } from './data-source.js';

/**
 * Does a command's work as the owner of the tables. What it does goes into the trail as the service writes that, on standard error:
 * standard output is the command's own. @throws CommandFailure where the database can't be reached
 */
export async function asOwner(
  config: Config,
  entities: NonNullable<Parameters<typeof databaseOptions>[2]>,
  work: (dataSource: DataSource) => Promise<void>,
): Promise<void> {
  Logger.overrideLogger(new NestLogger(createLogger(config, pino.destination({ dest: 2, sync: true }))));
  const place = { variable: config.ownerVariable, embedded: config.databaseIsEmbedded };
  const dataSource = await inDatabase(place, () => new DataSource(databaseOptions(config.databaseOwnerUrl, 1, entities)).initialize());
  try {
    await work(dataSource);
  } finally {
    await dataSource.destroy();
  }
}
