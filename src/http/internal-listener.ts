import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NotFoundException } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { refuseClient } from './client-errors.js';
import { TRANSPORT, guardServer } from './transport.js';

/** What operators and developers look at, by its route. */
const INTERNAL = new Set(['/metrics', '/docs', '/docs/assets/*', '/openapi.json', '/console', '/console/assets/*']);
/** What both listeners answer: health, and the explanations that every refusal leads to. */
const SHARED = new Set(['/health/live', '/health/ready', '/problems', '/problems/:code']);

/**
 * Moves metrics, console and documentation to a port of their own: it answers these, health and the explanations of problems, and nothing else, and the public port answers
 * 404 for them. Requests of both go through the same application. It listens before the public port does, ends with it, and
 * requests on it are answered to their end. Errors of taking the port are thrown by the application's `listen`.
 */
export function listenInternally(fastify: FastifyInstance, { port, host }: { port: number; host: string }): void {
  const arrived = new WeakSet<IncomingMessage>();
  const server = createServer(TRANSPORT.http, (request, response) => {
    arrived.add(request);
    fastify.routing(request, response);
  });
  server.on('clientError', refuseClient);
  guardServer(server);
  let closed = Promise.resolve();
  fastify.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url ?? '';
    done(SHARED.has(route) || INTERNAL.has(route) === arrived.has(request.raw) ? undefined : new NotFoundException());
  });
  fastify.addHook('onReady', async () => {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
    fastify.log.info(`metrics and documentation on port ${(server.address() as AddressInfo).port}`);
  });
  fastify.addHook('preClose', (done) => {
    closed = new Promise((resolve) => void server.close(() => resolve()));
    done();
  });
  fastify.addHook('onClose', () => closed);
}
