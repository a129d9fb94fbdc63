import 'reflect-metadata';
import { setFlagsFromString } from 'node:v8';
import { DataSource } from 'typeorm';
import { createApp } from './app.js';
import { closeApp, drain } from './http/lifecycle.js';
import { MAX_CONNECTIONS } from './http/transport.js';
import { sentenceFor } from './kernel/cli.js';
import { readConfig } from './kernel/config.js';
import { keyHashWith } from './kernel/key-hash.js';
import { assertLeastPrivilege } from './database/least-privilege.js';
import { createLogger } from './kernel/logger.js';
import { prepareDatabase } from './prepare-database.js';

/** How long requests in flight may take to end once no new ones are taken, in milliseconds. */
const SHUTDOWN_TIMEOUT = 12_000;

// V8 makes objects of a call site in its old space once it has seen them outlive young collections, as those of a request that waits
// for the database do. There each dead request keeps the next one alive until a full collection: 1.4 MB of 16 outlived a young
// collection under replays instead of 0.1, in half as much memory again.
setFlagsFromString('--no-allocation-site-pretenuring');

const config = readConfig();
const logger = createLogger(config);
if (config.production && config.keyHashSalt === '')
  logger.warn('KEY_HASH_SALT is empty: whoever has this log can find a guessable idempotency key by trying');

try {
  if (config.migrate) {
    await prepareDatabase(config, {
      waits: (sentence) => logger.warn(sentence),
      applies: (name, before, all) => logger.info(`applying ${name}: ${before} of ${all} migrations are there`),
    });
  }
  // Loaded where it is used only: OpenTelemetry takes its part of a start and of memory.
  const tracing =
    config.tracing && (await import('./observability/tracing.js')).Tracing.start(config.tracing, keyHashWith(config.keyHashSalt));
  const app = await createApp(config, { tracing });
  closeInOrder(async () => {
    await drain(app, config.drainTime);
    await closeApp(app);
    await tracing?.stop();
  });
  await app.init();
  await assertLeastPrivilege(app.get(DataSource), config);
  await app.listen({ port: config.port, host: config.host, backlog: MAX_CONNECTIONS });
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
    setTimeout(() => process.exit(1), config.drainTime + SHUTDOWN_TIMEOUT).unref();
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

/** Ends the process with a sentence that names what is in the way; the stack is for LOG_LEVEL=debug. */
function refuseToStart(error: unknown): never {
  logger.debug({ err: error }, 'cannot start');
  process.stderr.write(`Holdfast cannot start. ${trouble(error)}\n`);
  process.exit(1);
}

/** An error of taking a port. */
interface ListenError extends Error {
  code?: string;
  port?: number;
}

function isOfListening(error: unknown): error is ListenError {
  if (!(error instanceof Error)) return false;
  return ('syscall' in error && error.syscall === 'listen') || ('hostname' in error && error.hostname === config.host);
}

function trouble(error: unknown): string {
  if (!isOfListening(error)) return sentenceFor(error, { variable: 'DATABASE_URL', embedded: config.databaseIsEmbedded });
  const variable = error.port === config.internalPort && error.port !== config.port ? 'INTERNAL_PORT' : 'PORT';
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${error.port} on ${config.host} is taken: stop what listens there, or set ${variable} to another one.`;
    case 'EACCES':
      return `Port ${error.port} may not be used by this account: set ${variable} to another one.`;
    default:
      return `HOST: this machine has no such address (${error.code}).`;
  }
}
