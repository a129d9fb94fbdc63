import { DataSource } from 'typeorm';
import { actor } from '../kernel/actor.js';
import { runWithArguments } from '../kernel/cli.js';
import { readConfig } from '../kernel/config.js';
import { databaseOptions } from '../database/data-source.js';
import { publicOperationId } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import { findFlagged, settleFlagged, type Flagged } from './review.js';
import { USAGE, readArguments, type ReviewCommand } from './review.arguments.js';

await runWithArguments(USAGE, async (args) => {
  const command = readArguments(args);
  const dataSource = await new DataSource(databaseOptions(readConfig().backgroundUrl, 1)).initialize();
  try {
    await execute(command, dataSource);
  } finally {
    await dataSource.destroy();
  }
});

async function execute(command: ReviewCommand, dataSource: DataSource): Promise<void> {
  if (command.do === 'list') {
    const flagged = await findFlagged(dataSource);
    for (const each of flagged) process.stdout.write(`${lineOf(each)}\n`);
    process.stdout.write(`flagged: ${flagged.length}\n`);
    return;
  }
  const { operation, outcome, note, providerReference } = command;
  await settleFlagged(dataSource, operation, { outcome, note, providerReference, actor: actor() });
  process.stdout.write(`${publicOperationId(operation)} is settled: ${outcome}\n`);
}

function lineOf({ accountId, operationId, paymentId, refundId, amount, currency, reason, createdAt, open }: Flagged): string {
  const subject = refundId === null ? publicId('pay', paymentId) : `${publicId('re', refundId)} of ${publicId('pay', paymentId)}`;
  const state = open ? 'to be decided' : 'has ended';
  const since = createdAt.toISOString();
  return `${publicOperationId(operationId)}  ${publicId('acct', accountId)}  ${subject}  ${amount} ${currency}  since ${since}  ${state}: ${reason}`;
}
