import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { knownCallerOf } from '../accounts/access.guard.js';
import { publicId } from '../kernel/ids.js';
import type { KeyHash } from '../kernel/key-hash.js';

/** The levels at which such a line is written. */
const LOGGED = new Set(['info', 'debug', 'trace']);

/** One line for each answered request: who sent what from where, and what became of it. Of the API key its id alone. The idempotency key is hashed: it may be guessable, and whoever holds it can ask for the answer. */
export function logRequests(fastify: FastifyInstance, keyHash: KeyHash): void {
  // Nobody would read it, and making it costs a hash.
  if (!LOGGED.has(fastify.log.level)) return;
  fastify.addHook('onResponse', (request, reply, done) => {
    request.log.info(fieldsOf(request, reply, keyHash), 'request');
    done();
  });
}

function fieldsOf(request: FastifyRequest, reply: FastifyReply, keyHash: KeyHash): object {
  const key = request.headers['idempotency-key'];
  const caller = knownCallerOf(request);
  return {
    requestId: request.id,
    accountId: caller && publicId('acct', caller.accountId),
    keyId: caller && `key_${caller.keyId}`,
    address: request.ip,
    method: request.method,
    route: request.routeOptions.url,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    operationId: reply.getHeader('operation-id'),
    replayed: reply.hasHeader('idempotent-replayed') || undefined,
    keyHash: caller && typeof key === 'string' ? keyHash(publicId('acct', caller.accountId), key) : undefined,
    retryAttempt: small(request.headers['retry-attempt']),
    retryReason: small(request.headers['retry-reason']),
  };
}

/** What a client says goes into a log line only when it is short. */
function small(value: string | string[] | undefined): string | undefined {
  return typeof value === 'string' && value.length <= 32 ? value : undefined;
}
