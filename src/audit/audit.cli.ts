import { CommandFailure, UsageError, runCommand } from '../kernel/cli.js';
import { readConfig } from '../kernel/config.js';
import { Progress } from '../kernel/progress.js';
import { audit, linesOf, sumOf } from './auditor.js';
import { LedgerUnreadable } from '../payments/provider/ledger.js';

const USAGE = `Usage: npm run audit

Reconciles idempotency records, orders, payments, refunds and the provider's ledger, and prints every difference and, at
last, how many there are. Changes nothing. Exits with 0 when there are none, 1 when there are some, 2 when it could not
find out.
`;

const DIFFERENT = 1;
const COULD_NOT_AUDIT = 2;

let finished = false;
await runCommand(USAGE, async () => {
  if (process.argv.length > 2 && process.argv[2] !== '--help') throw new UsageError('The command takes no arguments.');
  if (process.argv[2] === '--help') {
    process.stdout.write(USAGE);
  } else {
    const progress = new Progress();
    const report = await audit(readConfig(), { progress })
      .catch((error: unknown) => {
        if (!(error instanceof LedgerUnreadable)) throw error;
        throw new CommandFailure(`The provider's ledger cannot be read: ${error.message}.`);
      })
      .finally(() => progress.end());
    for (const line of linesOf(report)) process.stdout.write(`${line}\n`);
    process.exitCode = sumOf(report) === 0 ? 0 : DIFFERENT;
  }
  finished = true;
});
if (!finished && process.exitCode === 1) process.exitCode = COULD_NOT_AUDIT;
