import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { knownCallerOf } from '../accounts/access.guard.js';
import { publicOperationId, readRetry, type RequestOutcome } from '../idempotency/index.js';
import { publicId } from '../kernel/ids.js';
import type { KeyHash } from '../kernel/key-hash.js';
import { inTenths, type LogFields } from '../kernel/log-fields.js';

/** The levels at which such a line is written. */
const LOGGED = new Set(['info', 'debug', 'trace']);
const TOLD = Symbol('holdfast:told');

/** What became of a request, in the words of the metrics. */
type Told = Omit<RequestOutcome, 'outcome'> & { outcome: string };

/** Leaves what became of a request with it, for its line in the log. */
export function tell(request: unknown, told: Told): void {
  if (typeof request === 'object' && request !== null) (request as { [TOLD]?: Told })[TOLD] = told;
}

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
  const told = (request as { [TOLD]?: Told })[TOLD];
  const accountId = caller && publicId('acct', caller.accountId);
  const retry = told ?? saidOf(request);
  return {
    requestId: request.id,
    accountId,
    keyId: caller && `key_${caller.keyId}`,
    keyHash: accountId !== undefined && told?.key !== undefined ? keyHash(accountId, told.key) : undefined,
    operationId: operationOf(reply, told),
    address: request.ip,
    method: request.method,
    route: request.routeOptions.url,
    status: reply.statusCode,
    outcome: told?.outcome ?? outcomeOf(reply.statusCode),
    attempt: retry.retryAttempt,
    reason: retry.retryReason,
    ms: inTenths(reply.elapsedTime),
  };
}

function operationOf(reply: FastifyReply, told: Told | undefined): string | undefined {
  const header = reply.getHeader('operation-id');
  if (typeof header === 'string') return header;
  return told?.operationId === undefined ? undefined : publicOperationId(told.operationId);
}

/** Of a request that takes no key, or never came to that. */
function outcomeOf(status: number): string {
  if (status < 400) return 'answered';
  if (status === 429) return 'rate-limited';
  return status < 500 ? 'rejected' : 'failed';
}

function saidOf(request: FastifyRequest): Pick<Told, 'retryAttempt' | 'retryReason'> {
  const { attempt, reason } = readRetry(request.headers);
  return { retryAttempt: attempt, retryReason: reason };
}
