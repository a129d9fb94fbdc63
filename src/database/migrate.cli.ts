import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { inDatabase, runCommand } from '../kernel/cli.js';
import { readConfig } from '../kernel/config.js';
import { databaseOptions } from './data-source.js';
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
  const [before, after] = await inDatabase({ variable: ownerVariable, embedded: databaseIsEmbedded }, async () => {
    const earlier = await applied(databaseOwnerUrl);
    await migrate(databaseOwnerUrl, databaseUrl, (sentence) => process.stderr.write(`${sentence}\n`));
    return [earlier, await applied(databaseOwnerUrl)];
  });
  const fresh = after.filter((name) => !before.includes(name));
  for (const name of fresh) process.stdout.write(`applied ${name}\n`);
  const what = fresh.length === 0 ? 'nothing to do' : `${fresh.length} applied`;
  process.stdout.write(`The database is up to date: ${what}, ${after.length} in all.\n`);
});

/** Names of the migrations that the database has; none when it is new. */
async function applied(url: string): Promise<string[]> {
  const dataSource = await new DataSource(databaseOptions(url, 1)).initialize();
  try {
    const [table] = await dataSource.query<{ exists: boolean }[]>(`SELECT to_regclass('migrations') IS NOT NULL AS exists`);
    if (!table?.exists) return [];
    return (await dataSource.query<{ name: string }[]>('SELECT name FROM migrations ORDER BY id')).map((row) => row.name);
  } finally {
    await dataSource.destroy();
  }
}
