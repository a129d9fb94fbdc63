import { readConfig } from '../src/kernel/config.js';
import { EmbeddedPostgresError } from './embedded-postgres.js';
import { applicationDatabase, databasePiece } from './pieces.js';

/** `npm run start:db`: the embedded PostgreSQL alone, in the foreground, until SIGINT or SIGTERM. Prints its URL on stdout. */
async function main(): Promise<number> {
  const config = readConfig();
  if (!config.databaseIsEmbedded) {
    process.stderr.write('DATABASE_URL names a PostgreSQL of your own, so the embedded one is not started.\n');
    return 1;
  }
  const end = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end.abort());
  const server = await databasePiece(config).start(end.signal);
  process.stdout.write(`${server.url(applicationDatabase)}\n`);

  const asked = new Promise<void>((resolve) => {
    if (end.signal.aborted) resolve();
    end.signal.addEventListener('abort', () => resolve());
  });
  const died = await Promise.race([server.exited, asked]);
  if (died === undefined) {
    await server.stop();
    return 0;
  }
  process.stderr.write(`The database ended unexpectedly: ${died}\n`);
  return 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof EmbeddedPostgresError ? error.message : String((error as Error).stack)}\n`);
    process.exit(1);
  },
);
