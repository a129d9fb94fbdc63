import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { LogController } from 'fastify';
import type { DynamicModule } from '@nestjs/common';
import type { FastifyBaseLogger } from 'fastify';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { ANSWER_HEADERS } from './http/answer-headers.js';
import { refuseClient } from './http/client-errors.js';
import { announceDeprecations } from './http/deprecation.js';
import type { Config } from './kernel/config.js';
import { leaveBodies } from './http/body.js';
import { listenInternally } from './http/internal-listener.js';
import { announceClosing } from './http/lifecycle.js';
import { keyHashWith } from './kernel/key-hash.js';
import { createLogger, NestLogger } from './kernel/logger.js';
import { serveConsole } from './console/console-assets.js';
import { serveDocs } from './openapi/openapi.module.js';
import { logRequests } from './observability/request-log.js';
import type { Tracing } from './observability/tracing.js';
import { ProblemFilter, sendProblem } from './http/problem.filter.js';
import { TRANSPORT, guardTransport } from './http/transport.js';
import { validationPipe } from './http/validation.js';

/** A request id that may go into logs and answers as it is. */
const SANE_REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** What an application is made with beside its configuration. */
interface AppOptions {
  /** Describes itself and does nothing else. */
  preview?: boolean;
  /** Who traces; undefined: nobody. */
  tracing?: Tracing | undefined;
}

/** The application, configured the same for the process, the tests and the OpenAPI export; it doesn't listen yet. */
export async function createApp(config: Config, options: AppOptions = {}): Promise<NestFastifyApplication> {
  const app = await createHttpApp(AppModule.with(config, options.tracing), config, options);
  serveDocs(app);
  serveConsole(app.getHttpAdapter().getInstance());
  return app;
}

/**
 * Any module behind this service's HTTP: how requests and bodies are read, validated, logged and refused. The module must
 * provide `Lifecycle`.
 */
export async function createHttpApp(
  module: DynamicModule,
  config: Config,
  { tracing, ...options }: AppOptions = {},
): Promise<NestFastifyApplication> {
  const logger = createLogger(config);
  const adapter = new FastifyAdapter({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    // Lines of requests are this service's own and name them; a child for each costs more than the line.
    childLoggerFactory: (parent: FastifyBaseLogger) => parent,
    // Requests that arrive on an open connection while the process closes are still answered.
    return503OnClosing: false,
    ...TRANSPORT,
    trustProxy: config.trustProxy ?? false,
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : randomUUID();
    },
    // Fastify's own errors (a broken URL, a refused upgrade) are problems too.
    frameworkErrors: sendProblem,
    clientErrorHandler: refuseClient,
    // An id that is too long is none: 404, as for any other.
    routerOptions: { maxParamLength: 16_384 },
  });
  const app = await NestFactory.create<NestFastifyApplication>(module, adapter, {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
    ...options,
  });
  configureApp(app, config, tracing);
  return app;
}

function configureApp(app: NestFastifyApplication, { internalPort, host, keyHashSalt }: Config, tracing: Tracing | undefined): void {
  const fastify = app.getHttpAdapter().getInstance();
  // In front of whatever refuses a request.
  tracing?.traceRequests(fastify);
  guardTransport(fastify);
  leaveBodies(fastify);
  logRequests(fastify, keyHashWith(keyHashSalt));
  announceClosing(app);
  announceDeprecations(fastify);
  if (internalPort !== undefined) listenInternally(fastify, { port: internalPort, host });
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id).headers(ANSWER_HEADERS);
    done();
  });
  app.useGlobalPipes(validationPipe());
  app.useGlobalFilters(new ProblemFilter());
}
