import { hash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** The levels at which such a line is written. */
const LOGGED = new Set(['info', 'debug', 'trace']);

/** One line for each answered request. The idempotency key is hashed: it may be guessable, and whoever holds it can ask for the answer. */
export function logRequests(fastify: FastifyInstance): void {
  // Nobody would read it, and making it costs a hash.
  if (!LOGGED.has(fastify.log.level)) return;
  fastify.addHook('onResponse', (request, reply, done) => {
    request.log.info(fieldsOf(request, reply), 'request');
    done();
  });
}

function fieldsOf(request: FastifyRequest, reply: FastifyReply): object {
  const key = request.headers['idempotency-key'];
  return {
    requestId: request.id,
    method: request.method,
    route: request.routeOptions.url,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    operationId: reply.getHeader('operation-id'),
    replayed: reply.hasHeader('idempotent-replayed') || undefined,
    keyHash: typeof key === 'string' ? hash('sha256', key, 'hex').slice(0, 16) : undefined,
    retryAttempt: small(request.headers['retry-attempt']),
    retryReason: small(request.headers['retry-reason']),
  };
}

/** What a client says goes into a log line only when it is short. */
function small(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value.length <= 32 ? value : undefined;
}
