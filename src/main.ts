import 'reflect-metadata';
import { createApp } from './app.js';
import { closeApp } from './http/lifecycle.js';
import { readConfig } from './kernel/config.js';
import { migrate } from './database/migrate.js';
import { createLogger } from './observability/logger.js';

/** How long requests in flight may take to end after SIGTERM, in milliseconds. */
const SHUTDOWN_TIMEOUT = 12_000;

const config = readConfig();
const logger = createLogger(config);

try {
  if (config.migrate) await migrate(config.databaseOwnerUrl, config.databaseUrl);
  const app = await createApp(config);
  closeInOrder(() => closeApp(app));
  await app.listen(config.port, config.host);
  const url = await app.getUrl();
  logger.info(`listening on ${url}`);
  process.send?.({ ready: { url } });
} catch (error) {
  refuseToStart(error);
}

/** On a signal, or with the parent: an end in order, and by force when that takes too long. */
function closeInOrder(close: () => Promise<void>): void {
  let closing = false;
  const stop = (reason: string): void => {
    if (closing) return;
    closing = true;
    logger.info(`stopping: ${reason}`);
    setTimeout(() => process.exit(1), SHUTDOWN_TIMEOUT).unref();
    close().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
  // Only with a parent that started this process together with the others: when it is gone, so is the reason to run.
  process.on('disconnect', () => stop('the parent process is gone'));
}

function refuseToStart(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    process.stderr.write(`Port ${config.port} on ${config.host} is taken: stop what listens there, or set PORT to another one.\n`);
  } else if (code === 'ECONNREFUSED') {
    const where = config.databaseIsEmbedded
      ? 'The embedded PostgreSQL does not answer: `npm run start:db` starts it.'
      : 'DATABASE_URL does not answer.';
    process.stderr.write(`${where}\n`);
  } else {
    logger.fatal({ err: error }, 'cannot start');
  }
  process.exit(1);
}
