import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { knownCallerOf } from '../accounts/access.guard.js';
import { readRetry } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import type { KeyHash } from '../kernel/key-hash.js';
import { inTenths, type LogFields } from '../kernel/log-fields.js';
import { operationOf, toldOf } from './told.js';

/** The levels at which such a line is written. */
const LOGGED = new Set(['info', 'debug', 'trace']);

/** One line for each answered request: who sent what from where, and what became of it. Of the API key its id alone, of the idempotency key its hash. */
export function logRequests(fastify: FastifyInstance, keyHash: KeyHash): void {
  // Nobody would read it, and making it costs a hash.
  if (!LOGGED.has(fastify.log.level)) return;
  // Its members are all named here, and to look for secrets in them costs 3 µs of 8.
  const log = fastify.log.child({}, { redact: [] });
  fastify.addHook('onResponse', (request, reply, done) => {
    log.info(lineOf(request, reply, keyHash), 'request');
    done();
  });
}

/** What a line of a request has beside what all lines have. */
interface RequestFields extends LogFields {
  keyId: string | undefined;
  address: string;
  method: string;
  route: string | undefined;
  status: number;
}

function lineOf(request: FastifyRequest, reply: FastifyReply, keyHash: KeyHash): RequestFields {
  const caller = knownCallerOf(request);
  const told = toldOf(request);
  const accountId = caller && publicId('acct', caller.accountId);
  const { attempt, reason } = readRetry(request.headers);
  return {
    requestId: request.id,
    accountId,
    keyId: caller && `key_${caller.keyId}`,
    keyHash: accountId !== undefined && told?.key !== undefined ? keyHash(accountId, told.key) : undefined,
    operationId: operationOf(request, reply),
    address: request.ip,
    method: request.method,
    route: request.routeOptions.url,
    status: reply.statusCode,
    outcome: told?.outcome ?? outcomeOf(reply.statusCode),
    attempt,
    reason,
    ms: inTenths(reply.elapsedTime),
  };
}

/** Of a request that takes no key, or never came to that. */
function outcomeOf(status: number): string {
  if (status < 400) return 'answered';
  if (status === 429) return 'rate-limited';
  return status < 500 ? 'rejected' : 'failed';
}
