import 'reflect-metadata';
import { runCommand } from '../kernel/cli.js';
import { readConfig } from '../kernel/config.js';
import { Progress } from '../kernel/progress.js';
import { prepareDatabase } from '../prepare-database.js';

const USAGE = `Usage: npm run migrate

Applies the migrations that the database lacks, as the role of DATABASE_OWNER_URL (or DATABASE_URL), and sets the limits of
the API's role. Safe to run again and beside others: one process at a time migrates. Needs an address of the server
itself: not that of a pooler.
`;

await runCommand(USAGE, async () => {
  if (process.argv.length > 2) {
    process.stdout.write(USAGE);
    return;
  }
  const progress = new Progress();
  const { applied, inAll } = await prepareDatabase(readConfig(), {
    waits: (sentence) => process.stderr.write(`${sentence}\n`),
    applies: (name, before, all) => progress.step(`applying ${name}: ${before} of ${all} migrations are there`),
  }).finally(() => progress.end());
  for (const name of applied) process.stdout.write(`applied ${name}\n`);
  const what = applied.length === 0 ? 'nothing to do' : `${applied.length} applied`;
  process.stdout.write(`The database is up to date: ${what}, ${inAll} in all.\n`);
});
