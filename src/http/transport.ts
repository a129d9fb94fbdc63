import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.js';

/** A client has this long for its headers, in milliseconds. */
const HEADERS_TIMEOUT = 10_000;
/** Bodies have a time of their own, and a better answer; this one is for what nobody reads. In milliseconds. */
const REQUEST_TIMEOUT = 40_000;
/**
 * Connections of one process. A further one is closed at once: each costs memory before it has said who it is. As many may wait
 * to be accepted, which Node does one by one: what finds no room to wait comes again after a second.
 */
export const MAX_CONNECTIONS = 4_096;
/** Lines of headers in one request; their bytes are bounded by node, to 16 KiB. */
const MAX_HEADERS = 1_000;

/** How node:http reads requests. What it would answer by itself is answered by the hook below, as a problem. */
export const TRANSPORT: { requestTimeout: number; http: ServerOptions } = {
  requestTimeout: REQUEST_TIMEOUT,
  http: {
    headersTimeout: HEADERS_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    connectionsCheckingInterval: 2_000,
    requireHostHeader: false,
  },
};

/** Bounds a server's connections, and leaves to the hook below what node would answer or cut by itself. */
export function guardServer(server: Server): void {
  server.maxConnections = MAX_CONNECTIONS;
  // Node would drop the headers behind its limit without a word, a second Idempotency-Key for example.
  server.maxHeadersCount = 0;
  // Node would say "continue" before anybody has looked at the request, and 417 to any other expectation.
  for (const event of ['checkContinue', 'checkExpectation']) {
    server.on(event, (request: IncomingMessage, response: ServerResponse) => server.emit('request', request, response));
  }
}

/** Bounds connections, and refuses requests whose headers HTTP forbids or node would cut. */
export function guardTransport(fastify: FastifyInstance): void {
  guardServer(fastify.server);
  fastify.addHook('onRequest', (request, reply, done) => {
    const refusal = refusalOf(request.raw);
    // Whoever is told one thing about a request here and another thing on the way gets no second one through.
    if (refusal) void reply.header('connection', 'close');
    done(refusal);
  });
}

function refusalOf({ rawHeaders, headers, httpVersion }: IncomingMessage): Problem | undefined {
  if (rawHeaders.length > 2 * MAX_HEADERS) return invalid(`The request has more than ${MAX_HEADERS} headers.`);
  if (headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue') return invalid('Expect can only be 100-continue.');
  // Two of them lead to different places on the way and here (RFC 9112, section 3.2).
  const hosts = countHosts(rawHeaders);
  if (hosts > 1 || (hosts === 0 && httpVersion === '1.1')) return invalid('The request must name one Host.');
  return undefined;
}

function countHosts(rawHeaders: string[]): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

function invalid(detail: string): Problem {
  return new Problem('invalid-request', detail);
}
