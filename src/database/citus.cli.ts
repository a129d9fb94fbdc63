import 'reflect-metadata';
import { runCommand } from '../kernel/cli.js';
import { readConfig } from '../kernel/config.js';
import { distribute } from './distribute.js';
import { asOwner } from './owner-command.js';

const USAGE = `Usage: npm run citus

Spreads the tables of a migrated database over the servers of a Citus cluster, the rows of each account together. Run it as
the role of DATABASE_OWNER_URL on the coordinator, after \`npm run migrate\` and before the API is started; and again after each
migration that makes a table. What is spread already stays as it is.
`;

await runCommand(USAGE, async () => {
  if (process.argv.length > 2) {
    process.stdout.write(USAGE);
    return;
  }
  await asOwner(readConfig(), [], async (owner) => {
    const spread = await distribute(owner);
    for (const table of spread) process.stdout.write(`spread ${table}\n`);
    process.stdout.write(spread.length === 0 ? 'All tables are spread: nothing to do.\n' : `${spread.length} tables are spread.\n`);
  });
});
