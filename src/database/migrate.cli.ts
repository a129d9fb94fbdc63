import 'reflect-metadata';
import { inDatabase, runCommand } from '../kernel/cli.js';
import { readConfig } from '../kernel/config.js';
import { migrate } from './migrate.js';

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
  const { databaseOwnerUrl, databaseUrl, databaseIsEmbedded, ownerVariable } = readConfig();
  const place = { variable: ownerVariable, embedded: databaseIsEmbedded };
  const tell = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  const { applied, inAll } = await inDatabase(place, () => migrate(databaseOwnerUrl, databaseUrl, tell));
  for (const name of applied) process.stdout.write(`applied ${name}\n`);
  const what = applied.length === 0 ? 'nothing to do' : `${applied.length} applied`;
  process.stdout.write(`The database is up to date: ${what}, ${inAll} in all.\n`);
});
